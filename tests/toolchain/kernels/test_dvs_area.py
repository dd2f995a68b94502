"""Pictures on coarser grids: means over areas, as products with the shares of rows and columns."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.kernels.dvs_area import area_mean

SIDE = st.integers(1, 40)


def shares(old: int, new: int) -> np.ndarray:
    """[new, old]: the share of each old row in each new one."""
    edges = np.linspace(0, old, new + 1)
    low, high = np.maximum(edges[:-1, None], np.arange(old)), np.minimum(edges[1:, None], np.arange(1, old + 1))
    return np.maximum(high - low, 0) * new / old


@settings(max_examples=40, deadline=None)
@given(SIDE, SIDE, SIDE, SIDE, st.integers(0, 99))
def test_each_new_pixel_is_the_mean_of_what_lies_under_it(h: int, w: int, rows: int, columns: int, seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 256, (h, w), dtype=np.uint8)
    table = np.random.default_rng(seed + 1).random(256) * 255
    found = area_mean(values, table, (columns, rows))
    np.testing.assert_allclose(found, shares(h, rows) @ table[values] @ shares(w, columns).T, atol=1e-9)


def test_large_pictures_take_all_cores_and_stay_exact() -> None:
    values = np.random.default_rng(0).integers(0, 256, (260, 700), dtype=np.uint16)
    found = area_mean(values, np.arange(256.0), (350, 130))
    np.testing.assert_allclose(found, values.reshape(130, 2, 350, 2).mean((1, 3)), atol=1e-9)
