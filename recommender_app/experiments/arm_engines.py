"""Which engines an arm promises that nothing live can keep: its units would be answered by stand-ins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from recommender_app.experiments.arm_policies import RELEASE
from recommender_app.models import Arm, ReleaseMember
from recommender_app.registry.live import live_release

NEEDS_NO_MODEL = "newest"


def missing_engines(use_case_key: str, arms: Iterable[Arm]) -> Iterator[str]:
    """Yield a sentence for each arm that routes to an engine of which its release has no version."""
    release = live_release(use_case_key)
    live = {member.engine for member in release.members.all()} if release else set()
    for arm in arms:
        there = _pinned(use_case_key, arm.policy[RELEASE]) if RELEASE in arm.policy else live
        missing = dict.fromkeys(engine for _, engine in arm.policy.get("routes", ()))
        told = ", ".join(engine for engine in missing if engine not in {*there, NEEDS_NO_MODEL})
        if told:
            yield f"Arm {arm.key} promises {told}, of which no version is live: other engines will answer in its place."


def _pinned(use_case_key: str, number: int) -> set[str]:
    members = ReleaseMember.objects.filter(release__use_case=use_case_key, release__number=number)
    return set(members.values_list("engine", flat=True))
