"""What the tests in this folder share."""

import signal
from pathlib import Path

import numba  # noqa: F401 - with it in memory every run of a chip graph goes by the kernels, which are what is tested
import pytest
from spikeport.toolchain.simulate.lava_env import LAVA, install

# What a shell starts in the background has Ctrl-C ignored, and so have its children: what tests stop by it would go on.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def lava() -> Path:
    """The Python of Lava's environment; made the first time on a machine, and kept in the user's cache folder."""
    return install(LAVA).python
