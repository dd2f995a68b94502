"""Graphs made sayable: every change keeps the spikes, and is said."""

from dataclasses import replace

import numpy as np
import pytest
from spikeport.exporters.nir.dialects import dialect
from spikeport.exporters.nir.dialects.preparing import loops_without_bias, one_threshold, reset_to_zero, shifted
from spikeport.toolchain.graph import replace_graph
from spikeport.toolchain.graph.nodes import IF, AveragePool, Conv, Firing
from support.nir_peers import CASES, Manner, reference, same

NAMED = {case.name: case for case in CASES}


@pytest.mark.parametrize("name", ["norse", "snntorch"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_prepared_answers_the_same(case, name: str) -> None:
    """The gains are those of neither: 1 for Norse, 1 − β for snnTorch."""
    graph = case.graph(Manner(gain="one" if name == "norse" else "leak"))
    prepared, lines = dialect(name).prepare(graph)
    assert same(reference(prepared, case.inputs()), reference(graph, case.inputs()))
    assert bool(lines) == (prepared is not graph)


def test_a_reset_becomes_0() -> None:
    graph = NAMED["LIF dense, v_reset"].graph(Manner())
    prepared, lines = reset_to_zero(graph)
    assert lines == ("neurons, neurons_2: voltages counted from v_reset, which becomes 0",)
    assert not any(node.v_reset.any() for node in prepared.nodes.values() if isinstance(node, Firing))
    assert shifted(IF(v_reset=0.5, threshold=2.0)).threshold == 1.5


def test_a_neuron_that_sends_its_voltage_is_left_alone() -> None:
    graph = NAMED["LIF dense, v_reset"].graph(Manner())
    loud = replace_graph(graph, nodes={**graph.nodes, "neurons_2": replace(graph.nodes["neurons_2"], emit="voltage")})
    assert reset_to_zero(loud)[1] == ("neurons: voltages counted from v_reset, which becomes 0",)
    assert dialect("norse").prepare(loud)[0].nodes["neurons_2"] is loud.nodes["neurons_2"]


def test_the_bias_of_a_loop_moves_to_what_it_is_added_to() -> None:
    case = NAMED["LIF recurrent"]
    graph = case.graph(Manner())
    biased = replace_graph(graph, nodes={**graph.nodes, "back": replace(graph.nodes["back"], bias=np.full(5, 0.25))})
    prepared, lines = loops_without_bias(biased)
    assert lines == ("back: its bias moved into dense",)
    assert prepared.nodes["back"].bias is None
    assert same(reference(prepared, case.inputs()), reference(biased, case.inputs()))
    assert not same(reference(prepared, case.inputs()), reference(graph, case.inputs()))


def test_thresholds_of_a_loop_move_into_all_its_weights() -> None:
    case = NAMED["LIF recurrent"]
    graph = case.graph(Manner())
    own = replace(graph.nodes["neurons"], threshold=np.linspace(0.9, 1.1, 5))
    other = replace_graph(graph, nodes={**graph.nodes, "neurons": own})
    prepared, lines = one_threshold(other)
    assert lines == ("neurons: one threshold for all neurons, with the weights of dense, back scaled for it",)
    assert same(reference(prepared, case.inputs()), reference(other, case.inputs()))


def test_thresholds_behind_a_convolution_have_to_agree_in_every_place() -> None:
    graph = NAMED["LIF conv"].graph(Manner())
    node, conv = graph.nodes["neurons"], graph.nodes["conv"]
    places = replace(node, threshold=np.linspace(0.9, 1.1, 120).reshape(4, 6, 5))
    assert one_threshold(replace_graph(graph, nodes={**graph.nodes, "neurons": places}))[1] == ()
    channels = replace(node, threshold=np.linspace(0.9, 1.1, 4)[:, None, None] * np.ones((4, 6, 5)))
    prepared, _ = one_threshold(replace_graph(graph, nodes={**graph.nodes, "neurons": channels}))
    assert not np.array_equal(prepared.nodes["conv"].weight, conv.weight)
    assert not np.ptp(prepared.nodes["neurons"].threshold)


def test_pools_and_groups_are_written_out_for_norse() -> None:
    pooled, lines = dialect("norse").prepare(NAMED["LIF conv, average pool"].graph(Manner()))
    assert not any(isinstance(node, AveragePool) for node in pooled.nodes.values())
    assert "pool: the pool is written as a convolution with constant weights" in lines
    grouped, lines = dialect("snntorch").prepare(NAMED["LIF conv, grouped"].graph(Manner(gain="one")))
    assert lines == ("conv: groups written out, with zeros between them",)
    conv = grouped.nodes["conv"]
    assert isinstance(conv, Conv)
    assert conv.groups == 1
    assert not conv.weight[:2, 1].any()
