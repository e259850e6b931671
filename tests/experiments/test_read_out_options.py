"""What the command says where there is nothing to read, or where its options contradict each other."""

import json

import pytest
from django.core.management import CommandError, call_command

from recommender_app.experiments.templates import create_from_template

pytestmark = pytest.mark.django_db


def test_a_draft_is_said_to_be_one(capsys):
    create_from_template("a_a", "books", "e", "ann")
    call_command("recommender_experiment", "e")
    assert capsys.readouterr().out == "e/1 has no snapshot yet: it has not begun (start it in the admin).\n"


def test_json_is_json_also_before_the_first_snapshot(capsys):
    create_from_template("a_a", "books", "e", "ann")
    call_command("recommender_experiment", "e", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["as_of"], told["rows"]) == (None, [])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--store"], "--store keeps what --plan computes"),
        (["--csv", "--json"], "Choose one of"),
        (["--plan", "--json"], "Choose one of"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, message):
    create_from_template("a_a", "books", "e", "ann")
    with pytest.raises(CommandError, match=message):
        call_command("recommender_experiment", "e", *options)
