"""Two at once, on real databases: a process of its own, because the suite's database is no file."""

import threading

import pytest

from tests.app.processes import run_on

N_AT_ONCE = 4


def at_once(*jobs):
    """Run jobs in threads that start together; return what each gave or raised."""
    from django.db import connections

    barrier, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(place, job):
        barrier.wait()
        try:
            results[place] = job()
        except Exception as error:  # noqa: BLE001  judged by the test
            results[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def promotions_at_once_serialise():
    """Every one either becomes a release or says in one line why not; the first ever included."""
    from recommender_app.exceptions import RegistryError
    from recommender_app.models import Release
    from recommender_app.registry.releases import promote
    from tests.app.registered import candidate, live_names

    for round_number in range(2):  # nothing to wait on in the first round
        versions = [candidate(engine) for engine in ("popular", "trending") * (N_AT_ONCE // 2)]
        results = at_once(*[lambda version=version: promote(version, by="ann") for version in versions])
        refused = [result for result in results if isinstance(result, Exception)]
        assert all(isinstance(error, RegistryError) for error in refused), refused
        assert len(refused) < N_AT_ONCE
        releases = Release.objects.filter(use_case="books")
        assert releases.filter(status="live").count() == 1
        numbers = list(releases.order_by("number").values_list("number", flat=True))
        assert numbers == list(range(1, len(numbers) + 1)), (round_number, numbers)
        assert releases.get(status="live").number == numbers[-1]
        assert [release.previous and release.previous.number for release in releases.order_by("number")] == [
            None,
            *numbers[:-1],
        ]
        assert len(live_names()) == len(set(live_names()))


def roll_backs_at_once_go_back_once():
    """Whoever comes second is told, instead of going back one release further."""
    from recommender_app.exceptions import RegistryError
    from recommender_app.models import Release
    from recommender_app.registry.releases import promote, roll_back
    from tests.app.registered import candidate

    for _ in range(4 - Release.objects.count()):
        promote(candidate(), by="ann")
    number = Release.objects.get(status="live").number
    results = at_once(*[lambda: roll_back("books", by="ann")] * 2)
    refused = [result for result in results if isinstance(result, Exception)]
    assert all(isinstance(error, RegistryError) for error in refused), refused
    assert Release.objects.get(status="live").number == number - (2 - len(refused))


def runs_at_once_start_once():
    """The unique constraint is the lock."""
    from recommender_app.exceptions import RegistryError
    from recommender_app.models import TrainingRun
    from tests.app.registered import start

    results = at_once(*[start] * N_AT_ONCE)
    assert sorted(type(result) is RegistryError for result in results) == [False, True, True, True], results
    assert TrainingRun.objects.filter(status="running").count() == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "database", ["sqlite", "sqlite_as_django_ships_it", pytest.param("postgres", marks=pytest.mark.services)]
)
def test_changes_at_once_serialise_or_say_so(database, request, tmp_path):
    is_postgres = database == "postgres"
    url = request.getfixturevalue("postgres_database") if is_postgres else f"sqlite:///{tmp_path / 'db'}"
    is_plain = database == "sqlite_as_django_ships_it"  # deferred transactions, no write-ahead log
    as_django_ships = "settings.DATABASES['default'].pop('OPTIONS')\n" if is_plain else ""
    code = (
        "from django.conf import settings\n"
        f"{as_django_ships}"
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        f"settings.RECOMMENDER = {{**settings.RECOMMENDER, 'ARTIFACT_ROOT': {str(tmp_path / 'root')!r}}}\n"
        "call_command('migrate', verbosity=0)\n"
        "from tests.app import test_registry_concurrency as tests\n"
        "tests.promotions_at_once_serialise()\n"
        "tests.roll_backs_at_once_go_back_once()\n"
        "tests.runs_at_once_start_once()\n"
    )
    run_on(url, code)
