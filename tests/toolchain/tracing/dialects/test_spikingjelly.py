from __future__ import annotations

import pytest
from spikeport.toolchain.tracing.dialects import spikingjelly as dialect
from support.dialects import Case, check
from support.spikingjelly_cases import cases

CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_same_spikes(case: Case):
    check(case)


def test_every_row_is_tested():
    assert {case.row for case in CASES} == {name.rsplit(".", 1)[1] for name in dialect.ROWS}
