"""Small artifacts, and ways to harm them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from recommender_app.artifacts.arrays import sha256_of
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.dataset.ids import IdMap
from recommender_app.engines.confidence import Confidence
from recommender_app.engines.factors import FactorEngine
from recommender_app.engines.popularity import PopularityEngine

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


def popular(n: int = 5) -> tuple[PopularityEngine, IdMap]:
    """Return an engine that likes item 10*n most, and the ids 10, 20, ..., 10*n."""
    return PopularityEngine(np.arange(1, n + 1, dtype=np.float32)), IdMap("int", 10 * np.arange(1, n + 1))


def two_tastes() -> tuple[FactorEngine, IdMap]:
    """Return factors of two tastes: items 1, 2, 3 are sweet, items 4, 5, 6 salty."""
    factors = np.repeat(np.eye(2, dtype=np.float32), 3, axis=0)
    gramian = factors.T.astype(np.float64) @ factors
    engine = FactorEngine(factors, gramian, np.ones(6, dtype=np.float32), 0.1, Confidence(1.0, 0.0, 0.0))
    return engine, IdMap("int", np.arange(1, 7))


def publish_popular(root: Path, version: str = "popular_v1", n: int = 5, **details: Any) -> Path:
    """Publish ``popular`` for the use case ``films``."""
    engine, items = popular(n)
    return ArtifactStore(root).publish("films", version, engine, items, **{"created_at": NOON, **details})


def edit_manifest(folder: Path, **changes: Any) -> None:
    """Change top-level fields of a manifest."""
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def replace_array(folder: Path, name: str, content: bytes, **entry: Any) -> None:
    """Put other bytes in an array's place, with a manifest that vouches for them."""
    path = folder / f"{name}.npy"
    path.write_bytes(content)
    arrays = json.loads((folder / "manifest.json").read_text())["arrays"]
    arrays[name] |= {"size": len(content), "sha256": sha256_of(path), **entry}
    edit_manifest(folder, arrays=arrays)


def npy(header: dict[str, Any], data: bytes = b"") -> bytes:
    """Return a .npy file with any header one likes."""
    text = repr(header).encode("latin1")
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def contents(folder: Path) -> dict[str, bytes]:
    """Return {relative path: bytes} of every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
