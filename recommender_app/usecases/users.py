"""All users of a use case, a few at a time, in the order of their keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from recommender_app.exceptions import ConfigurationError, UserNotFound
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.values import usable_values


@dataclass(frozen=True)
class Shard:
    """One of ``n`` parts that the users are split into, by a hash of the key: the same in every process."""

    number: int = 1
    n: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard of ``2/8``.

        Raises:
            ConfigurationError: it is not of that form.
        """
        number, _, n = text.partition("/")
        if not (number.isdecimal() and n.isdecimal() and 1 <= int(number) <= int(n)):
            raise ConfigurationError(f"A shard is written as 2/8, the second of eight, not {text!r}.")
        return cls(int(number), int(n))

    def holds(self, user_id: Any) -> bool:
        """Return whether a user belongs to this part."""
        return crc32(str(user_id).encode()) % self.n == self.number - 1


def count_users(use_case: UseCase) -> int:
    """Return how many users there are, of all shards."""
    return use_case.users._default_manager.count()


def read_users(use_case: UseCase, shard: Shard, chunk_size: int) -> Iterator[tuple[int, list[Any]]]:
    """Yield (keys looked at, users of the shard among them); two queries for up to ``chunk_size`` users.

    The next chunk starts behind the last key of the one before: users who come or go meanwhile
    make nobody else appear twice or not at all.
    """
    users = use_case.users._default_manager.order_by("pk")
    last = None
    while True:
        rest = users if last is None else users.filter(pk__gt=last)
        keys = list(rest.values_list("pk", flat=True)[:chunk_size])
        if not keys:
            return
        last = keys[-1]
        yield len(keys), find_users(use_case, [key for key in keys if shard.holds(key)])


def find_users(use_case: UseCase, keys: Sequence[Any]) -> list[Any]:
    """Return the users of these keys who exist, in one query, in the order of the keys."""
    found = use_case.users._default_manager.in_bulk(keys) if keys else {}
    return [found[key] for key in keys if key in found]


def named_users(use_case: UseCase, texts: Sequence[str]) -> list[Any]:
    """Return the users of keys written as text, each once.

    Raises:
        UserNotFound: names those who do not exist.
    """
    key = use_case.users._meta.pk
    wanted: dict[Any, str] = {}
    unknown = []
    for text in texts:
        usable = usable_values(key, [text])
        if usable:
            wanted.setdefault(usable[0], text)
        else:
            unknown.append(text)
    users = find_users(use_case, list(wanted))
    found = {user.pk for user in users}
    unknown += [text for value, text in wanted.items() if value not in found]
    if unknown:
        raise UserNotFound(f"{use_case.key} has no users with the keys {', '.join(unknown)}.")
    return users
