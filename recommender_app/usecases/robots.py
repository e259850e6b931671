"""Which requests count in no experiment: those of robots that say so, and of the site's own staff."""

from __future__ import annotations

import re
from typing import Any

# What robots call themselves. Programs of people (curl, okhttp, python-requests) are none, nor is a CUBOT phone.
ROBOT = re.compile(
    r"(?<!cu)bot(?![a-z])|crawler|spider|slurp|facebookexternalhit|headlesschrome|lighthouse|pingdom|uptime",
    re.IGNORECASE,
)
LOOKED_AT = 512  # characters


def is_robot(request: Any) -> bool:
    """Tell whether the user agent says that no person is asking; whoever says nothing counts as a person."""
    return bool(ROBOT.search(request.META.get("HTTP_USER_AGENT", "")[:LOOKED_AT]))


def counts_in_experiments(request: Any) -> bool:
    """Tell whether a request is one of those that experiments are about; the same rule for every arm."""
    return not is_robot(request) and not getattr(request.user, "is_staff", False)
