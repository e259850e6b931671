"""Row 71: of a forgotten person nothing is left, in no table, cache, dataset or, once trained again, artifact."""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import redis

ROOT = Path(__file__).resolve().parents[2]
USE_CASES = ("investor_startup", "startup_investor")
SETTINGS = """
from backend.settings import *
from recommender_app.conf import DEFAULTS
TRAINERS = {key: None for key in DEFAULTS["TRAINERS"] if key != "popular"}
RECOMMENDER = {
    **RECOMMENDER, "TRAINERS": TRAINERS, "TRAINING_SCHEDULE": {}, "SLATE_CACHE_SECONDS": 5.0, "RELOAD_SECONDS": 0.5,
    "MIN_USERS": 2, "MIN_ITEMS": 2, "MIN_INTERACTIONS": 4, "BUDGET_MS": 60_000,
}
CACHES["default"]["OPTIONS"] |= {"socket_connect_timeout": 10, "socket_timeout": 10}  # busy machines are slow
"""
LIVE = """
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from django.core.cache import cache

from backend.marketplace.models import PersonInteraction, Startup
from recommender_app.measurement.events import PostedEvent
from recommender_app.measurement.recording import record_events
from recommender_app.measurement.roll_up import roll_up_day
from recommender_app.models import BusinessRule, RequestLog
from recommender_app.registry.rules import save_rule
from recommender_app.serving import cache as patience
from recommender_app.serving.service import recommend
from recommender_app.serving.spool.writing import append
from recommender_app.usecases.site import get_use_case

patience.SLOW_SECONDS = 60.0
person = PersonInteraction.objects.exclude(investor=None).first().investor
use_case = get_use_case("investor_startup")
shown = recommend(person, use_case.key, 5)
event = PostedEvent(event_id="one", item=str(shown.results[0].id), event="like", request_id=shown.request_id)
assert record_events(use_case, person, [event]) == ["recorded"]
recommend(person, use_case.key, 5)
for startup in Startup.objects.all():  # some are shown the person
    recommend(startup, "startup_investor", 100)
values = RequestLog.objects.filter(user_id=str(person.pk)).values().first()
del values["id"]
assert cache._cache.get_client().dbsize(), "slates are cached"
append({**values, "request_id": uuid4()})
rule = BusinessRule(use_case="startup_investor", name="an ally", kind="pin", position=3, item_ids=[str(person.pk)])
save_rule(rule, by="carla")
roll_up_day(use_case, datetime.now(UTC).date())
print(person.pk)
"""
GO = "from backend.marketplace.models import Investor; Investor.objects.filter(pk='{0}').delete()"


@pytest.fixture
def site(postgres_database, redis_url, tmp_path):
    """A function that runs manage.py, or code, on a site of its own."""
    (tmp_path / "forgetting_settings.py").write_text(SETTINGS)
    environment = {
        **os.environ,
        "DATABASE_URL": postgres_database,
        "CACHE_URL": redis_url,
        "ARTIFACT_ROOT": str(tmp_path / "root"),
        "DJANGO_SETTINGS_MODULE": "forgetting_settings",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
    }

    def run(*arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
        return result.stdout

    return run


def written_forms(person: str) -> list[bytes]:
    """Return how an id may be written: with dashes, without, as bytes."""
    return [person.encode(), UUID(person).hex.encode(), UUID(person).bytes]


def tables_with(url: str, person: str) -> set[str]:
    """Return the tables of which a row, as text, holds the id in any column."""
    names = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    with psycopg.connect(url) as connection:
        tables = [name for (name,) in connection.execute(names)]
        wanted = [form.decode() for form in written_forms(person)[:2]]
        query = 'SELECT count(*) FROM "{0}" AS found WHERE found::text LIKE ANY(%s)'
        likes = [f"%{text}%" for text in wanted]
        return {name for name in tables if connection.execute(query.format(name), [likes]).fetchone()[0]}


def keys_with(url: str, person: str) -> list[bytes]:
    """Return the keys of Redis that hold the id, or whose value does."""
    client = redis.Redis.from_url(url)
    found = [(key, client.dump(key) or b"") for key in client.scan_iter()]
    return [key for key, value in found if any(form in key + value for form in written_forms(person))]


def files_with(folder: Path, person: str) -> list[Path]:
    """Return the files that hold the id."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(form in path.read_bytes() for form in written_forms(person))]


@pytest.mark.services
@pytest.mark.slow
def test_nothing_is_left_of_a_person_who_was_user_and_item(site, postgres_database, redis_url, tmp_path):
    root = tmp_path / "root"
    site("migrate", "--verbosity=0")
    site("load_marketplace", "--startups=12", "--developers=5", "--investors=15", "--days=12")
    site("recommender_train", *USE_CASES, "--engine=popular", "--promote", "--force")
    person = site("shell", "--verbosity=0", "-c", LIVE).split()[-1]
    own = {"recommender_app_requestlog", "recommender_app_feedbackevent", "recommender_app_rollup"}
    own |= {"recommender_app_businessrule", "recommender_app_rulechange"}
    assert own < tables_with(postgres_database, person)
    folders = {path.relative_to(root).parts[0] for path in files_with(root, person)}
    assert folders == {"datasets", "models", "spool"}

    report = json.loads(site("recommender_forget_user", "investor_startup", person, "--yes", "--json"))
    assert person not in json.dumps(report)
    later = {(line["what"], line["where"]) for line in report["lines"] if line["outcome"] == "later"}
    assert {("model versions", key) for key in USE_CASES} <= later
    site("shell", "--verbosity=0", "-c", GO.format(person))  # the account itself is the host's to delete
    assert tables_with(postgres_database, person) == set()
    assert {path.relative_to(root).parts[0] for path in files_with(root, person)} <= {"models"}

    site("recommender_work", "--once")
    site("recommender_train", *USE_CASES, "--engine=popular", "--promote", "--force")  # whatever the gate said
    site("recommender_prune")
    assert keys_with(redis_url, person) == []
    assert files_with(root, person) == []
    assert tables_with(postgres_database, person) == set()
    versions = sorted(path.name for path in root.glob("models/investor_startup/*/*"))
    assert versions
    assert "popular_v1" not in versions
