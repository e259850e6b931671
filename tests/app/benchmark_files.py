"""Tiny folders of CSV files: the toy of the core tests as a benchmark finds it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

from tests.core.toys import COLOURS, GROUP, N_USERS, hidden_item, liked_items


def write(path: Path, header: str, rows: list[tuple]) -> Path:
    """Write a gzipped CSV file."""
    lines = [header, *(",".join(map(str, row)) for row in rows)]
    path.write_bytes(gzip.compress("\n".join(lines).encode() + b"\n"))
    return path


def likes() -> list[tuple[int, int]]:
    """Return what the toy users liked."""
    return [(user, item) for user in range(N_USERS) for item in liked_items(user)]


def published(folder: Path, name: Callable[[int], object] = int) -> Path:
    """Write a published split whose test part is each user's hidden item; ``name`` makes ids of rows."""
    folder.mkdir(exist_ok=True)
    write(folder / "train.csv.gz", "user_id,item_id", [(name(user), name(item)) for user, item in likes()])
    hidden = [(name(user), name(hidden_item(user))) for user in range(N_USERS)]
    write(folder / "test.csv.gz", "user_id,item_id", hidden)
    return folder


def with_times(folder: Path) -> Path:
    """Write interactions with times: each user likes one item a day."""
    folder.mkdir(exist_ok=True)
    rows = [
        (user, item, "LIKE", 86_400 * day + 60 * user)
        for user in range(N_USERS)
        for day, item in enumerate(liked_items(user))
    ]
    write(folder / "interactions.csv.gz", "user_id,item_id,event_or_rating,timestamp", rows)
    return folder


def cold(folder: Path) -> Path:
    """Write a split whose test items 100 and 101 are in no training data; 100 is red, 101 says nothing."""
    folder.mkdir(exist_ok=True)
    write(folder / "train.csv.gz", "user_id,item_id", likes())
    write(folder / "test.csv.gz", "user_id,item_id", [(0, 100), (1, 100), (7, 101)])
    items = [(item, f"bright {COLOURS[item // GROUP]}") for item in range(2 * GROUP)]
    write(folder / "items.csv.gz", "item_id,title", [*items, (100, "bright red"), (101, "")])
    return folder
