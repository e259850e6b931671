"""Key columns: binary keys become row numbers without one Python object per row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.ids import IdKind, IdMap


def number_keys(kind: IdKind, keys: NDArray[Any], others: NDArray[Any]) -> tuple[IdMap, NDArray[np.int32]]:
    """Return the sorted map of all keys and the (n,) row of each of ``keys``.

    Hashes with Arrow: memory beyond the arguments is 8 bytes per key and what the distinct keys take.

    Args:
        keys: (n,) int64 or, for ``uuid``, V16: the bytes of the UUID.
        others: keys that are in the map without being numbered.
    """
    import pyarrow as pa

    parts = [_arrow(part) for part in (keys, others) if len(part)]
    if not parts:
        return IdMap.from_values([], kind), np.empty(0, dtype=np.int32)
    encoded = pa.chunked_array(parts).dictionary_encode()
    distinct = encoded.chunk(encoded.num_chunks - 1).dictionary  # the last one holds what all chunks hold
    ids, rows = _sorted_uuids(distinct) if kind == "uuid" else _sorted_ints(distinct)
    return ids, rows[encoded.chunk(0).indices.to_numpy()[: len(keys)]]


def _arrow(keys: NDArray[Any]) -> Any:
    import pyarrow as pa

    if keys.dtype.kind != "V":
        return pa.array(keys)
    data = pa.py_buffer(np.ascontiguousarray(keys).view(np.uint8))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(keys.dtype.itemsize), len(keys), [None, data])


def _sorted_ints(distinct: Any) -> tuple[IdMap, NDArray[np.int32]]:
    keys = distinct.to_numpy(zero_copy_only=False).astype(np.int64)
    order = np.argsort(keys)
    return IdMap("int", keys[order]), _places(order)


def _sorted_uuids(distinct: Any) -> tuple[IdMap, NDArray[np.int32]]:
    data = distinct.buffers()[1]
    halves = np.frombuffer(data, dtype=">u8", count=2 * len(distinct), offset=16 * distinct.offset).reshape(-1, 2)
    order = np.lexsort((halves[:, 1], halves[:, 0]))  # the order of their hexadecimal digits
    digits = halves[order].tobytes().hex().encode("ascii")
    return IdMap("uuid", np.frombuffer(digits, dtype="S32")), _places(order)


def _places(order: NDArray[np.intp]) -> NDArray[np.int32]:
    """Invert a permutation."""
    places = np.empty(len(order), dtype=np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    return places
