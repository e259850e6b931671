"""Whatever happens to artifacts in whatever order: once repaired, all agree; what is needed is never pruned."""

import shutil
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from recommender_app.artifacts.live_hint import read_live_hint
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings as app_settings
from recommender_app.exceptions import ArtifactError, RecommenderError
from recommender_app.models import ModelVersion, Release
from recommender_app.registry.releases import live_release, promote, roll_back
from recommender_app.registry.retention import present_versions
from recommender_app.training.reconcile import Options, reconcile
from recommender_app.training.retention import prune
from tests.app.registered import BOOKS, ENGINES, candidate

pytestmark = pytest.mark.django_db
AT_ONCE = Options(orphan_seconds=-1.0)
engines = st.sampled_from(sorted(ENGINES))
places = st.integers(0, 9)


class Artifacts(RuleBasedStateMachine):
    """Trainings, promotions, and a disk on which things get lost."""

    def __init__(self):
        super().__init__()
        self.root, self.lost = app_settings.artifact_root, set()
        shutil.rmtree(self.root, ignore_errors=True)
        self.example = transaction.atomic()
        self.example.__enter__()

    def teardown(self):
        """Forget the rows."""
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    @rule(engine=engines)
    def train(self, engine):
        candidate(engine)

    @rule(place=places)
    def promote(self, place):
        versions = list(ModelVersion.objects.order_by("-pk")[:10])
        if versions:
            with suppress(RecommenderError), transaction.atomic():
                promote(versions[place % len(versions)], by="test")

    @rule()
    def roll_back(self):
        with suppress(RecommenderError), transaction.atomic():
            roll_back("books", by="test")

    @rule()
    def grow_old_and_prune(self):
        ModelVersion.objects.update(created_at=timezone.now() - timedelta(hours=2))
        live = live_release("books")
        releases = [release for release in (live, live.previous if live else None) if release]
        needed = {(version.engine, version.name) for release in releases for version in release.versions.all()}
        needed &= self.folders()
        prune("books")
        assert needed <= self.folders()

    @rule(place=places)
    def lose(self, place):
        folders = self.folders()
        if len(folders) > 2:  # or the disk would be taken for one that is not mounted
            engine, name = sorted(folders)[place % len(folders)]
            shutil.rmtree(self.root / "models" / "books" / engine / name)
            self.lost.add((engine, name))

    @rule(engine=engines, number=st.integers(50, 52))
    def leave_behind(self, engine, number):
        with suppress(ArtifactError):
            ArtifactStore(self.root).publish("books", f"{engine}_v{number}", ENGINES[engine], BOOKS)

    @rule(text=st.sampled_from(["", "garbage", '{"release": 9, "versions": {"popular": "popular_v9"}}']))
    def spoil_the_hint(self, text):
        (self.root / "LIVE").mkdir(parents=True, exist_ok=True)
        (self.root / "LIVE" / "books").write_text(text)

    @rule()
    def adopt(self):
        with suppress(RecommenderError):
            reconcile("books", Options(adopt=True))

    @precondition(lambda self: self.root.exists())
    @rule()
    def repair(self):
        rows = {(version.engine, version.name) for version in present_versions("books")}
        if len(rows) > 1 and not rows & self.folders():
            with pytest.raises(ArtifactError, match="is it mounted"):
                reconcile("books", AT_ONCE)
            return
        lines = reconcile("books", AT_ONCE)
        left = [line for line in reconcile("books", AT_ONCE) if not line.endswith("train again")]
        assert left == [], lines
        live = live_release("books")
        members = {(member.engine, member.version.name) for member in live.members.all()} if live else set()
        rows = {(version.engine, version.name) for version in present_versions("books")}
        assert rows - self.folders() <= members & self.lost
        assert self.folders() <= rows
        hint = read_live_hint(self.root, "books")
        assert (hint and set(hint.versions.items())) == (members or None)

    @invariant()
    def one_release_is_live_once_there_is_any(self):
        assert Release.objects.filter(status="live").count() == Release.objects.exists()

    def folders(self):
        """Return (engine, name) of what is on the disk."""
        found = (self.root / "models" / "books").glob("*/*")
        return {(path.parent.name, path.name) for path in found if not path.name.startswith(".")}


def test_no_sequence_of_events_leaves_a_disagreement(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path / "root"), "KEEP_VERSIONS": 1}
    run_state_machine_as_test(
        Artifacts,
        settings=hypothesis_settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
