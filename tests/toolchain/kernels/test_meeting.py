"""Values that are not 0, by row and by column of each matrix of a batch, against numpy."""

import numpy as np
import pytest
from spikeport.toolchain.kernels.meeting import columns, rows


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 7), (40, 60, 50), (2, 0, 3), (2, 3, 0)])
@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int64, np.bool_])
@pytest.mark.parametrize("whole", [False, True])
def test_rows_and_columns(shape, kind, whole):
    rng = np.random.default_rng(sum(shape))
    x = (rng.integers(-3, 4, shape) * (rng.random(shape) < 0.5)).astype(kind)
    wanted = np.abs(x.astype(np.int64)) if whole else (x != 0).astype(np.int64)
    for count, axis in ((columns, 1), (rows, 2)):
        found, nans = count(x, whole=whole)
        assert np.array_equal(found, wanted.sum(axis))
        assert nans == 0


def test_what_is_no_number_is_told():
    x = np.ones((4, 3, 5), np.float32)
    x[1, 2, 3] = x[3, 0, 0] = np.nan
    assert columns(x)[1] == rows(x)[1] == 2
