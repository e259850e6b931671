"""``recommender_benchmark``: engines on files, each in a process of its own, without a database."""

import json

import pytest
from django.core.management import CommandError, call_command

from recommender_app.training.benchmark.child import peak_memory_mb
from tests.app import benchmark_files, odd_trainers, readings
from tests.core.toys import N_USERS


@pytest.fixture(autouse=True)
def trainers(settings):
    chosen = readings.only("popular", "trending", "als")
    settings.RECOMMENDER = {**settings.RECOMMENDER, "N_THREADS": 1, "TRAINERS": chosen}


def run(capsys, *arguments, **options) -> str:
    capsys.readouterr()
    call_command("recommender_benchmark", *map(str, arguments), **options)
    return capsys.readouterr().out


def rows_of(table: str) -> dict[str, list[str]]:
    return {cells[0]: cells[1:] for line in table.splitlines() if len(cells := line.split()) > 5}


def test_a_published_split_gives_one_table_with_quality_and_cost(tmp_path, capsys):
    numbers = tmp_path / "numbers.json"
    printed = run(capsys, benchmark_files.published(tmp_path / "data"), "--k", "1", "--seed", "5", "--json", numbers)
    rows = rows_of(printed)
    assert rows["als"][0] == "1.0000", "the hidden item comes first for everybody"
    assert "trending is left out: the interactions have no times." in printed
    assert "test.csv.gz was read once" in printed
    assert "  als: learning: " in printed
    written = json.loads(numbers.read_text())
    measured = written["measured"]["all items"]
    assert (measured["n_users"], written["seed"]) == (N_USERS, 5)
    assert measured["engines"]["als"]["recall@1"] == measured["engines"]["als"]["ndcg@1"] == 1
    assert measured["intervals"]["popular"]["recall@1"]["difference"]["high"] < 0
    cost = written["costs"]["als"]
    assert cost["train_seconds"] > 0
    assert cost["users_per_second"] > 0
    assert 20 < cost["peak_mb"] < 4000


def test_cold_items_are_ranked_among_themselves_at_three_lengths(tmp_path, capsys):
    printed = run(capsys, benchmark_files.cold(tmp_path), "--engines", "popular", verbosity=0)
    assert "recall@20 [95 %]" in printed
    assert "recall@100 [95 %]" in printed
    assert "2 items ranked" in printed
    assert "1 items ranked" in printed


def test_an_option_reaches_its_engine(tmp_path, capsys):
    folder = benchmark_files.published(tmp_path)
    with pytest.raises(CommandError, match="factors=-3 must be"):
        run(capsys, folder, "--engines", "popular,als", "--set", "als.factors=-3", verbosity=0)


def test_an_engine_that_fails_does_not_stop_the_others(tmp_path, capsys, settings):
    paths = {**readings.only("popular"), "trending": f"{odd_trainers.MODULE}.Diverging"}
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": paths}
    folder = benchmark_files.with_times(tmp_path)
    with pytest.raises(CommandError, match=r"^trending: It diverged"):
        call_command("recommender_benchmark", str(folder), verbosity=0)
    assert "popular" in rows_of(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--engines", "nonsense"], "no trainer for 'nonsense'"),
        (["--k", "many"], "--k many: write list lengths"),
        (["--k", "0"], "--k 0: write list lengths"),
        (["--set", "factors=8"], "write engine.option=value"),
        (["--set", "als.colour=red"], "Unknown option colour"),
        (["--weights", "LIKE=much"], "--weights LIKE=much: write EVENT=number"),
        (["--cold"], "add --validation"),
        (["--test-fraction", "1"], "must lie between 0 and 1"),
        (["--json", "/nowhere/numbers.json"], "Cannot write /nowhere/numbers.json"),
        (["--items", "/nowhere.csv.gz"], "There is no file"),
    ],
)
def test_mistakes_are_one_line(tmp_path, arguments, message):
    folder = benchmark_files.published(tmp_path)
    with pytest.raises(CommandError, match=message) as raised:
        call_command("recommender_benchmark", str(folder), *arguments, verbosity=0)
    assert "\n" not in str(raised.value)


def test_a_missing_folder_is_one_line(tmp_path):
    with pytest.raises(CommandError, match="There is no folder"):
        call_command("recommender_benchmark", str(tmp_path / "nowhere"))


def test_peak_memory_never_falls():
    before = peak_memory_mb()
    block = bytearray(50_000_000)
    after = peak_memory_mb()
    assert before is not None
    assert after is not None
    assert after >= before
    assert len(block) == 50_000_000
