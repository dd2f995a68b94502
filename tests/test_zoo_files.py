"""Every network of the zoo as an ONNX file, which runs as the reference does; and as NIR, or refused by a name."""

from pathlib import Path

import numpy as np
import pytest
import spikeport
from spikeport.models.zoo import SPIKING, WHOLE
from spikeport.toolchain.errors import Refused
from spikeport.toolchain.graph import Graph, digest
from spikeport.toolchain.verifying import OnRuntime, verify

STEPS = 4


def inputs(graph: Graph) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: (rng.random((STEPS, 1, *graph.signals[name].shape)) < 0.3).astype(float) for name in graph.inputs}


@pytest.mark.parametrize("unroll", [None, "scan"])
@pytest.mark.parametrize("name", WHOLE)
def test_it_is_an_onnx_file_and_back(name: str, unroll: str | None, tmp_path: Path) -> None:
    graph = spikeport.load(name)
    spikeport.save(graph, tmp_path / "net.onnx", unroll=unroll)
    again = spikeport.load(tmp_path / "net.onnx")
    assert digest(again) == digest(graph)
    assert unroll or verify(graph, OnRuntime(again), inputs(graph))


@pytest.mark.parametrize("name", WHOLE)
def test_it_is_a_nir_file_and_back_where_it_spikes(name: str, tmp_path: Path) -> None:
    graph = spikeport.load(name)
    if name in SPIKING:
        spikeport.save(graph, tmp_path / "net.nir")
        assert verify(graph, spikeport.load(tmp_path / "net.nir"), inputs(graph)).exact
        return
    with pytest.raises(Refused, match="relu"):
        spikeport.save(graph, tmp_path / "net.nir")
    assert not list(tmp_path.iterdir())
