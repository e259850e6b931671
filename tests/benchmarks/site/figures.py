"""What the measured site holds: known to the loader and to whoever makes requests, which does not set Django up."""

import os

N_BOOKS = int(os.environ.get("BENCH_BOOKS", "100000"))
N_READERS = N_BOOKS // 5

VISITORS = {"cold": 0, "warm": 10, "hot": 50}  # how many books a visitor of each kind has liked
N_VISITORS = 50  # of each kind, so that no cache holds them all
