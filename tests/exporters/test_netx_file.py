"""Chip graphs as netx files and back: the same bytes, names and function; and what no file can hold, refused."""

import itertools
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.exporters.netx_file import read, read_with_remarks, write
from spikeport.exporters.netx_loading import Loading
from spikeport.exporters.netx_writer import netx_file, write_file
from spikeport.toolchain.errors import FileError, Refused
from spikeport.toolchain.graph import Wire, later
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import (
    LIF,
    RF,
    ChipInput,
    ChipOutput,
    Conv,
    DelayDense,
    Delta,
    Dense,
    GradedVec,
    LIFReset,
    Port,
    Shaped,
    SigmaDelta,
    TernaryLIF,
)
from support.by_steps import run_by_steps
from support.netx_raw import read_here
from support.random_netx import random_inputs, random_netx

MATRIX = np.array([[100, -20, 6], [2, 44, -126], [0, 6, 8], [-90, 10, 254]])
NEURON = LIF(current_decay=100, voltage_decay=200, threshold=30)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000))
def test_a_chip_graph_comes_back_from_its_file_and_gives_the_same_bytes_again(tmp_path_factory, seed):
    folder = tmp_path_factory.mktemp("netx")
    chip = random_netx(seed)
    file = netx_file(chip)
    write_file(file, folder / "a.net")
    back, remarks = read_here(folder / "a.net")
    again = netx_file(back)
    write_file(again, folder / "b.net")
    assert (folder / "a.net").read_bytes() == (folder / "b.net").read_bytes()
    assert (list(back.nodes), dict(back.wires)) == (list(chip.nodes), dict(chip.wires))
    assert (back.name, back.dt, dict(back.notes)) == (chip.name, chip.dt, dict(chip.notes))
    assert not [line for line in remarks if "eight bits" not in line and "decays anew" not in line]
    inputs = random_inputs(chip, seed, 12, 2)
    before, after = run_by_steps(chip, inputs), run_by_steps(back, inputs)
    # A network that feeds itself may grow up to what the writer has said can wrap.
    safe = min((int(line.split("beyond ")[1].split()[0]) for line in file.remarks if "can wrap" in line), default=None)
    if safe is None or max(np.abs(values).max() for values in before.values()) <= safe:
        for name in (*chip.neurons, *chip.outputs):
            np.testing.assert_array_equal(after[name], before[name])


def chip(*layers, shape=(3,), carries="spikes", wires=None, **more):
    """A chain of nodes by name, with other wires where they are given."""
    nodes = {"in": ChipInput(shape, carries), **dict(layers), "out": ChipOutput(), **more}
    names = list(nodes)
    chained = {}
    for before, name in itertools.pairwise(names):
        synapse = nodes[name].role == "synapse"
        chained[name] = (later(before) if synapse else Wire(before),)
    return ChipGraph(nodes, {**chained, **(wires or {})}, name="net")


def test_write_and_read_are_whole_and_say_how_the_loader_is_called(tmp_path):
    reset = {"current_decay": 0, "voltage_decay": 1, "threshold": 9, "interval": 8}
    layers = [("a", Dense(weight=MATRIX, message_bits=8)), ("n", LIFReset(**reset, offset=4))]
    layers += [("b", Dense(weight=MATRIX.T)), ("m", LIFReset(**reset, offset=5))]
    network = chip(*layers, carries="int[-9,9]")
    remarks = write(network, tmp_path / "net.net")
    assert remarks == ("lava-dl's loader has to be called with input_message_bits=8, reset_interval=8, reset_offset=3",)
    back, found = read_with_remarks(tmp_path / "net.net")
    assert found == ()
    assert isinstance(back.nodes["m"], LIFReset)
    assert (back.nodes["m"].interval, back.nodes["m"].offset) == (8, 5)
    assert isinstance(read(tmp_path / "net.net", Loading(input_message_bits=8)).nodes["m"], LIF)


def test_the_file_is_the_one_that_slayer_writes(tmp_path):
    layers = [("conv", Conv(weight=np.ones((2, 3, 3, 2)).astype(int), padding=(1, 0), groups=1)), ("n", NEURON)]
    layers += [("flat", Shaped((32,))), ("d", Dense(weight=np.arange(64).reshape(2, 32))), ("m", NEURON)]
    write(chip(*layers, shape=(3, 4, 5)), tmp_path / "net.net")
    with h5py.File(tmp_path / "net.net") as file:
        kinds = [file[f"layer/{index}/type"][0].decode() for index in range(4)]
        assert kinds == ["input", "conv", "flatten", "dense"]
        assert file["layer/1/shape"][()].tolist() == [2, 4, 4]
        assert file["layer/1/padding"][()].tolist() == [1, 0]
        assert {k: file[f"layer/3/neuron/{k}"][()] for k in file["layer/3/neuron"]} == {
            "type": b"CUBA", "iDecay": 100, "vDecay": 200, "vThMant": 30, "refDelay": 1, "gradedSpike": False,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("weight", "exponent"),
    [
        ([[3, -5]], 0),
        ([[250, 3]], 0),
        ([[2, -6]], -1),
        ([[1, 3]], 4),
        ([[254, -254]], 0),
        ([[-3, 0]], 1),
        ([[5, -9]], 3),
    ],
)
def test_weights_come_back_as_what_the_synapse_holds(tmp_path, weight, exponent):
    node = Dense(weight=np.array(weight), exponent=exponent)
    write(chip(("d", node), ("n", NEURON), shape=(2,)), tmp_path / "net.net")
    back = read(tmp_path / "net.net").nodes["d"]
    assert (back.held * 2.0**back.exponent).tolist() == (node.held * 2.0**exponent).tolist()


DENSE = ("d", Dense(weight=MATRIX))
CODED = {"threshold": 1, "spike_exponent": 6, "state_exponent": 6}
SPLIT = {"other": (later("in"),), "o": (Wire("other"),), "out": (Wire("n"),), "out2": (Wire("o"),)}
BRANCH = {"other": Dense(weight=MATRIX), "o": NEURON, "out2": ChipOutput()}
REFUSED = {
    "zeros": ([("d", Dense(weight=np.zeros((4, 3), int))), ("n", NEURON)], {}, "d: all weights are zero"),
    "fractions": ([("d", Dense(weight=MATRIX, exponent=-3)), ("n", NEURON)], {}, "times 2^-3 are no integers"),
    "beyond": ([("d", Dense(weight=MATRIX, exponent=2)), ("n", NEURON)], {}, "weights of -504..1016"),
    "negative": ([("d", Dense(weight=-np.ones((2, 3), int))), ("n", NEURON)], {}, "weight -1 at [0, 0], of which"),
    "a negative power of two": (
        [("d", Dense(weight=np.array([[-4, 0, 0]]))), ("n", NEURON)],
        {},
        "weight -4 at [0, 0]",
    ),
    "kind": ([DENSE, ("n", GradedVec(threshold=3))], {}, "n: a GradedVec; expected LIF"),
    "ternary": ([DENSE, ("n", TernaryLIF(current_decay=1, voltage_decay=1, high=4, low=-4))], {}, "n: a TernaryLIF"),
    "threshold": (
        [DENSE, ("n", LIF(current_decay=1, voltage_decay=1, threshold=[1, 2, 3, 4]))],
        {},
        "n.threshold: several values",
    ),
    "decay": ([DENSE, ("n", LIF(current_decay=[1, 2, 3, 4], voltage_decay=1, threshold=1))], {}, "n.current_decay"),
    "bias": (
        [DENSE, ("n", LIF(current_decay=1, voltage_decay=1, threshold=1, bias=3, bias_exponent=2))],
        {},
        "n.bias: bias·2^exponent that is no multiple of 2^6",
    ),
    "messages": (
        [
            ("d", Dense(weight=MATRIX)),
            ("n", SigmaDelta(threshold=1, state_exponent=6)),
            ("e", Dense(weight=MATRIX.T)),
            ("m", NEURON),
        ],
        {},
        "e.message_bits: plain spikes of 'n'",
    ),
    "rf": ([DENSE, ("n", RF(cos=3000, sin=900, threshold=64, state_exponent=6))], {}, "n: inputs from the Dense 'd'"),
    "delta": ([DENSE, ("n", Delta(**CODED))], {}, "n: a Delta behind a synapse"),
    "unit": (
        [DENSE, ("n", SigmaDelta(**CODED, activation="unit"))],
        {},
        "n.activation: 'unit'",
    ),
    "cumulative": (
        [DENSE, ("n", SigmaDelta(**CODED, cumulative=True))],
        {},
        "n.cumulative",
    ),
    "state": ([DENSE, ("n", SigmaDelta(threshold=1, state_exponent=3))], {}, "n.state_exponent: 3"),
    "delay": (
        [("d", DelayDense(weight=MATRIX, delay=np.full((4, 3), 63))), ("n", NEURON)],
        {},
        "d.delay: 63 steps; expected at most 62",
    ),
    "axes": ([("d", Shaped((3,), (0,))), ("e", Dense(weight=MATRIX)), ("n", NEURON)], {}, "d: a Shaped"),
    "end": ([DENSE, ("n", NEURON), ("s", Shaped((2, 2)))], {}, "s: a Shaped that is no part of a layer"),
    "branch": (
        [DENSE, ("n", NEURON)],
        {"wires": SPLIT, **BRANCH},
        "out2: one of 2 outputs; expected one. Cut the network into several files: convert --to netx-parts, "
        "or write_parts",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_file_can_hold_is_refused_by_name(tmp_path, case):
    layers, more, message = REFUSED[case]
    with pytest.raises(Refused) as refused:
        write(chip(*layers, **more), tmp_path / "net.net")
    assert message in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_a_sum_of_two_layers_is_refused(tmp_path):
    nodes = {"in": ChipInput((3,)), "a": Dense(weight=MATRIX), "b": Dense(weight=MATRIX), "p": Port(), "n": NEURON}
    wires = {
        "a": (later("in"),),
        "b": (later("in"),),
        "p": (Wire("a"), Wire("b")),
        "n": (Wire("p"),),
        "out": (Wire("n"),),
    }
    with pytest.raises(Refused, match="p: a sum of 'a', 'b'; expected one Dense from the layer before"):
        write(ChipGraph({**nodes, "out": ChipOutput()}, wires), tmp_path / "net.net")
    more = {name: Dense(weight=MATRIX) for name in "cdefg"}
    wires |= {name: (later("in"),) for name in more} | {"p": tuple(Wire(name) for name in "abcdefg")}
    with pytest.raises(Refused, match="p: a sum of 'a', 'b', 'c' and 4 more; expected one Dense"):
        write(ChipGraph({**nodes, **more, "out": ChipOutput()}, wires), tmp_path / "net.net")


def test_resets_that_no_argument_of_the_loader_gives_are_refused(tmp_path):
    reset = {"current_decay": 0, "voltage_decay": 1, "threshold": 9, "interval": 8}
    layers = [
        DENSE,
        ("n", LIFReset(**reset, offset=4)),
        ("b", Dense(weight=MATRIX.T)),
        ("m", LIFReset(**reset, offset=4)),
    ]
    with pytest.raises(Refused, match="m: offset 4; expected every 8 steps, each layer one step after"):
        write(chip(*layers), tmp_path / "net.net")
    with pytest.raises(Refused, match="m: no reset, beside layers that are reset"):
        write(chip(*layers[:3], ("m", NEURON)), tmp_path / "net.net")


def test_all_reasons_come_at_once(tmp_path):
    layers = [
        ("d", Dense(weight=np.zeros((4, 3), int))),
        ("n", TernaryLIF(current_decay=1, voltage_decay=1, high=4, low=0)),
    ]
    layers += [("b", Dense(weight=MATRIX.T)), ("m", GradedVec(threshold=1))]
    with pytest.raises(Refused) as refused:
        write(chip(*layers), tmp_path / "net.net")
    assert len(refused.value.reasons) == 2


def test_what_the_loader_adds_up_in_another_form_is_said(tmp_path):
    layers = [("c", Delta(**CODED))]
    layers += [("d", Dense(weight=np.array([[6, -6, 6]]), message_bits=16))]
    layers += [("n", SigmaDelta(**CODED))]
    (remark,) = write(chip(*layers, carries="int[-300,300]"), tmp_path / "net.net")
    assert remark.startswith("d: in the loader's form, payloads beyond ")


def test_a_place_that_cannot_be_written_is_one_message(tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        write(chip(DENSE, ("n", NEURON)), Path(tmp_path / "none" / "net.net"))


def test_a_layer_that_two_layers_read_is_a_branch(tmp_path):
    nodes = {"in": ChipInput((3,)), "a": Dense(weight=MATRIX), "n": NEURON, "b": Dense(weight=MATRIX.T), "m": NEURON}
    nodes |= {"c": Dense(weight=MATRIX.T), "o": NEURON, "out": ChipOutput()}
    wires = {"a": (later("in"),), "n": (Wire("a"),), "b": (later("n"),), "m": (Wire("b"),), "c": (later("n"),)}
    with pytest.raises(Refused) as refused:
        write(ChipGraph(nodes, {**wires, "o": (Wire("c"),), "out": (Wire("m"),)}), tmp_path / "net.net")
    assert "n: it is read by 'm', 'o'; expected one layer after it: a netx file is a chain" in str(refused.value)
    assert "o: nobody reads it; expected a chain up to the output" in str(refused.value)


def test_a_flattening_that_two_layers_read_is_a_branch(tmp_path):
    nodes = {"in": ChipInput((1, 2, 2)), "f": Shaped((4,)), "a": Dense(weight=MATRIX.T), "n": NEURON}
    nodes |= {"b": Dense(weight=MATRIX.T), "m": NEURON, "out": ChipOutput()}
    wires = {"f": (Wire("in"),), "a": (later("f"),), "b": (later("f"),), "n": (Wire("a"),), "m": (Wire("b"),)}
    with pytest.raises(Refused, match="f: a Shaped that is no part of a layer"):
        write(ChipGraph(nodes, {**wires, "out": (Wire("n"),)}), tmp_path / "net.net")


def same_function(tmp_path, network):
    write(network, tmp_path / "net.net")
    back = read(tmp_path / "net.net")
    inputs = random_inputs(network, 3, 20, 2)
    before, after = run_by_steps(network, inputs), run_by_steps(back, inputs)
    for name in network.neurons:
        np.testing.assert_array_equal(after[name], before[name])
    assert any(np.any(before[name]) for name in network.neurons)


def test_another_state_exponent_of_resonators_goes_into_the_weights(tmp_path):
    nodes = {"in": ChipInput((3,)), "re": Dense(weight=MATRIX // 16), "im": Dense(weight=-MATRIX // 16)}
    nodes |= {"n": RF(cos=3600, sin=900, threshold=700, state_exponent=9), "out": ChipOutput()}
    wires = {"re": (later("in"),), "im": (later("in"),), "n": (Wire("re"), Wire("im")), "out": (Wire("n"),)}
    same_function(tmp_path, ChipGraph(nodes, wires))


def test_layers_with_several_spike_exponents_share_one(tmp_path):
    layers = [("c", Delta(threshold=2, spike_exponent=3, state_exponent=6))]
    layers += [("d", Dense(weight=MATRIX, message_bits=16))]
    layers += [("n", SigmaDelta(threshold=3, bias=[1, -2, 3, 4], spike_exponent=5, state_exponent=6))]
    same_function(tmp_path, chip(*layers, carries="int[-300,300]"))
    layers[-1] = ("n", SigmaDelta(threshold=3, spike_exponent=2, state_exponent=6))
    with pytest.raises(Refused, match=r"n\.threshold: no whole number at spike_exponent 3"):
        write(chip(*layers, carries="int[-300,300]"), tmp_path / "net.net")


def test_a_bias_at_another_exponent_is_the_same_bias(tmp_path):
    neuron = LIF(current_decay=100, voltage_decay=200, threshold=30, bias=[64, -64, 128, 0], bias_exponent=3)
    same_function(tmp_path, chip(DENSE, ("n", neuron)))
