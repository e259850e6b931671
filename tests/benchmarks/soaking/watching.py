"""What the oldest worker holds: memory, open files, mappings."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

EVERY_SECONDS = 2.0
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Sample:
    """One look at a process: monotonic seconds, own memory in bytes (without mapped files), counts."""

    at: float
    memory: int
    n_files: int
    n_mappings: int


class Watch:
    """Looks at one process every two seconds."""

    def __init__(self, pid: int) -> None:
        self.samples: list[Sample] = []
        self._folder = Path(f"/proc/{pid}")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def memory_slope(self) -> float:
        """Return how much its own memory grows, in MB per minute, once it is warm (last two thirds)."""
        warm = self._warm()
        minutes = np.array([sample.at / 60 for sample in warm])
        return float(np.polyfit(minutes, [sample.memory / 1e6 for sample in warm], 1)[0])

    def growth(self, what: str) -> float:
        """Return by how much a count's median grew from the second third to the last."""
        warm = [getattr(sample, what) for sample in self._warm()]
        half = len(warm) // 2
        return float(np.median(warm[half:]) - np.median(warm[:half]))

    def _warm(self) -> list[Sample]:
        return self.samples[len(self.samples) // 3 :]

    def _run(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            try:
                self.samples.append(self._look())
            except OSError:  # it has died, which the report notices by what is missing
                return

    def _look(self) -> Sample:
        resident, shared = (int(n) for n in (self._folder / "statm").read_text().split()[1:3])
        n_files = len(list((self._folder / "fd").iterdir()))
        n_mappings = (self._folder / "maps").read_text().count("\n")
        return Sample(time.monotonic(), (resident - shared) * PAGE_BYTES, n_files, n_mappings)
