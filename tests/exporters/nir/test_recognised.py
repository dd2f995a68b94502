"""Files of every framework's exporter, read by somebody who says nothing about them."""

import warnings
from pathlib import Path

import pytest
from spikeport.exporters import nir_file
from support.nir_matrix import NAMES
from support.nir_peers.cases import CASES, reference, same
from support.nir_peers.sheets import peer_of

EXPORTING = [name for name in NAMES if name not in ("lava", "nengo")]
"""Those that have an exporter of their own."""
TRIED = [case for case in CASES if case.name in ("LIF dense", "CubaLIF dense")]


@pytest.mark.parametrize("case", TRIED, ids=lambda case: case.name)
@pytest.mark.parametrize("name", EXPORTING)
def test_a_foreign_file_is_recognised_and_the_reason_said(name: str, case, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # frameworks warn of much while they are imported
        try:
            peer = peer_of(name)
        except ModuleNotFoundError:
            pytest.skip(f"{name} is not installed on this machine")
        answers = peer.export(case.graph(peer.native), case.inputs(), tmp_path / "a.nir")
    read = nir_file.read(tmp_path / "a.nir")
    assert read.dialect == name
    assert any(line.startswith(f"read as a file of {name}: ") for line in read.remarks)
    if (name, case.name) != ("sinabs", "CubaLIF dense"):  # its exporter drops the currents: docs/nir.md
        assert same(reference(read.graph, case.inputs()), answers)
