"""``recommender_models``, ``recommender_promote``, ``recommender_rollback``; help of all commands."""

import shutil

import pytest
from django.core.management import CommandError, call_command, load_command_class

from recommender_app.models import Release, ReleaseChange
from recommender_app.registry.releases import promote
from tests.app.registered import candidate, live_names

pytestmark = pytest.mark.django_db
METRICS = {"engines": {"popular": {"precision@10": 0.125, "ndcg@10": 0.25}}}


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path}
    return tmp_path


def run(capsys, *arguments) -> str:
    capsys.readouterr()
    call_command(*arguments)
    return capsys.readouterr().out


def test_what_is_live_is_marked_in_the_list(capsys):
    promote(candidate(metrics=METRICS, dataset_fingerprint="f" * 64), by="ann")
    promote(candidate("trending"), by="bob")
    candidate()
    lines = run(capsys, "recommender_models", "books").splitlines()
    cells = [line.split() for line in lines]
    assert lines[0] == "books"
    assert cells[3][:2] == ["popular_v2", "candidate"]
    assert cells[4][:4] == ["*", "trending_v1", "ready", "-"]
    assert cells[5][:5] == ["*", "popular_v1", "ready", "0.1250", "0.2500"]
    assert "ffffffffffff" in cells[5]
    assert cells[9][:4] == ["*", "2:", "popular_v1,", "trending_v1"]
    assert cells[9][-1] == "bob"
    assert cells[10][:2] == ["1:", "popular_v1"]


def test_the_list_can_be_shortened(capsys):
    for _ in range(3):
        promote(candidate(), by="ann")
    printed = run(capsys, "recommender_models", "books", "--last", "1")
    assert "popular_v3" in printed
    assert "popular_v2" not in printed


def test_every_use_case_is_listed_with_the_next_step(capsys):
    printed = run(capsys, "recommender_models")
    for key in ("books", "movies", "developer_startup"):
        assert f"{key}\nNothing has been trained yet: manage.py recommender_train {key} --promote" in printed


def test_promote_and_roll_back_say_what_is_live(capsys):
    for _ in range(2):
        candidate()
    assert run(capsys, "recommender_promote", "books", "popular_v1") == "books popular_v1 is live in release 1.\n"
    run(capsys, "recommender_promote", "books", "popular_v2", "--by", "ann", "--reason", "better")
    release = Release.objects.get(status="live")
    assert (release.promoted_by, release.reason, live_names()) == ("ann", "better", ["popular_v2"])
    assert run(capsys, "recommender_rollback", "books") == "books release 1 is live again: popular_v1.\n"
    run(capsys, "recommender_rollback", "books", "--to", "2", "--by", "bob", "--reason", "was right")
    release = Release.objects.get(status="live")
    assert (release.number, release.promoted_by, release.reason) == (2, "ann", "better")
    change = ReleaseChange.objects.first()
    assert (change.action, change.release, change.by, change.reason) == ("roll_back", 2, "bob", "was right")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["recommender_promote", "nonsense", "popular_v1"], "no use case 'nonsense'. Registered: books, "),
        (["recommender_promote", "books", "als_v9"], "no version 'als_v9' of books; the newest are popular_v2"),
        (["recommender_promote", "books", "popular_v1"], "books popular_v1 is live already"),
        (["recommender_promote", "books", "popular_v2"], "no artifact folder popular_v2"),
        (["recommender_rollback", "nonsense"], "no use case 'nonsense'"),
        (["recommender_rollback", "books"], "no release of books to roll back to: books release 1 is the first"),
        (["recommender_rollback", "books", "--to", "9"], "no release 9 of books: recommender_models books lists all"),
        (["recommender_rollback", "books", "--to", "1"], "books release 1 is live already"),
        (["recommender_models", "nonsense"], "no use case 'nonsense'"),
    ],
)
def test_mistakes_are_one_line(root, arguments, message):
    promote(candidate(), by="ann")
    candidate()
    shutil.rmtree(root / "models" / "books" / "popular" / "popular_v2")
    with pytest.raises(CommandError, match=message) as raised:
        call_command(*arguments)
    assert "\n" not in str(raised.value)
    assert raised.value.returncode == 1
    assert live_names() == ["popular_v1"]


@pytest.mark.parametrize("name", ["train", "evaluate", "models", "promote", "rollback"])
def test_help_teaches_by_examples(name):
    command = load_command_class("recommender_app", f"recommender_{name}")
    text = command.create_parser("manage.py", f"recommender_{name}").format_help()
    examples = text.split("examples:\n")[1]
    for arguments, meaning in command.examples:
        assert f"  # {meaning}\n  manage.py recommender_{name} {arguments}".rstrip() in examples


@pytest.mark.parametrize(
    ("command", "needs"),
    [("promote", "a use case and a version"), ("rollback", "a use case"), ("forget_user", "a use case and a user")],
)
def test_a_command_without_any_argument_lists_the_use_cases(command, needs):
    with pytest.raises(CommandError, match=f"Name {needs}; use cases: books, developer_startup, .*movies"):
        call_command(f"recommender_{command}")
