"""What this process and its database's cost: peak memory and processor time."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from django.db import connection


def database_seconds() -> float:
    """Return the processor time of this connection's own server process; parallel workers are not in it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def peak_bytes() -> int:
    """Return the most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
