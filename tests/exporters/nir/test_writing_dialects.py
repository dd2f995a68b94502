"""In every dialect: what is written is read again as what was written, and computes what the network does."""

import itertools

import numpy as np
import pytest
from spikeport.exporters.nir.dialects import DIALECTS
from spikeport.exporters.nir.objects import graph_object
from spikeport.exporters.nir.reading import from_nir
from spikeport.exporters.nir.writing import to_tree
from spikeport.toolchain.errors import Refused
from spikeport.toolchain.graph import Graph, GraphBuilder, Node, later
from spikeport.toolchain.graph.nodes import IF, LIF, Add, Affine, AveragePool, Conv, CubaLIF, Flatten, Input, Output
from spikeport.toolchain.graph.text import diff
from spikeport.toolchain.passes import make
from support.same_function import same_or_unsteady

DECAYS = {IF: {}, LIF: {"beta": 0.75}, CubaLIF: {"alpha": 0.5, "beta": 0.75}}
"""Decays that 12 bits hold, for chips."""
RESETS = [("value", "now"), ("subtract", "now"), ("subtract", "next")]
CASES = [
    *itertools.product(("dense", "recurrent"), DECAYS, RESETS, (False, True), ("euler", "exact")),
    *itertools.product(("image",), DECAYS, RESETS[:2], (False, True), ("euler",)),
]
STEPS = {"sinabs": 1.0, "snntorch": 1e-4, "spikingjelly": 1e-4, "lava": 1e-4}
NEVER = {"lava"}
"""Takes an input without weights and one gain alone: see its own tests."""


def network(shape: str, neuron: Node, dt: float, rng: np.random.Generator) -> Graph:
    def weight(*sizes: int) -> np.ndarray:
        return (rng.integers(-8, 9, sizes) / 8).astype(np.float32)

    build = GraphBuilder("net", dt)
    last = build.add("in", Input((2, 4, 4) if shape == "image" else (5,), "spikes"))
    if shape == "image":
        last = build.add("conv", Conv(weight(3, 2, 3, 3), weight(3), padding=1), last)
        last = build.add("first", neuron, last)
        last = build.add("pool", AveragePool((2, 2)), last)
        last = build.add("flat", Flatten(), last)
    last = build.add("fc", Affine(weight(4, 12 if shape == "image" else 5), weight(4) / 4), last)
    if shape == "recurrent":
        last = build.add("sum", Add(), last, later("back"))
        build.add("back", Affine(weight(4, 4)), "last")
    build.add("last", neuron, last)
    build.add("out", Output(), "last")
    return build.build()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_written_in_a_dialect_is_read_as_what_was_written(dialect):
    canonicalise, done = make("canonicalise"), set()
    for index, (shape, kind, (reset, when), at_least, rule) in enumerate(CASES):
        neuron = kind(**DECAYS[kind], threshold=0.8, reset=reset, when=when, at_least=at_least, rule=rule)
        graph = network(shape, neuron, STEPS.get(dialect, 1e-3), np.random.default_rng(index))
        try:
            written = to_tree(graph, dialect)
        except Refused:
            continue
        back = from_nir(graph_object(written.tree))
        assert diff(canonicalise(written.graph).graph, canonicalise(back.graph).graph) == "", CASES[index]
        if back.graph.inputs == graph.inputs:
            assert same_or_unsteady(graph, back.graph, index, 1e-4), CASES[index]
        done.add((shape, kind))
    assert bool(done) == (dialect not in NEVER)
