"""Loading MovieLens: the official files, twice, and what a person reads when they are not there."""

import shutil
import subprocess
import zipfile
from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from rest_framework.authtoken.models import Token

from backend.movies.models import Movie, Rating, Viewer
from backend.movies.movielens import source
from backend.movies.movielens.titles import readable_title, split_year
from tests.flow.official_movielens import write_official_files


@pytest.fixture
def folder(tmp_path):
    return write_official_files(tmp_path / "ml-100k")


def load(path, **options):
    call_command("load_movielens", source=path, verbosity=0, **options)


def contents():
    return {
        "ratings": sorted(Rating.objects.values_list("viewer_id", "movie_id", "stars", "rated_at")),
        "movies": sorted(Movie.objects.values_list("pk", "title", "release_year", "genres__name", "updated_at")),
        "viewers": sorted(Viewer.objects.values_list("pk", "account_id", "age_group", "gender", "occupation")),
    }


@pytest.mark.django_db
def test_the_official_files_are_loaded_with_readable_titles_and_times(folder):
    load(folder)
    assert [str(movie) for movie in Movie.objects.order_by("pk")] == [
        "The Usual Suspects (1995)",
        "Les Misérables (1995)",
        "unknown",
    ]
    assert list(Movie.objects.get(pk=1).genres.values_list("name", flat=True)) == ["Drama"]
    assert not Movie.objects.get(pk=3).genres.exists()
    assert Rating.objects.get(viewer=1, movie=1).rated_at == datetime.fromtimestamp(881250949, UTC)
    assert Viewer.objects.get(pk=1).age_group == "18-24"


@pytest.mark.django_db
def test_loading_twice_changes_nothing(folder):
    load(folder)
    before = contents()
    load(folder)
    assert contents() == before
    assert Rating.objects.count() == 4


@pytest.mark.django_db
def test_a_rating_that_was_changed_on_the_site_survives_a_second_load(folder):
    load(folder)
    Rating.objects.filter(viewer=1, movie=1).update(stars=2)
    load(folder)
    assert Rating.objects.get(viewer=1, movie=1).stars == 2


@pytest.mark.django_db
def test_what_is_missing_is_completed(folder):
    load(folder)
    Rating.objects.filter(viewer=2).delete()
    Movie.objects.filter(pk=2).update(title="wrong")
    load(folder)
    assert Rating.objects.count() == 4
    assert Movie.objects.get(pk=2).title == "Les Misérables"


@pytest.mark.django_db
def test_viewers_get_logins_without_password_and_only_some_a_token(folder):
    load(folder, tokens=1)
    accounts = get_user_model().objects.order_by("username")
    assert [account.username for account in accounts] == ["viewer-1", "viewer-2"]
    assert not any(account.has_usable_password() for account in accounts)
    assert [token.user.viewer.pk for token in Token.objects.all()] == [1]


@pytest.mark.django_db
def test_a_zip_of_the_official_folder_is_the_same(folder, tmp_path):
    load(folder)
    before = contents()
    load(shutil.make_archive(str(tmp_path / "ml-100k"), "zip", folder.parent, "ml-100k"))
    assert contents() == before


@pytest.mark.parametrize("name", ["absent", "empty", "broken.zip", "other.zip", "cut"])
def test_an_unusable_source_gives_one_line_that_says_how_to_name_another(tmp_path, name):
    path = tmp_path / name
    if name == "empty":
        path.mkdir()
    elif name == "broken.zip":
        path.write_bytes(b"no zip")
    elif name == "other.zip":
        zipfile.ZipFile(path, "w").close()
    elif name == "cut":
        write_official_files(path)
        (path / "u.data").write_text("1\t1\n")
    with pytest.raises(CommandError) as caught:
        load(path)
    assert "--source" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_failed_download_gives_one_line_that_says_how_to_name_a_source(tmp_path, monkeypatch, settings):
    def no_index(command, **options):
        raise subprocess.CalledProcessError(1, command, stderr="looking\nERROR: no index")

    settings.BASE_DIR = tmp_path
    monkeypatch.setattr(source.subprocess, "run", no_index)
    with pytest.raises(CommandError, match=r"cannot be downloaded \(ERROR: no index\)\. .*--source") as caught:
        load(None)
    assert "\n" not in str(caught.value)


def test_a_wheel_that_is_there_is_not_downloaded_again(tmp_path, monkeypatch):
    wheel = tmp_path / "recbole-1.2.1-py3-none-any.whl"
    wheel.touch()
    monkeypatch.setattr(source.subprocess, "run", lambda *args, **options: pytest.fail("downloaded"))
    assert source.fetch_wheel(tmp_path) == wheel


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Usual Suspects, The", "The Usual Suspects"),
        ("Horseman on the Roof, The (Hussard sur le toit, Le)", "The Horseman on the Roof (Le Hussard sur le toit)"),
        ("Enfer, L'", "L'Enfer"),
        ("Paris, Texas", "Paris, Texas"),
        ("Cry, the Beloved Country", "Cry, the Beloved Country"),
        ("To Wong Foo, Thanks for Everything! Julie Newmar", "To Wong Foo, Thanks for Everything! Julie Newmar"),
        ("Mrs. Brown (Her Majesty, Mrs. Brown)", "Mrs. Brown (Her Majesty, Mrs. Brown)"),
    ],
)
def test_a_title_is_written_as_a_person_would(given, shown):
    assert readable_title(given) == shown


def test_the_year_is_taken_from_the_end_of_a_title_only():
    assert split_year("Toy Story (1995)") == ("Toy Story", 1995)
    assert split_year("1984") == ("1984", None)
