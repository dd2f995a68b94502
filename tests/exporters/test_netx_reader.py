"""Netx files of others: what lava-dl's loader makes of them, what it ignores or destroys, and where it fails.

Every row was loaded and run by the loader itself; tests_lava_dl does it again.
"""

import numpy as np
import pytest
from spikeport.exporters.netx_loading import Loading
from spikeport.toolchain.errors import FileError
from spikeport.toolchain.loihi.processes import LIF, RF, RF_IZ, Conv, DelayDense, Delta, Dense, LIFReset, Sigma
from support.netx_cases import FAILS, READ_WITHOUT_A_WORD, REMARKS
from support.netx_raw import (
    IMAGE,
    MATRIX,
    SDNN,
    complex_dense,
    conv,
    dense,
    raw,
    read_here,
)
from support.netx_raw import (
    RF as RF_KEYS,
)

WIDE = np.arange(96).reshape(4, 24) * 2 - 90


@pytest.mark.parametrize("case", READ_WITHOUT_A_WORD)
def test_what_the_loader_takes_as_it_is(tmp_path, case):
    _, remarks = read_here(raw(tmp_path / "net.net", *READ_WITHOUT_A_WORD[case]))
    assert remarks == ()


@pytest.mark.parametrize("remark", REMARKS)
def test_what_the_loader_ignores_or_destroys_is_said(tmp_path, remark):
    _, remarks = read_here(raw(tmp_path / "net.net", *REMARKS[remark]))
    assert [line for line in remarks if line.startswith(remark)], remarks


@pytest.mark.parametrize("message", FAILS)
def test_where_the_loader_fails_one_message_says_so(tmp_path, message):
    with pytest.raises(FileError) as error:
        read_here(raw(tmp_path / "net.net", *FAILS[message]))
    assert message in str(error.value)


def test_the_processes_have_the_integers_that_the_loader_gives_lava(tmp_path):
    chip, _ = read_here(raw(tmp_path / "net.net", dense(weight=MATRIX // 2, bias=[1, -2, 3, 4], delay=[1, 2, 3, 4])))
    synapse, neuron = chip.nodes["layer0.synapse"], chip.nodes["layer0"]
    assert isinstance(synapse, DelayDense)
    assert (synapse.exponent, synapse.bits, synapse.delay[:, 0].tolist()) == (-1, 8, [1, 2, 3, 4])
    assert (synapse.weight == 2 * (MATRIX // 2)).all()
    assert isinstance(neuron, LIF)
    assert (neuron.current_decay, neuron.voltage_decay, neuron.threshold, neuron.bias_exponent) == (1024, 128, 5, 6)
    assert neuron.bias.tolist() == [1, -2, 3, 4]


def test_names_follow_the_layers(tmp_path):
    recurrent = dense(type="dense_rec", weight_rec=2 * np.arange(16).reshape(4, 4) - 14)
    layers = [
        IMAGE,
        conv(),
        {"type": "flatten"},
        dense(weight=WIDE),
        complex_dense() | {"weight/real": np.eye(4), "weight/imag": np.eye(4)},
    ]
    chip, _ = read_here(raw(tmp_path / "net.net", *layers))
    assert list(chip.nodes) == [
        "input", "layer1.synapse", "layer1", "layer3.flat", "layer3.synapse", "layer3",
        "layer4.real", "layer4.imaginary", "layer4", "output",
    ]  # fmt: skip
    chip, _ = read_here(raw(tmp_path / "net.net", recurrent))
    assert list(chip.nodes) == ["input", "layer0.synapse", "layer0.recurrent", "layer0.port", "layer0", "output"]
    assert [type(chip.nodes[name]) for name in ("layer0.recurrent", "layer0")] == [Dense, LIF]


def test_the_arguments_of_the_loader_are_those_of_the_reader(tmp_path):
    path = raw(tmp_path / "net.net", dense(), dense(shape=[3], weight=MATRIX.T))
    chip, _ = read_here(path, Loading(reset_interval=7, reset_offset=2, input_message_bits=8))
    resets = [chip.nodes[name] for name in ("layer0", "layer1")]
    assert [(type(node), node.interval, node.offset) for node in resets] == [(LIFReset, 7, 3), (LIFReset, 7, 4)]
    assert chip.nodes["layer0.synapse"].message_bits == 8
    assert list(read_here(path, Loading(num_layers=1))[0].neurons) == ["layer0"]
    sdnn = raw(tmp_path / "sdnn.net", {"type": "input", "shape": [3], "neuron": SDNN}, dense(neuron=SDNN))
    delta = read_here(sdnn, Loading(spike_exp=2))[0].nodes["layer0"]
    assert isinstance(delta, Delta)
    assert (delta.threshold, delta.spike_exponent, delta.state_exponent) == (3, 2, 6)
    image, _ = read_here(raw(tmp_path / "conv.net", conv()), Loading(input_shape=(5, 5, 3)))
    assert image.signals["input"].shape == (3, 5, 5)
    assert isinstance(image.nodes["layer0.synapse"], Conv)


def test_the_two_kinds_of_resonators(tmp_path):
    for name, kind in (("RF_PHASE", RF), ("RF_IZHIKEVICH", RF_IZ)):
        keys = RF_KEYS | {"type": name, "sinDecay": -900.25, "cosDecay": 3800.25, "vThMant": 1.5}
        node = read_here(raw(tmp_path / "net.net", complex_dense(neuron=keys)))[0].nodes["layer0"]
        assert type(node) is kind
        assert (node.sin, node.cos, node.threshold, node.state_exponent, node.decay_bits) == (-900, 3800, 96, 6, 12)


def test_a_sigma_says_its_sum(tmp_path):
    layer = dense(neuron=SDNN | {"sigma_output": True})
    assert isinstance(read_here(raw(tmp_path / "net.net", layer))[0].nodes["layer0"], Sigma)
