"""Lines of answers that wait, in memory and then in a temporary file, until they are wanted as objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from tempfile import SpooledTemporaryFile
from typing import Any, Self

from recommender_app.measurement.answer_texts import group_of, unescaped
from recommender_app.measurement.answers import LoggedAnswer, UserAnswers, finite_or_none, in_chunks, only_texts

IN_MEMORY = 16 * 2**20  # bytes


class KeptAnswers:
    """Lines of ``answer_texts``, in the order of user and time."""

    def __init__(self) -> None:
        self._file: Any = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(self, lines: Iterable[bytes]) -> None:
        """Add lines, after those that are there."""
        self._file.writelines(lines)

    def by_user(self) -> Iterator[UserAnswers]:
        """Yield them as ``answers_by_user`` does."""
        self._file.seek(0)
        return in_chunks(map(_answer, self._file))


def _answer(line: bytes) -> LoggedAnswer:
    user_id, moment, reason, latency_ms, diversity, group, request_id, items = line.decode()[:-1].split("\t")
    at = datetime.fromtimestamp(int(moment) / 1e6, UTC)
    numbers = finite_or_none(float(latency_ms)), finite_or_none(float(diversity))
    shown = only_texts(json.loads(unescaped(items)))
    return LoggedAnswer(unescaped(user_id), at, request_id, group_of(group), bool(reason), *numbers, shown)
