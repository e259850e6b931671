"""The spool must be writable before it is needed."""

import os

import pytest

from recommender_app.checks.spool import spool_advice
from tests.app.declarations import short_ids


@pytest.fixture
def found(settings):
    def found(**values):
        settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
        return short_ids(spool_advice())

    return found


def test_a_folder_that_is_made_when_it_is_needed_is_good(found, tmp_path):
    assert found(SPOOL_DIR=tmp_path / "not" / "yet") == []
    assert found(SPOOL_DIR=None, ARTIFACT_ROOT=tmp_path) == []


def test_a_file_in_the_place_of_the_folder(found, tmp_path):
    (tmp_path / "file").touch()
    assert found(SPOOL_DIR=tmp_path / "file" / "spool") == ["W107"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(found, tmp_path):
    tmp_path.chmod(0o500)
    assert found(SPOOL_DIR=tmp_path / "spool") == ["W107"]


def test_values_that_make_no_sense_are_left_to_the_settings_check(found):
    assert found(SPOOL_DIR=3) == []
