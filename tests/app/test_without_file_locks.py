"""A system without ``fcntl`` (Windows) serves, and keeps rows that the table refuses."""

import subprocess
import sys

SCRIPT = """
import os, sys
sys.modules["fcntl"] = None
for name in ("O_NOFOLLOW", "O_CLOEXEC"):
    delattr(os, name)
import django
django.setup()
import recommender_app.urls
from recommender_app.serving.spool import draining, writing
from recommender_app.serving.spool.locking import is_alone, is_shared
assert is_alone(-1) and is_shared(-1)
print("serves")
"""


def test_serving_is_imported_without_file_locks():
    told = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert told.stdout.strip() == "serves", told.stderr
