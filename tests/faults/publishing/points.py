"""The named points of publishing, and how a process is made to die at one of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any


def die(*_args: Any, **_kwargs: Any) -> None:
    """End this process as the kernel does when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


def after(module: Any, name: str) -> None:
    """Have a function of a module kill the process once it has returned."""
    original = getattr(module, name)

    def wrapped(*args: Any, **kwargs: Any) -> None:
        original(*args, **kwargs)
        die()

    setattr(module, name, wrapped)


def _staged() -> None:
    """The files are written, the manifest is not."""
    from recommender_app.artifacts.manifest import Manifest

    Manifest.to_json = die  # type: ignore[method-assign]


def _written() -> None:
    """The manifest is written, nothing has been opened again."""
    from recommender_app.artifacts import store

    store.open_folder = die


def _verified() -> None:
    """Opened and checked, not synced."""
    from recommender_app.artifacts import store

    store.publish_folder = die


def _synced() -> None:
    """The files are on the disk, the folder has no name yet: the last sync before the rename is the folder's own."""
    from recommender_app.dataset import staging

    original = staging.sync

    def sync(path: Any) -> None:
        original(path)
        if path.name.startswith(staging.PREFIX):
            die()

    staging.sync = sync


def _renamed() -> None:
    """The folder has its name, which may not be on the disk yet; there is no row."""
    from recommender_app.dataset import staging

    original = staging.sync

    def sync(path: Any) -> None:
        if path.name == "popular":  # the parent of the versions
            die()
        original(path)

    staging.sync = sync


def _inserted() -> None:
    """The row is inserted, the transaction is open."""
    from recommender_app.training import publishing

    after(publishing, "register_version")


def _finished() -> None:
    """The run has ended, the transaction is open."""
    from recommender_app.training import publishing

    after(publishing, "finish_run")


def _committed() -> None:
    """The version is registered, nobody has promoted it."""
    from recommender_app.training import publishing

    publishing.storage.store = die


def _promoting() -> None:
    """The new release is written, the transaction is open."""
    from recommender_app.registry import releases

    after(releases, "settle_versions")


def _promoted() -> None:
    """The new release is live, the hint names the one before."""
    from recommender_app.registry import live

    live.write_live_hint = die


def _hint_staged() -> None:
    """The new hint is written beside the old one."""
    from recommender_app.artifacts import live_hint

    after(live_hint, "_write")


def _hinted() -> None:
    """Everything is done."""
    from recommender_app.registry import live

    after(live, "write_live_hint")


POINTS: dict[str, Callable[[], None]] = {
    "staged": _staged,
    "written": _written,
    "verified": _verified,
    "synced": _synced,
    "renamed": _renamed,
    "row inserted": _inserted,
    "run finished": _finished,
    "committed": _committed,
    "release inserted": _promoting,
    "promoted": _promoted,
    "hint staged": _hint_staged,
    "hint written": _hinted,
}
