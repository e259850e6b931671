"""Compares the request log with the releases, after a load: prints JSON. Run for the measured site."""

# ruff: noqa: E402, T201  Django is set up before its models are imported; what is printed is the result

import django

django.setup()

import json

from recommender_app.models import ReleaseMember, RequestLog


def audit() -> dict[str, int]:
    """Return how many answers are logged, and how many name a version that is not of their release."""
    members = {
        (member.release.number, member.engine, member.version.name)
        for member in ReleaseMember.objects.select_related("release", "version")
    }
    served = RequestLog.objects.exclude(model_version="").values_list("release", "engine", "model_version")
    return {"n_rows": RequestLog.objects.count(), "n_mixed": sum(row not in members for row in served)}


if __name__ == "__main__":
    print(json.dumps(audit()))
