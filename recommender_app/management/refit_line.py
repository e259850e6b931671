"""What a promotion of single engines does to an ensemble that stays."""

from __future__ import annotations

from recommender_app.engines.ensemble import MEMBER_VERSIONS
from recommender_app.models import Release


def refit_line(release: Release) -> str:
    """Return that a live ensemble's weights were fitted to other versions, and what to run; "" if they fit."""
    live = {member.engine: member.version for member in release.members.select_related("version")}
    for version in live.values():
        fitted = version.config.get(MEMBER_VERSIONS) or {}
        replaced = sorted(name for engine, name in fitted.items() if engine in live and live[engine].name != name)
        if replaced:
            command = f"manage.py recommender_train {release.use_case} --engine {version.engine} --promote (or --all)"
            weights = f"{version.name} stays live, but its weights were fitted to {', '.join(replaced)}"
            return f"{weights}: it fuses ranks until it is trained again: {command}."
    return ""
