"""An example for production: ``gunicorn backend.wsgi`` beside this file finds it by its name.

Models are mapped from disk, not copied: workers share their pages with or without preloading. A
new release reaches every worker within RELOAD_SECONDS, without a restart.
"""

import gc
import os
from pathlib import Path

# Before numpy is imported. One thread per request: BLAS threads would fight each other, and an
# OpenMP pool that was used before a fork can hang the child.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "4"))  # requests wait for the database more than for a core
preload_app = os.environ.get("WEB_PRELOAD", "true").lower() in ("1", "true", "yes")

timeout = 30
graceful_timeout = 30
keepalive = 5
limit_request_line = 8190  # 200 UUIDs in exclude, or a cursor, are longer than the default
max_requests = 20_000  # a worker is replaced now and then, whatever may have grown in it
max_requests_jitter = 2_000  # but not all at once
if Path("/dev/shm").is_dir():  # noqa: S108
    worker_tmp_dir = "/dev/shm"  # noqa: S108  heartbeats must not wait for a disk


def when_ready(server):
    """Keep what is loaded before the fork out of garbage collection: collecting would copy its pages."""
    gc.freeze()


def post_fork(server, worker):
    """No worker may use a database connection that the parent opened; without preloading it opened none."""
    if server.cfg.preload_app:
        from django.db import connections

        connections.close_all()
