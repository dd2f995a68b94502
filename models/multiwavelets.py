"""Legendre multiwavelets (Alpert): how k polynomials on [0, 1] split into halves, and what the halves add.

    φ_i(x) = √(2i+1)·P_i(2x − 1)  on [0, 1], orthonormal, i < k                      the coarse basis
    e_{h,j}(x) = √2·φ_j(2x − h)  on the half h of 0, 1                               the fine basis
    H_h[i, j] = ⟨φ_i, e_{h,j}⟩,  G_h[i, j] = ⟨ψ_i, e_{h,j}⟩
    ψ_i: what is left of e_{0,i} without its part in the φ and in the ψ before it, of length 1

So [H_0 H_1; G_0 G_1] is orthogonal: x = (even, odd) ↦ (s, d) = (x·Hᵀ, x·Gᵀ) loses nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]


class Filters(NamedTuple):
    """H_0, H_1, G_0, G_1, each [k, k]."""

    low_even: Matrix
    low_odd: Matrix
    high_even: Matrix
    high_odd: Matrix


def legendre_filters(k: int) -> Filters:
    """The filters of k polynomials; entries below 1e-8, which are rounding, are 0."""
    low = np.concatenate([_halves(k, half) for half in (0, 1)], axis=1)
    basis, triangle = np.linalg.qr(np.concatenate([low.T, np.eye(2 * k, k)], axis=1))
    high = (basis * np.sign(np.diag(triangle)))[:, k:].T
    cleaned = (np.where(abs(each) < 1e-8, 0, each) for each in (low[:, :k], low[:, k:], high[:, :k], high[:, k:]))
    return Filters(*cleaned)


def _halves(k: int, half: int) -> Matrix:
    """H_half: integrals over the half of products of degree below 2k, which k Gauss points give exactly."""
    points, weights = np.polynomial.legendre.leggauss(k)
    fine = (points + 1) / 2
    return np.asarray((_phi(k, (fine + half) / 2) * weights / 2) @ _phi(k, fine).T / np.sqrt(2), np.float64)


def _phi(k: int, x: Matrix) -> Matrix:
    """φ_i(x) [k, points]."""
    return np.asarray((np.polynomial.legendre.legvander(2 * x - 1, k - 1) * np.sqrt(2 * np.arange(k) + 1)).T)
