"""The setting TRAINERS is laid over the defaults, and a trainer that is nowhere to be found is told."""

import pytest

from recommender_app import conf
from recommender_app.checks import check_settings
from recommender_app.checks.trainers import trainer_problems
from recommender_app.training.trainers import trainer_keys
from tests.app.declarations import short_ids
from tests.app.processes import NO_DATABASE, run_python


def write(settings, **paths):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": paths}


def test_a_trainer_of_the_host_takes_the_place_of_one_and_the_others_stay(settings):
    write(settings, als="tests.app.odd_trainers.Diverging", trending=None)
    assert conf.settings.trainers["als"] == "tests.app.odd_trainers.Diverging"
    assert trainer_keys() == [key for key in conf.DEFAULTS["TRAINERS"] if key != "trending"]


@pytest.mark.parametrize(
    "path",
    [
        "shop.trainers.Mine",
        "tests.app.no_such_file.Mine",
        "tests.no_such_package.trainers.Mine",
        "tests.app.odd_trainers.deeper.Mine",
    ],
)
def test_a_module_that_does_not_exist_is_told(settings, path):
    write(settings, als=path)
    assert short_ids(trainer_problems()) == ["W019"]
    assert path.rpartition(".")[0] in trainer_problems()[0].msg
    assert "recommender_app.W019" in [problem.id for problem in check_settings(None)]


def test_those_that_exist_are_not_told(settings):
    write(settings, **conf.DEFAULTS["TRAINERS"], mine="tests.app.odd_trainers.Diverging", other=None)
    assert trainer_problems() == []


def test_a_value_of_another_kind_is_told_elsewhere(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": ["als"]}
    assert trainer_problems() == []


def test_looking_imports_nothing(tmp_path):
    package = tmp_path / "heavy"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')\n")
    (package / "trainers.py").write_text("raise SystemExit('imported')\n")
    (tmp_path / "heavy_settings.py").write_text(
        "from site_settings import *\nRECOMMENDER = {**RECOMMENDER, 'TRAINERS': {'als': 'heavy.trainers.Mine'}}\n"
    )
    program = (
        "import sys\n"
        "from recommender_app.checks.trainers import trainer_problems\n"
        "print(trainer_problems(), 'heavy' in sys.modules)"
    )
    assert run_python(tmp_path, program, NO_DATABASE, tmp_path, "heavy_settings") == "[] False\n"
