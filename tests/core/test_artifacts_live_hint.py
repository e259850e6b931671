"""The boot hint: replaced in one step, believed only if it makes sense."""

import logging
import threading

import pytest

from recommender_app.artifacts.live_hint import (
    LiveHint,
    delete_live_hint,
    live_use_cases,
    read_live_hint,
    write_live_hint,
)
from recommender_app.exceptions import ArtifactError

HINT = LiveHint("films", 3, {"als": "als_v2", "popular": "popular_v1"})


def test_a_hint_comes_back(tmp_path):
    write_live_hint(tmp_path, HINT)

    assert read_live_hint(tmp_path, "films") == HINT
    assert live_use_cases(tmp_path) == ["films"]
    assert (tmp_path / "LIVE" / "films").stat().st_mode & 0o777 == 0o640


def test_the_newest_hint_replaces_the_one_before(tmp_path):
    write_live_hint(tmp_path, HINT)
    write_live_hint(tmp_path, LiveHint("films", 4, {}))

    assert read_live_hint(tmp_path, "films") == LiveHint("films", 4, {})
    assert [path.name for path in (tmp_path / "LIVE").iterdir()] == ["films"]


def test_a_deleted_hint_is_gone(tmp_path):
    write_live_hint(tmp_path, HINT)
    delete_live_hint(tmp_path, "films")
    delete_live_hint(tmp_path, "films")

    assert read_live_hint(tmp_path, "films") is None
    assert live_use_cases(tmp_path) == []


def test_without_a_folder_there_is_no_hint(tmp_path, caplog):
    assert read_live_hint(tmp_path / "none", "films") is None
    assert live_use_cases(tmp_path / "none") == []
    assert not caplog.records  # a fresh site is no fault


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\xff\x00",
        b"{",
        b"[]",
        b"null",
        b"[" * 60_000,
        b'{"release": "3", "versions": {}}',
        b'{"release": true, "versions": {}}',
        b'{"release": 3}',
        b'{"release": 3, "versions": []}',
        b'{"release": 3, "versions": {"als": 2}}',
        b'{"release": 3, "versions": {"als": "../../etc"}}',
        b'{"release": 3, "versions": {"../als": "als_v1"}}',
    ],
)
def test_garbage_is_no_hint_and_logged_once(tmp_path, caplog, garbage):
    write_live_hint(tmp_path, HINT)
    (tmp_path / "LIVE" / "films").write_bytes(garbage)

    with caplog.at_level(logging.WARNING):
        assert read_live_hint(tmp_path, "films") is None

    (record,) = caplog.records
    assert "films" in record.getMessage()


def test_a_folder_in_place_of_a_hint_is_no_hint(tmp_path, caplog):
    (tmp_path / "LIVE" / "films").mkdir(parents=True)

    assert read_live_hint(tmp_path, "films") is None
    assert len(caplog.records) == 1
    assert live_use_cases(tmp_path) == []


def test_files_that_are_no_hints_are_passed_over(tmp_path):
    write_live_hint(tmp_path, HINT)
    for name in (".films-1234", "README.md", "Films"):
        (tmp_path / "LIVE" / name).touch()

    assert live_use_cases(tmp_path) == ["films"]


def test_an_unwritable_root_is_named(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(ArtifactError, match=r"file/LIVE/films.*ARTIFACT_ROOT"):
        write_live_hint(tmp_path / "file", HINT)


@pytest.mark.parametrize("name", ["../films", "", "a/b"])
def test_a_use_case_that_could_lead_elsewhere_is_refused(tmp_path, name):
    with pytest.raises(ArtifactError):
        write_live_hint(tmp_path, LiveHint(name, 1, {}))
    with pytest.raises(ArtifactError):
        read_live_hint(tmp_path, name)


def test_a_reader_sees_one_whole_hint_or_another(tmp_path):
    hints = [LiveHint("films", number, {"als": f"als_v{number}", "popular": "popular_v1"}) for number in range(50)]
    write_live_hint(tmp_path, hints[0])
    seen = []

    def read():
        while len(seen) < 500:
            seen.append(read_live_hint(tmp_path, "films"))

    reader = threading.Thread(target=read)
    reader.start()
    while reader.is_alive():
        for hint in hints:
            write_live_hint(tmp_path, hint)
    reader.join()

    assert all(hint in hints for hint in seen)
