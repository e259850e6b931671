"""Cost per list as the catalogue grows: python -m tests.benchmarks.growth FOLDER."""

# ruff: noqa: T201  a benchmark prints what it measured

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before numpy: one thread each

import argparse
import math
import sys
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from recommender_app.engines.index import MIN_ITEMS
from tests.benchmarks.public_data import has_published_split
from tests.benchmarks.rounds import ROUNDS, Claim, report
from tests.benchmarks.scoring import contenders, one_by_one
from tests.benchmarks.trained_factors import TrainedFactors, trained_factors

SIZES = (10_000, 30_000, 50_000, 100_000, 300_000, 1_000_000)
LABELS = {"implicit": "implicit", "plain": "all in float32", "exact": "exact by half precision", "index": "index"}


def main() -> int:
    """Print the table, draw the plot, and check that ten times the items cost less than ten times as much."""
    options = _options()
    if not has_published_split(options.folder):
        print(f"SKIPPED: {options.folder} has no train.csv.gz and test.csv.gz.")
        return 0
    trained = trained_factors(options.folder)
    table = {n: _costs(trained.resampled(n), options.rounds) for n in options.sizes}
    _print(table)
    _draw(table, options.output.with_suffix(".png"))
    return report("growth", _claims(table), options.output, milliseconds=table)


def _costs(factors: TrainedFactors, rounds: int) -> dict[str, float]:
    """Return {contender: median milliseconds of a list} for one catalogue."""
    with TemporaryDirectory() as folder:
        timings = one_by_one(contenders(factors, Path(folder)), rounds)
    return {name: timings.median_ms(name) for name in LABELS}


def _claims(table: dict[int, dict[str, float]]) -> list[Claim]:
    """Claim that above the index threshold the cost grows slower than the catalogue."""
    sizes = [n for n in sorted(table) if n >= MIN_ITEMS]
    claims = []
    for smaller, larger in pairwise(sizes):
        before, after = table[smaller]["index"], table[larger]["index"]
        ratio = after / before
        claims.append(Claim(f"index, {smaller:,} to {larger:,}", ratio, ratio, ratio, larger / smaller, after, before))
    return claims


def _print(table: dict[int, dict[str, float]]) -> None:
    print(f"\n{'items':>10}" + "".join(f"{label:>26}" for label in LABELS.values()) + "   ms per list of 100")
    for n, costs in sorted(table.items()):
        print(f"{n:>10,}" + "".join(f"{costs[name]:>26.3f}" for name in LABELS))


def _draw(table: dict[int, dict[str, float]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5), constrained_layout=True)
    sizes = sorted(table)
    for name, label in LABELS.items():
        axes.plot(sizes, [table[n][name] for n in sizes], marker="o", label=label)
    axes.axvline(MIN_ITEMS, color="grey", linestyle=":", label="INDEX_MIN_ITEMS")
    axes.set(xscale="log", yscale="log", xlabel="items in the catalogue", ylabel="ms per list of 100, one thread")
    decades = range(math.floor(math.log10(sizes[0])), math.ceil(math.log10(sizes[-1])) + 1)
    axes.set_xticks([10**power for power in decades], [f"{10**power:,}" for power in decades])
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    print(f"plot: {path}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--output", type=Path, default=Path("bench/growth.json"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
