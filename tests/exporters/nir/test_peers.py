"""Every framework with every network in both directions, and docs/nir.md, which has to say what ran.

lava-dl has an environment of its own, and its tests: tests_lava_dl.
"""

import pytest
from support.nir_matrix import NAMES, OPTIONAL, run
from support.nir_page import check_cells, check_faults, check_page
from support.nir_peers.sheets import Sheet


@pytest.fixture(scope="module", params=[name for name in NAMES if name not in OPTIONAL])
def sheet(request: pytest.FixtureRequest) -> Sheet:
    """What ran of a framework."""
    found = run(request.param)
    if found is None:
        pytest.skip(f"{request.param} is not installed on this machine: what docs/nir.md says of it is not compared")
    return found


def test_every_cell_is_right_or_explained(sheet: Sheet) -> None:
    check_cells(sheet)


def test_every_fault_is_still_there(sheet: Sheet) -> None:
    check_faults(sheet)


def test_the_page_says_what_ran(sheet: Sheet) -> None:
    check_page(sheet)
