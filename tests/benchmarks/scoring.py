"""Scoring and top 100 beside ``implicit`` on the same factors: python -m tests.benchmarks.scoring FOLDER."""

# ruff: noqa: T201  a benchmark prints what it measured

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before numpy: one thread each

import argparse
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse

from recommender_app.engines.factors import FactorEngine
from recommender_app.engines.index import ItemIndex
from recommender_app.trainers.index import BuiltIndex, fit_index, overlaps
from tests.benchmarks.public_data import has_published_split
from tests.benchmarks.rounds import ROUNDS, Claim, Rounds, each, interleave, report, timed
from tests.benchmarks.trained_factors import TrainedFactors, engine_of, gaussian, trained_factors

K = 100
SEED = 1
N_TIMED = 50  # requests per round
N_RECALL = 500  # users of whom the recall is measured
N_BATCH = 1024  # users of a batch list
LIMITS = {  # n_items -> what the exact and the indexed list may cost, as a share of implicit
    100_000: {"exact": 0.6, "index": 0.2},
    1_000_000: {"exact": None, "index": 1 / 15},
}
BATCH_LIMIT = 1.5
MIN_RECALL = 0.98


@dataclass(frozen=True)
class Contenders:
    """One catalogue, every way to the best 100 items of a user vector.

    Attributes:
        users: (u, 128) vectors that the index has not been fitted with.
        plain: engine that scores all items in float32.
        exact: engine that proves its lists with an exhaustive search in half precision.
        indexed: engine with an index of at least the recall that is asked for.
    """

    implicit: AlternatingLeastSquares
    users: np.ndarray
    plain: FactorEngine
    exact: FactorEngine
    indexed: FactorEngine
    built: BuiltIndex

    def ask_implicit(self, user: int) -> object:
        """Ask implicit for one list; the history is not filtered, nobody's is here."""
        nothing = sparse.csr_matrix((1, len(self.implicit.item_factors)), dtype=np.float32)
        return self.implicit.recommend(user, nothing, N=K, filter_already_liked_items=False)

    def ask(self, engine: FactorEngine, user: int) -> np.ndarray:
        """Ask one of ours."""
        return engine.nearest(self.users[user : user + 1], K)[0]

    def recall(self, engine: FactorEngine) -> float:
        """Return the share of the exact top 100 that an engine finds, users asking one by one as in requests."""
        asking = range(min(N_RECALL, len(self.users)))
        found = np.concatenate([self.ask(engine, user) for user in asking])
        return float(overlaps(found, self.plain.nearest(self.users[: len(asking)], K)[0]).mean())


def contenders(factors: TrainedFactors, folder: Path) -> Contenders:
    """Build all of them; the indexes are written, and mapped as a web process maps them."""
    plain, half = engine_of(factors.items), len(factors.users) // 2
    learning, asking = factors.users[:half], np.ascontiguousarray(factors.users[half:])
    built = fit_index(plain, learning, None, SEED, MIN_RECALL)
    built.write(folder / "index.faiss")
    whole = type(built.plan)(built.plan.nlist, built.plan.nlist, built.plan.largest_norm)
    exact, indexed = (ItemIndex.mapped(folder / "index.faiss", plan) for plan in (whole, built.plan))
    model = AlternatingLeastSquares(factors=factors.items.shape[1], num_threads=1)
    model.item_factors, model.user_factors = factors.items, asking
    return Contenders(model, asking, plain, plain.with_index(exact), plain.with_index(indexed), built)


def one_by_one(those: Contenders, rounds: int) -> Rounds:
    """Measure single requests."""
    users = list(range(N_TIMED))
    engines = {"plain": those.plain, "exact": those.exact, "index": those.indexed}
    ours = {name: each(partial(those.ask, engine), users) for name, engine in engines.items()}
    return interleave({"implicit": each(those.ask_implicit, users), **ours}, rounds)


def in_batches(those: Contenders, rounds: int) -> Rounds:
    """Measure lists for many users in one call."""
    users = np.arange(min(N_BATCH, len(those.users)))
    nothing = sparse.csr_matrix((len(users), those.plain.n_items), dtype=np.float32)
    ask = partial(those.implicit.recommend, users, nothing, N=K, filter_already_liked_items=False)
    vectors = those.users[users]
    ours = {
        name: timed(lambda engine=engine: engine.nearest(vectors, K))
        for name, engine in (("plain", those.plain), ("index", those.indexed))
    }
    return interleave({"implicit": timed(ask), **ours}, rounds)


def measure(name: str, factors: TrainedFactors, rounds: int, is_judged: bool) -> tuple[list[Claim], dict]:
    """Return the claims about one catalogue, and what is to be known of its index."""
    n = len(factors.items)
    limits = LIMITS.get(n, {}) if is_judged else {}
    with TemporaryDirectory() as folder:
        those = contenders(factors, Path(folder))
        recalls = {"exact": those.recall(those.exact), "index": those.recall(those.indexed)}
        timings = one_by_one(those, rounds)
        batches = in_batches(those, rounds) if n <= 100_000 else None
    label = f"{name}, {n:,} items"
    claims = [
        timings.claim(f"{label}: all in float32", "plain", "implicit"),
        timings.claim(f"{label}: exact", "exact", "implicit", limits.get("exact")),
        timings.claim(f"{label}: index", "index", "implicit", limits.get("index")),
    ]
    if batches is not None:
        claims.append(batches.claim(f"{label}: batch", "plain", "implicit", BATCH_LIMIT if is_judged else None))
        claims.append(batches.claim(f"{label}: batch, index", "index", "implicit"))
    details = {"n_items": n, **those.built.details(), "recall_of_others": recalls, "loads": timings.load_averages}
    print(f"{label}: {details}", *claims, sep="\n  ", flush=True)
    if is_judged and min(recalls["index"], recalls["exact"]) < MIN_RECALL:
        raise SystemExit(f"FAIL: recall@{K} {recalls}, at least {MIN_RECALL} is claimed.")
    return claims, details


def main() -> int:
    """Print every claim and the verdict; 1 when one fails."""
    options = _options()
    if not has_published_split(options.folder):
        print(f"SKIPPED: {options.folder} has no train.csv.gz and test.csv.gz.")
        return 0
    trained = trained_factors(options.folder)
    claims, catalogues = [], {}
    for n in options.sizes:
        found, catalogues[f"Yelp2018 {n}"] = measure("Yelp2018", trained.resampled(n), options.rounds, is_judged=True)
        claims += found
        if not options.without_gaussian:
            found, catalogues[f"Gaussian {n}"] = measure("Gaussian", gaussian(n), options.rounds, is_judged=False)
            claims += found
    return report("scoring", claims, options.output, rounds=options.rounds, catalogues=catalogues)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(LIMITS))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--without-gaussian", action="store_true", help="leave out the factors that are not judged")
    parser.add_argument("--output", type=Path, default=Path("bench/scoring.json"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
