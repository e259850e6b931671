"""Django storages that misbehave as networks do."""

from __future__ import annotations

import io
import time
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage


class NetworkError(Exception):
    """What a storage library raises: no OSError, no error of Django."""


class FaultyStorage(FileSystemStorage):
    """A folder that breaks as it is told to.

    ``fault`` and ``only`` are the class's: code makes instances of its own.

    Attributes:
        fault: None, refuse, refuse_to_save, truncate, flip, lengthen, vanish, slow or rename.
        only: how the names of the files end that it strikes.
        saved: the names that were stored, in order.
    """

    fault: str | None = None
    only = ""
    root: Path | None = None
    saved: list[str] = []

    def __init__(self) -> None:
        super().__init__(location=self.root)

    def refuse(self, name):
        """Stand for any method while the network is down."""
        raise NetworkError(f"503 Slow Down: {name}")

    def _strikes(self, name: str, *faults: str) -> bool:
        return self.fault in faults and name.endswith(self.only)

    def _open(self, name, mode="rb"):
        if self._strikes(name, "refuse"):
            raise NetworkError("503 Slow Down")
        content = super()._open(name, mode).read()
        if self._strikes(name, "truncate"):
            content = content[:-1]
        elif self._strikes(name, "flip"):
            content = content[:-1] + bytes([content[-1] ^ 1])
        elif self._strikes(name, "lengthen"):
            content += bytes(10_000_000)
        elif self._strikes(name, "vanish"):
            return _Vanishing(content)
        elif self._strikes(name, "slow"):
            time.sleep(0.2)
        return ContentFile(content, name)

    def _save(self, name, content):
        if self._strikes(name, "refuse_to_save", "refuse"):
            raise NetworkError("403 Forbidden")
        self.saved.append(name)
        return super()._save(f"{name}.txt" if self._strikes(name, "rename") else name, content)


class _Vanishing(ContentFile):
    """A connection that breaks after half of a file."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._half = io.BytesIO(content[: len(content) // 2])

    def chunks(self, chunk_size=None):
        yield self._half.read()
        raise NetworkError("Connection reset by peer")
