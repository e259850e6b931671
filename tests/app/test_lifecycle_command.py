"""``recommender_train`` and ``recommender_promote``: what they print of trainings, verdicts and what is live."""

import pytest
from django.core.management import CommandError, call_command

from recommender_app.models import ModelVersion, Release, ReleaseChange
from recommender_app.training.lifecycle import retrain
from recommender_app.usecases.site import get_use_case
from tests.app import library, odd_trainers, readings
from tests.app.registered import live_names
from tests.toyhost.models import Reading

pytestmark = pytest.mark.django_db
QUICK = ("popular", "trending", "als", "ensemble")


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    values = {"ARTIFACT_ROOT": tmp_path / "root", "N_THREADS": 1, "TRAINERS": readings.only(*QUICK)}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    return tmp_path / "root"


def put(settings, **trainers):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": {**settings.RECOMMENDER["TRAINERS"], **trainers}}


def train(*engines, **options):
    return retrain(get_use_case("books"), engines or QUICK, by="ann", **options)


def endings(summary):
    return {result.engine: str(result.ending) for result in summary.results}


def command(capsys, *arguments) -> str:
    capsys.readouterr()
    call_command("recommender_train", "books", *arguments)
    return capsys.readouterr().out


def test_all_prints_one_table_and_what_is_live(capsys):
    readings.fill()
    printed = command(capsys, "--all", "--by", "ann")
    assert "Live in books release 1: popular_v1, trending_v1, als_v1, ensemble_v1." in printed
    (row,) = [line for line in printed.splitlines() if line.startswith("als ") and "passed, live in 1" in line]
    assert "als_v1" in row
    assert Release.objects.get().promoted_by == "ann"


def test_a_rejection_is_told_and_is_no_failure(settings, capsys):
    readings.fill()
    put(settings, als=f"{odd_trainers.MODULE}.UpsideDown")
    printed = command(capsys, "--engine", "als", "--promote")
    assert "\nals: rejected: ndcg@10 " in printed
    assert "books als_v1: rejected, " in printed
    assert not Release.objects.exists()
    command(capsys, "--engine", "als", "--force", "--by", "ann")
    assert live_names() == ["als_v2"]


def test_a_dry_run_says_that_it_was_one(capsys):
    readings.fill()
    printed = command(capsys, "--all", "--dry-run")
    assert "Nothing was published: this was a dry run." in printed
    assert not ModelVersion.objects.exists()


def test_a_failure_is_exit_code_1_after_the_others_are_live(settings, capsys):
    readings.fill()
    put(settings, popular=f"{odd_trainers.MODULE}.Diverging")
    with pytest.raises(CommandError, match="books popular: It diverged") as raised:
        command(capsys, "--all")
    assert raised.value.returncode == 1
    assert live_names() == ["als_v1", "ensemble_v1", "trending_v1"]


def test_a_rejected_version_is_promoted_by_the_command_with_force_only(settings):
    readings.fill()
    put(settings, als=f"{odd_trainers.MODULE}.UpsideDown")
    train("als")
    with pytest.raises(CommandError, match="als_v1 is rejected"):
        call_command("recommender_promote", "books", "als_v1")
    call_command("recommender_promote", "books", "als_v1", "--force", "--by", "ann", "--reason", "I know")
    change = ReleaseChange.objects.first()
    assert (change.action, change.by, change.reason) == ("force", "ann", "I know")


@pytest.mark.parametrize("is_measured", [True, False])
def test_a_dry_run_leaves_out_what_a_real_run_leaves_out(settings, capsys, is_measured):
    readings.fill()
    if not is_measured:
        Reading.objects.update(at=Reading.objects.first().at)
    put(settings, popular=f"{odd_trainers.MODULE}.Choosy")
    dry, real = train("popular", "trending", dry_run=True), train("popular", "trending")
    assert endings(dry) == {"popular": "left out", "trending": "passed"}
    assert endings(real) == {"popular": "left out", "trending": "promoted"}
    assert "popular: left out: It wants more readers." in command(capsys, "--all", "--dry-run")


def test_the_first_of_an_engine_passes_unjudged_and_the_output_says_so(capsys):
    readings.fill()
    Reading.objects.update(at=Reading.objects.first().at)
    printed = command(capsys, "--engine", "popular", "--dry-run")
    assert "popular: passed, not judged: Not measured: nobody" in printed


def test_promoting_members_alone_says_that_the_live_ensemble_is_to_be_trained_again(capsys):
    readings.fill()
    told = "it fuses ranks until it is trained again: manage.py recommender_train books --engine ensemble --promote"
    assert told not in command(capsys, "--all")
    assert told in command(capsys, "--promote")
    assert told not in command(capsys, "--engine", "ensemble", "--promote")


def test_an_engine_that_is_judged_on_newcomers_too_has_a_footnote(capsys):
    books = readings.fill()
    told = "ndcg@10 of popular is another one than above: engines that answer newcomers are judged on all test users"
    last = Reading.objects.latest("at").at
    for reading in Reading.objects.filter(at=last)[:2]:  # the last day stays a fifth of all
        reading.reader, reading.book = library.add_reader(f"newcomer{reading.pk}"), books[0]
        reading.save()
    assert told in command(capsys, "--engine", "popular", "--promote")


def test_a_dry_run_says_that_force_is_not_looked_at(capsys):
    readings.fill()
    printed = command(capsys, "--engine", "popular", "--dry-run", "--force")
    assert "--force was not looked at: a dry run only judges." in printed
