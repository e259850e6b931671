"""A host may keep the app's tables in a database of their own, by a router."""

import json

from tests.app.processes import run_python, sqlite

APART = """
import json
from django.conf import settings
from django.core.management import call_command
from django.db import connections


class Router:
    def db_for_read(self, model, **hints):
        return "apart" if model._meta.app_label == "recommender_app" else None

    db_for_write = db_for_read

    def allow_migrate(self, db, app_label, **hints):
        return (db == "apart") == (app_label == "recommender_app")


settings.DATABASE_ROUTERS = [Router()]
call_command("migrate", database="apart", verbosity=0)
from recommender_app.artifacts.live_hint import read_live_hint
from recommender_app.models import Release
from recommender_app.registry import releases
from tests.app.registered import candidate, live_names

first, second = candidate(), candidate()
releases.promote(first, by="ann")


def fail(*args):
    raise ZeroDivisionError


whole, releases.settle_versions = releases.settle_versions, fail
try:
    releases.promote(second, by="ann")
except ZeroDivisionError:
    pass
after_failure = [live_names(), Release.objects.count()]
releases.settle_versions = whole
releases.promote(second, by="ann")
hint = read_live_hint(settings.RECOMMENDER["ARTIFACT_ROOT"], "books")
print(json.dumps([after_failure, live_names(), dict(hint.versions)]))
"""


def test_a_promotion_that_fails_is_undone_in_the_database_it_happened_in(tmp_path):
    where = {"database": sqlite(tmp_path / "host.sqlite3"), "artifact_root": tmp_path / "artifacts"}
    apart = (
        f"DATABASES['apart'] = {{'ENGINE': 'django.db.backends.sqlite3', 'NAME': {str(tmp_path / 'apart.sqlite3')!r}}}"
    )
    (tmp_path / "with_apart.py").write_text(f"from site_settings import *\n{apart}\n")
    printed = run_python(tmp_path, APART, **where, settings_module="with_apart")
    after_failure, live, hint = json.loads(printed.splitlines()[-1])
    assert after_failure == [["popular_v1"], 1]
    assert (live, hint) == (["popular_v2"], {"popular": "popular_v2"})
