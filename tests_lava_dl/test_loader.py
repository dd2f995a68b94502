"""Files loaded by lava-dl's own loader and run by Lava: every layer does what the chip graph does."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from loading import Load, Ran, run_loader, slayer_networks
from spikeport.exporters.netx_chain import chain_of
from spikeport.exporters.netx_loading import Loading
from spikeport.exporters.netx_parts import write_parts
from spikeport.exporters.netx_weights import NotLoaded, loaded
from spikeport.exporters.netx_writer import netx_file, write_file
from spikeport.toolchain.errors import FileError
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import LIF, LIFReset, Shaped
from spikeport.toolchain.simulate.lava_env import LAVA_DL, look
from support.branched import branched
from support.by_steps import run_by_steps
from support.netx_cases import FAILS, READ_WITHOUT_A_WORD, REMARKS, STRICTER
from support.netx_raw import raw, read_here
from support.random_netx import random_inputs, random_netx

RANDOM, SLAYER, PARTS = 130, 36, 8
STEPS, BATCH = 20, 2
OWN = {
    "tiny.net": {},
    "mnist.net": {},
    "gts/ntidigits/ntidigits.net": {"num_layers": 5},
    "gts/pilotnet_sdnn/network.net": {},
}
"""Files that lava-dl's wheel brings for its tests, and how they are loaded."""
CASES = {**READ_WITHOUT_A_WORD, **REMARKS, **FAILS}


@dataclass(frozen=True, eq=False)
class Case:
    """A file that the loader has run.

    Args:
        chip: what it should be; None where ours refuses it.
        inputs: of the chip graph.
        found: what the loader's network did, or why the loader failed.
        remarks: what ours says of it.
    """

    chip: ChipGraph | None
    inputs: dict[str, np.ndarray]
    found: Sequence[Ran] | str
    remarks: tuple[str, ...] = ()


def turned(values: np.ndarray) -> np.ndarray:
    """[T, B, channels, height, width] as [T, B, width, height, channels], and back."""
    return values.transpose(0, 1, *range(values.ndim - 1, 1, -1))


def in_loader_axes(chip: ChipGraph, values: np.ndarray) -> np.ndarray:
    """The input as the loader's network takes it: (width, height, channels), or flat before a dense layer."""
    readers = [name for name, wires in chip.wires.items() if any(wire.source == chip.inputs[0] for wire in wires)]
    flat = all(isinstance(chip.nodes[reader], Shaped) for reader in readers)
    return values.reshape(*values.shape[:2], -1) if flat else turned(values)


def exported(folder: Path) -> dict[str, tuple]:
    """Random chip graphs, as files."""
    found = {}
    for seed in range(RANDOM):
        chip, path = random_netx(seed), folder / f"random{seed}.net"
        file = netx_file(chip)
        write_file(file, path)
        found[f"random{seed}"] = (path, file.kept.loading.arguments(), chip, ())
    write_parts(branched(), folder)
    for index in range(PARTS):
        path = folder / f"net.{index}.net"
        found[f"part{index}"] = (path, {}, *read_here(path))
    return found


def foreign(folder: Path) -> dict[str, tuple]:
    """Files of lava-dl and of slayer, and made ones, as our reader reads them."""
    package = next((look(LAVA_DL).folder / "lib").glob("python*/site-packages/tests/lava/lib/dl/netx"))
    files = {f"own {name}": (package / name, load) for name, load in OWN.items()}
    slayer_networks(folder, SLAYER)
    for index in range(SLAYER):
        load = json.loads((folder / f"{index}.json").read_text())["load"]
        files[f"slayer{index}"] = (folder / f"{index}.net", load)
    for index, (name, layers) in enumerate(CASES.items()):
        sdnn = any("SDNN" in str(layer.get("neuron")) for layer in layers)
        files[name] = (raw(folder / f"case{index}.net", *layers), {"input_message_bits": 16} if sdnn else {})
    found = {}
    for name, (path, load) in files.items():
        try:
            found[name] = (path, load, *read_here(path, Loading(**load)))
        except FileError as error:
            found[name] = (path, load, None, (str(error),))
    return found


@pytest.fixture(scope="session")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    """All files, run by as few processes as there are cores: to import lava-dl takes longer than many files."""
    folder = tmp_path_factory.mktemp("files")
    files = {**exported(folder), **foreign(folder)}
    loads, inputs = [], {}
    for index, (name, (path, load, chip, _)) in enumerate(files.items()):
        inputs[name] = {} if chip is None else random_inputs(chip, index, STEPS, BATCH)
        values = in_loader_axes(chip, inputs[name][chip.inputs[0]]) if chip is not None else np.ones((2, 1, 3))
        loads.append(Load(path, values, load))
    found = run_loader(loads)
    return {
        name: Case(files[name][2], inputs[name], ran, files[name][3]) for name, ran in zip(files, found, strict=True)
    }


def differing(case: Case) -> list[str]:
    """The layers whose neurons do something else in the loader's network: what they send, or where it is read v."""
    if isinstance(case.found, str) or case.chip is None:
        return [f"the loader: {case.found}", f"ours: {case.remarks}"]
    sent = run_by_steps(case.chip, case.inputs)
    names = [block.neuron for block in chain_of(case.chip)]
    if len(names) != len(case.found):
        return [f"{len(case.found)} layers for {len(names)}"]
    return [
        name
        for name, ran in zip(names, case.found, strict=True)
        if not np.array_equal(turned(handed(case.chip, name, ran)), sent[name])
    ]


def handed(chip: ChipGraph, name: str, ran: Ran) -> np.ndarray:
    node = chip.nodes[name]
    return ran.voltages if isinstance(node, (LIF, LIFReset)) and node.emit == "voltage" else ran.sent


@pytest.mark.parametrize("index", range(PARTS))
def test_a_part_of_a_network_is_loaded_as_it_was_meant(cases, index):
    assert not differing(cases[f"part{index}"])


@pytest.mark.parametrize("seed", range(RANDOM))
def test_a_file_of_ours_is_loaded_as_it_was_meant(cases, seed):
    assert not differing(cases[f"random{seed}"])


def test_the_random_files_have_every_kind_of_layer_and_neuron_and_something_happens(cases):
    ours = [case for name, case in cases.items() if name.startswith("random")]
    kinds = {node.kind for case in ours for node in case.chip.nodes.values()}
    assert kinds >= {"Conv", "Dense", "DelayDense", "LIF", "LIFReset", "Delta", "SigmaDelta", "Sigma", "RF", "RF_IZ"}
    silent = [case for case in ours if not any(np.any(ran.sent) for ran in case.found)]
    assert len(silent) < len(ours) / 10
    assert sum(isinstance(case.found, list) for case in ours) >= 100


@pytest.mark.parametrize("name", [*(f"own {name}" for name in OWN), *(f"slayer{index}" for index in range(SLAYER))])
def test_a_file_of_lava_dls_is_read_as_the_loader_builds_it(cases, name):
    assert not differing(cases[name])


@pytest.mark.parametrize("name", [*READ_WITHOUT_A_WORD, *REMARKS])
def test_what_the_loader_makes_of_odd_files_is_what_we_read(cases, name):
    assert not differing(cases[name])


@pytest.mark.parametrize("name", FAILS)
def test_where_we_say_that_the_loader_fails_it_does(cases, name):
    assert isinstance(cases[name].found, str) or any(part in name for part in STRICTER)


def test_our_account_of_the_weights_is_the_loaders(tmp_path):
    rng = np.random.default_rng(0)
    matrices = []
    for _ in range(3000):
        low, high = sorted(rng.integers(*[(-300, 300), (-9, 9), (0, 260), (-260, 1)][rng.integers(4)], 2))
        matrices.append(rng.integers(low, high + 1, (2, 3)) * int(rng.choice([1, 1, 2, 16])))
    np.save(tmp_path / "in.npy", np.stack(matrices))
    code = Path(__file__).with_name("loader_weights.py")
    subprocess.run([look(LAVA_DL).python, "-I", code, tmp_path], check=True, capture_output=True)
    weights, numbers = np.load(tmp_path / "weights.npy"), np.load(tmp_path / "numbers.npy")
    for matrix, weight, (bits, exponent, works) in zip(matrices, weights, numbers, strict=True):
        try:
            form = loaded(matrix)
        except NotLoaded:
            assert not works
            continue
        assert works
        assert (form.bits, form.exponent) == (bits, exponent), matrix
        np.testing.assert_array_equal(form.weight, weight)
