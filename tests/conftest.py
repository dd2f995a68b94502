"""What the tests in this folder share."""

from pathlib import Path

import pytest
from spikeport.toolchain.simulate.lava_env import LAVA, install


@pytest.fixture(scope="session")
def lava() -> Path:
    """The Python of Lava's environment; made the first time on a machine, and kept in the user's cache folder."""
    return install(LAVA).python
