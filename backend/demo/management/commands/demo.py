"""``manage.py demo``: the whole job once, on real data."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from backend.demo import experiments, learning, people, promises, visits
from backend.demo.server import running_server
from recommender_app.exceptions import RecommenderError
from recommender_app.management.progress import progress_bar
from recommender_app.trainers.base import Progress

MARKETPLACE = {
    "developer_startup": learning.QUICK,
    "investor_startup": learning.WITH_TWO_TOWER,
    "startup_developer": learning.QUICK,
    "startup_investor": learning.QUICK,
}


class Command(BaseCommand):
    """Load both data sets, train, measure, promote, start experiments, and ask a real server."""

    help = (
        "Loads the simulated marketplace and MovieLens-100k, exports, trains and promotes every use case, measures "
        "engines on MovieLens, starts experiments, then asks a server that it starts and stops. A second run reuses "
        "what is there."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--seed", type=int, default=42, help="seed of the simulator, splits and trainers")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._run(options["seed"])
        except RecommenderError as error:
            raise CommandError(str(error)) from error

    def _run(self, seed: int) -> None:
        self._title("1. Data")
        call_command("load_marketplace", seed=seed, stdout=self.stdout)
        has_movies = self._load_movies()

        with progress_bar(self.stdout, is_wanted=self.stdout.isatty()) as progress:
            self._learn(has_movies, seed, progress)

        self._title("4. Experiments (people are not told; staff see arms in the request log)")
        experiments.begin(self.stdout.write)

        self._title("5. Recommendations over HTTP")
        with running_server() as base:
            visitors = people.marketplace_people() + (people.movie_viewers() if has_movies else [])
            for visitor in visitors:
                visits.show(visits.fetch(base, visitor), visitor, self.stdout.write)
        self._tell_experiments()
        self.stdout.write(
            "\n`make serve` leaves the site running on http://localhost:8000/ (API pages at /api/docs/). In a browser: "
            "demo-developer has the password that the first run printed; `manage.py changepassword viewer-1` gives one "
            "to a viewer of movies, `manage.py createsuperuser` to whoever looks after the admin."
        )

    def _learn(self, has_movies: bool, seed: int, progress: Progress) -> None:
        self._title("2. Export, training, promotion")
        for key, engines in MARKETPLACE.items():
            learning.learn(key, engines, self.stdout.write, progress)
        if has_movies:
            dataset = learning.learn("movies", learning.ALL, self.stdout.write, progress)
            self._title("3. Measured on MovieLens-100k (real data; the marketplace is simulated and proves nothing)")
            promises.measure(dataset, seed, self.stdout.write, progress)

    def _tell_experiments(self) -> None:
        self.stdout.write("\nRunning experiments, enrolled now:")
        for line in experiments.running_lines():
            self.stdout.write(f"  {line}")
        self.stdout.write(
            "`manage.py recommender_work` (or `make beat`) looks at them once a day and takes the steps; `manage.py "
            "recommender_experiment four-groups` prints what was seen; the admin (/admin/recommender_app/experiment/) "
            "pauses, ramps, stops and concludes."
        )

    def _load_movies(self) -> bool:
        """Tell whether MovieLens is there; without its source the demo goes on with the marketplace."""
        try:
            call_command("load_movielens", stdout=self.stdout)
        except CommandError as error:
            self.stdout.write(f"MovieLens is left out: {error}")
            return False
        return True

    def _title(self, text: str) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(f"\n{text}"))
