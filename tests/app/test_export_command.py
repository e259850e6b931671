"""``manage.py recommender_export``: what it prints, what it refuses, how it exits."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from recommender_app.dataset.folder import read_dataset
from tests.toyhost.models import Book, Reader, Reading

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path}
    return tmp_path


@pytest.fixture
def reading(db):
    return Reading.objects.create(
        reader=Reader.objects.create(name="Ann"), book=Book.objects.create(title="a"), kind="like", at=timezone.now()
    )


def test_the_summary_names_folder_and_counts_and_says_reused(root, reading, capsys):
    call_command("recommender_export", "books")
    first = capsys.readouterr().out
    (folder,) = (root / "datasets" / "books").iterdir()
    assert "books: 1 interactions of 1 users with 1 items (view 0, like 1, finish 0, dislike 0)" in first
    assert f"{folder} (written, " in first
    assert "interactions: 1/1" in first
    call_command("recommender_export", "books")
    assert f"{folder} (reused, " in capsys.readouterr().out


def test_options_reach_the_export(root, reading):
    window = ["--since", "2020-01-01", "--until", "2999-01-01T12:00+00:00"]
    call_command("recommender_export", "books", *window, "--json-mappings")
    (folder,) = (root / "datasets" / "books").iterdir()
    assert (folder / "item_mapping.json").exists()
    assert len(read_dataset(folder).interactions) == 1
    with pytest.raises(CommandError, match="no interactions"):
        call_command("recommender_export", "books", "--until", "2020-01-01")
    with pytest.raises(CommandError, match="no interactions"):
        call_command("recommender_export", "books", "--min-interactions", "2")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "no use case 'nonsense'"),
        (["books"], "has no interactions to export"),
        (["books", "--since", "yesterday"], "no ISO date"),
        (["books", "--since", "2024-02-31"], "no ISO date"),
        (["books", "--min-interactions", "-1"], "no whole number"),
        (["--since", "2024-02-01", "--until", "2024-01-01"], "Nothing lies between"),  # once, not per use case
    ],
)
def test_mistakes_are_one_line(root, db, arguments, message):
    with pytest.raises(CommandError, match=message) as raised:
        call_command("recommender_export", *arguments)
    assert "\n" not in str(raised.value)
    assert list(root.iterdir()) == []


def test_one_empty_use_case_does_not_keep_the_others_from_being_exported(root, reading, monkeypatch):
    from recommender_app.usecases import site
    from tests.toyhost.recommendations import BooksForReaders

    empty = type("Empty", (BooksForReaders,), {"key": "a_first", "weights": {"never": 1.0}})
    monkeypatch.setattr(site, "_registered", {"a_first": empty(), "books": site.get_use_case("books")})
    with pytest.raises(CommandError, match="'a_first' has no interactions"):
        call_command("recommender_export")
    assert [path.name for path in (root / "datasets").iterdir()] == ["books"]


def test_a_table_that_is_missing_is_one_line(root, db, monkeypatch):
    monkeypatch.setattr(Reading._meta, "db_table", "no_such_table")
    with pytest.raises(CommandError, match=r"The database refuses: .*no_such_table.* Is it migrated\?"):
        call_command("recommender_export", "books")


def test_an_interrupt_is_no_traceback(root, reading, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("recommender_app.management.commands.recommender_export.export_dataset", interrupted)
    with pytest.raises(CommandError, match="Interrupted") as raised:
        call_command("recommender_export", "books")
    assert raised.value.returncode == 130


@pytest.mark.slow
def test_a_mistake_ends_the_process_with_exit_code_1(tmp_path):
    command = [sys.executable, "manage.py", "recommender_export", "nonsense", "--settings", "tests.settings"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert done.stderr.strip().startswith("CommandError: There is no use case 'nonsense'.")
    assert "Traceback" not in done.stderr
