"""The vectorised exponential against numpy's in extended precision."""

import numba
import numpy as np
import pytest
from spikeport.toolchain.kernels.exponential import exponential


@numba.njit
def applied(x):
    exponential(x)


@pytest.mark.parametrize(("dtype", "low"), [(np.float32, -87.0), (np.float64, -708.0)])
def test_exponential_is_right_to_the_last_places(dtype, low):
    rng = np.random.default_rng(0)
    x = np.concatenate([-rng.uniform(0, -low, 5000), -rng.exponential(1, 5000), -(10.0 ** -np.arange(20)), [0.0, low]])
    x = x.astype(dtype)
    found = x.copy()
    applied(found)
    exact = np.exp(x.astype(np.longdouble))
    error = np.abs(found - exact) / (exact * np.finfo(dtype).eps)
    assert error.max() < 3
    assert found[-2] == 1


def test_below_the_bound_nothing_but_the_bound():
    for dtype in (np.float32, np.float64):
        x = np.array([-1e4, -np.inf], dtype)
        applied(x)
        assert ((x > 0) & (x < 2e-38)).all()
