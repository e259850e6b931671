"""Leading right singular vectors of a sparse matrix, by randomised subspace iteration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

_OVERSAMPLING = 32  # more directions than asked for: they take the error
_ROUNDS = 4  # each widens the gap to the directions that are not wanted
_SMALLEST = 1e-10  # directions below the root of this part of the longest are float32 noise


def leading_vectors(matrix: sparse.csr_matrix, n_vectors: int, seed: int) -> NDArray[np.float32]:
    """Return (n_columns, r) float32 orthonormal right singular vectors, largest singular value first.

    r is ``n_vectors``, or less where the rank is smaller. Signs are fixed (largest entry positive),
    so that equal seeds give equal bytes on one thread. Halko, Martinsson and Tropp (SIAM Review
    2011), algorithm 4.4; the memory is a few dense (n_columns, r) and (n_rows, r) matrices.
    """
    n_rows, n_columns = matrix.shape
    width = min(n_vectors + _OVERSAMPLING, n_rows, n_columns)
    if n_vectors < 1 or width < 1:
        return np.empty((n_columns, 0), dtype=np.float32)
    basis = np.random.default_rng(seed).standard_normal((n_columns, width), dtype=np.float32)
    transposed = matrix.T.tocsr()
    for _ in range(_ROUNDS):
        basis = _orthonormal(transposed @ (matrix @ basis))
    basis = _orthonormal(basis)
    squares, rotation = _principal_axes(matrix @ basis)
    wanted = np.flatnonzero(squares > _SMALLEST * squares[-1])[::-1][:n_vectors]
    return _with_fixed_signs(basis @ rotation[:, wanted].astype(np.float32))


def _orthonormal(basis: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return an orthonormal basis of the same columns: several times faster than QR on tall matrices."""
    squares, rotation = _principal_axes(basis)
    is_kept = squares > _SMALLEST * squares[-1]
    return basis @ (rotation[:, is_kept] / np.sqrt(squares[is_kept])).astype(np.float32)


def _principal_axes(columns: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eigenvalues, ascending, and eigenvectors of ``columns.T @ columns``, in float64."""
    wide = columns.astype(np.float64)
    squares, rotation = np.linalg.eigh(wide.T @ wide)
    return squares, rotation


def _with_fixed_signs(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    heaviest = np.abs(vectors).argmax(axis=0)
    signs = np.sign(vectors[heaviest, np.arange(vectors.shape[1])])
    return np.ascontiguousarray(vectors * signs, dtype=np.float32)
