"""What the tests in this folder share."""

import numba  # noqa: F401  with it in memory every run of a chip graph goes by the kernels
