"""Whose a file is, told from its numbers: files as frameworks write them, made here by hand, with the spikes they mean.

The neuron, the input and the spikes are those of the comparison of simulators in the NIR paper (paper/01_lif of its
repository): one LIF with τ = 2.5 ms and θ = 0.1 in steps of 0.1 ms, which there was run by each of these frameworks.
"""

from collections.abc import Callable
from typing import Any

import nir
import numpy as np
import pytest
from spikeport.exporters.nir.reading import Read, from_nir
from spikeport.toolchain.errors import FileError
from spikeport.toolchain.simulate import simulate

DT, TAU, THRESHOLD = 1e-4, 2.5e-3, 0.1
BEATS = [6, 22, 27, 31, 32, 35, 37, 40, 41, 43, *range(44, 54), *range(67, 79), 84, 85]
"""The steps of ten in which a spike comes in, always in the first."""
EXACT, SUBTRACTED = [460, 510, 710, 760], [450, 500, 710, 760]
"""When it fires: reset to 0, by any rule; reset by θ."""
Nodes = dict[str, Any]


def chain(weight: float, neuron: Any, start: str = "input") -> Any:
    """One weight and one neuron."""
    dense = nir.Linear(np.full((1, 1), weight, np.float32))
    return network({"0": dense, "1": neuron}, [(start, "0"), ("0", "1"), ("1", "output")], start)


def network(nodes: Nodes, edges: list[tuple[str, str]], start: str = "input", size: int = 1) -> Any:
    """A graph of NIR with an input and an output of this size, its shapes unchecked."""
    ends = {start: nir.Input(np.array([size])), "output": nir.Output(np.array([size]))}
    return nir.NIRGraph({**ends, **nodes}, edges, type_check=False)


def fields(kind: type = np.float32, size: int = 1, **values: float) -> dict[str, np.ndarray]:
    """Parameters of so many neurons."""
    return {name: np.full(size, value, kind) for name, value in values.items()}


def lif(kind: type = np.float32, *, r: float = 1.0, tau: float = TAU, rest: float = 0.0) -> Any:
    """The paper's neuron."""
    return nir.LIF(**fields(kind, tau=tau, r=r, v_leak=rest, v_threshold=THRESHOLD, v_reset=rest))


def spikes(read: Read) -> list[int]:
    """The steps in which it fires in the paper's experiment."""
    x = np.zeros((1000, 1, 1))
    x[[10 * beat for beat in BEATS]] = 1
    (sent,) = simulate(read.graph, x).outputs.values()
    return [int(step) for step in np.flatnonzero(sent)]


ROCKPOOL_R = TAU * np.exp(-DT / TAU) / DT
PAPER: dict[str, tuple[Callable[[], Any], str, list[int]]] = {
    # what wrote it: (the file, the dialect as which it is recognised, the spikes)
    "Rockpool": (lambda: chain(1 / 25, lif(r=ROCKPOOL_R)), "rockpool", SUBTRACTED),
    "SpikingJelly": (lambda: chain(1.0, lif(np.float64), "x"), "spikingjelly", EXACT),
    "SpikingJelly, decay_input=False": (lambda: chain(1 / 25, lif(np.float64, r=TAU / DT), "x"), "spikingjelly", EXACT),
}


@pytest.mark.parametrize("name", PAPER)
def test_a_file_is_recognised_and_means_what_the_paper_saw(name: str) -> None:
    made, dialect, expected = PAPER[name]
    read = from_nir(made())
    assert read.dialect == dialect
    assert read.remarks[0].startswith(f"read as a file of {dialect}: ")
    assert read.told.dt == pytest.approx(DT)
    assert spikes(read) == expected


@pytest.mark.parametrize("dialect", ["ode", "norse", "nengo"])
def test_a_file_that_says_nothing_is_read_as_told(dialect: str) -> None:
    """The paper's file of Norse has r = 1, which many write: whose it is, and its dt, have to be told."""
    with pytest.raises(FileError, match="nothing says how long a step is"):
        from_nir(chain(1.0, lif()))
    assert from_nir(chain(1.0, lif()), dt=DT).dialect == "ode"
    assert spikes(from_nir(chain(1.0, lif()), dialect=dialect, dt=DT)) == EXACT


def cuba(kind: type, alpha: float, beta: float, size: int = 2) -> Any:
    """A CUBA neuron whose decays are these at the paper's dt, with a gain of 1."""
    tau_syn, tau_mem = DT / (1 - alpha), DT / (1 - beta)
    gains = {"r": tau_mem / DT, "w_in": tau_syn / DT}
    held = {"tau_syn": tau_syn, "tau_mem": tau_mem, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0}
    return nir.CubaLIF(**fields(kind, size, **gains, **held))


def weights(step: float) -> np.ndarray:
    """Two by two, on a grid of this step."""
    return np.array([[3, -1], [2, 5]], np.float32) * np.float32(step)


IN_LINE = [("input", "0"), ("0", "1"), ("1", "output")]
IN_LOOP = [("input", "l.lif"), ("l.lif", "l.w_rec"), ("l.w_rec", "l.lif"), ("l.lif", "output")]
CONV = {"stride": 1, "padding": 1, "dilation": 1, "groups": 1}


def integrate_and_fire(kind: type, r: float, shape: tuple[int, ...] = (2,)) -> Any:
    """An IF."""
    return nir.IF(r=np.full(shape, r, kind), v_threshold=np.ones(shape, kind), v_reset=np.zeros(shape, kind))


def pooled() -> Any:
    """A convolution with a bias, IF neurons with r = 1 and a sum pool."""
    nodes = {
        "input": nir.Input(np.array([1, 4, 4])),
        "0": nir.Conv2d((4, 4), np.full((1, 1, 3, 3), 0.3, np.float32), bias=np.zeros(1, np.float32), **CONV),
        "1": integrate_and_fire(np.float32, 1.0, (1, 4, 4)),
        "2": nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
        "output": nir.Output(np.array([1, 2, 2])),
    }
    return nir.NIRGraph(nodes, [("input", "0"), ("0", "1"), ("1", "2"), ("2", "output")], type_check=False)


def affine(step: float = 0.3) -> Any:
    """A layer with a bias."""
    return nir.Affine(weights(step), np.full(2, 0.1, np.float32))


LOOP = {"l.lif": cuba(np.float32, 0.3, 0.7), "l.w_rec": nir.Linear(weights(0.3))}
NODES: dict[str, tuple[Callable[[], Any], str, str]] = {
    # what it is: (the file, the dialect, words of the reason)
    "snnTorch Synaptic": (
        lambda: network({"0": nir.Linear(weights(0.3)), "1": cuba(np.float32, 0.3, 0.7)}, IN_LINE, size=2),
        "snntorch",
        "r is τ/1e-4 in every neuron",
    ),
    "snnTorch RSynaptic": (lambda: network(LOOP, IN_LOOP, size=2), "snntorch", "loops are .lif and .w_rec"),
    "SpikingJelly CUBALIFNode": (
        lambda: network(
            {"0": nir.Linear(weights(0.3)), "1": cuba(np.float64, 0.3, 0.7)}, [("x", "0"), *IN_LINE[1:]], "x", 2
        ),
        "spikingjelly",
        "one number in float64",
    ),
    "SpikingJelly IFNode": (
        lambda: network(
            {"0": affine(), "1": integrate_and_fire(np.float64, 1 / DT)}, [("x", "0"), *IN_LINE[1:]], "x", 2
        ),
        "spikingjelly",
        "dt = 0.0001 s",
    ),
    "lava-dl": (
        lambda: network({"0": nir.Linear(weights(1 / 64)), "1": cuba(np.float64, 0.75, 0.875)}, IN_LINE, size=2),
        "lava",
        "decays in 4096ths",
    ),
    "sinabs": (pooled, "sinabs", "r = 1 in every IF"),
    "Norse LIFBox": (
        lambda: network(
            {"0": affine(), "1": nir.LIF(**fields(size=2, tau=5e-6, r=1, v_leak=0, v_threshold=1, v_reset=0))},
            IN_LINE,
            size=2,
        ),
        "norse",
        "time constants are shorter than a step",
    ),
    "Norse or sinabs": (
        lambda: network({"0": affine(), "1": integrate_and_fire(np.float32, 1.0)}, IN_LINE, size=2),
        "ode",
        "it may be of norse (r is 1 and v_reset is 0 in every IF), or of sinabs (",
    ),
    "nobody's": (
        lambda: network(
            {"0": affine(), "1": nir.LIF(**fields(size=2, tau=0.02, r=2, v_leak=0.1, v_threshold=1, v_reset=0))},
            IN_LINE,
            size=2,
        ),
        "ode",
        "nothing in it says whose it is",
    ),
}


@pytest.mark.parametrize("name", NODES)
def test_a_file_is_recognised_by_its_numbers(name: str) -> None:
    made, dialect, reason = NODES[name]
    read = from_nir(made(), dt=DT if dialect == "ode" else None if dialect != "norse" else 1e-3)
    assert read.dialect == dialect
    assert reason in read.remarks[0]
    assert "--dialect (of convert: --from-dialect) says otherwise" in read.remarks[0]


GUESSES: dict[str, tuple[Callable[[], Any], str]] = {
    # what anybody may have written: (the file, whose it may be)
    "in, neuron, out": (lambda: bare(lif(np.float64)), "--dialect spikingjelly"),
    "no number that speaks for anybody": (lambda: bare(lif(r=0.3, rest=0.2)), "or --dialect NAME and --dt"),
    "one r and one time constant": (lambda: chain(0.3, lif(r=0.96)), "--dialect spyx"),
    "milliseconds": (lambda: bare(lif(tau=20.0)), "--dialect sinabs"),
    "half a millisecond": (lambda: chain(0.3, lif(tau=5e-4)), "--dialect norse"),
    "a gain of 1": (lambda: bare(lif(r=TAU / DT)), "--dialect snntorch"),
    "numbers by hand": (lambda: by_hand(lif(np.float64, r=2.0)), "--dialect spikingjelly"),
    "resting potentials": (lambda: by_hand(lif(np.float64, tau=0.02, rest=-0.07)), "--dialect spikingjelly"),
    "gains that are 1": (
        lambda: network({"0": affine(), "1": ones()}, IN_LINE, size=2),
        "--dialect norse",
    ),
}


def bare(neuron: Any) -> Any:
    """A neuron between ends that somebody named."""
    ends = {"in": nir.Input(np.array([1])), "out": nir.Output(np.array([1]))}
    return nir.NIRGraph({**ends, "lif": neuron}, [("in", "lif"), ("lif", "out")], type_check=False)


def by_hand(neuron: Any) -> Any:
    """A weight as numpy makes it, and one neuron."""
    nodes = {"0": nir.Linear(np.full((1, 1), 0.3)), "1": neuron}
    return network(nodes, [("x", "0"), ("0", "1"), ("1", "output")], "x")


def ones() -> Any:
    """A CUBA neuron with what the nir package fills in."""
    return nir.CubaLIF(**fields(size=2, tau_syn=5e-3, tau_mem=1e-2, r=1, v_leak=0, v_threshold=1, v_reset=0, w_in=1))


@pytest.mark.parametrize("name", GUESSES)
def test_a_step_is_not_guessed(name: str) -> None:
    """A wrong step is a wrong network: what only may be of a framework is named, and the user has to say it."""
    made, option = GUESSES[name]
    with pytest.raises(FileError, match="nothing says how long a step is") as caught:
        from_nir(made())
    assert option in str(caught.value)
    assert "--dt SECONDS to read it by the equations of the NIR paper" in str(caught.value)
    read = from_nir(made(), dt=DT)
    assert read.dialect == "ode"
    assert read.told.dt == DT
    assert ("it may be of" in read.remarks[0]) == (name != "no number that speaks for anybody")


def test_a_dialect_that_was_told_is_asked_for_no_other() -> None:
    with pytest.raises(FileError) as caught:
        from_nir(bare(lif()), dialect="norse")
    assert str(caught.value).endswith("told. Add --dt SECONDS")


def test_what_the_user_says_counts() -> None:
    made, _, _ = NODES["snnTorch Synaptic"]
    read = from_nir(made(), dialect="spikingjelly", reset="value")
    assert read.dialect == "spikingjelly"
    assert read.told.at_least


def test_edges_of_a_loop_that_name_what_is_not_there() -> None:
    """The paper's files of recurrent networks in sub-graphs: the edges say `lif`, the node is called `lif1`."""
    inner = {"input": nir.Input(np.array([2])), "lif1": LOOP["l.lif"], "lin": LOOP["l.w_rec"]}
    edges = [("input", "lif"), ("lif", "lin"), ("lin", "lif"), ("lif", "output")]
    sub = nir.NIRGraph({**inner, "output": nir.Output(np.array([2]))}, edges, type_check=False)
    broken = network(
        {"fc1": nir.Linear(weights(0.3)), "lif1": sub}, [("input", "fc1"), ("fc1", "lif1"), ("lif1", "output")], size=2
    )
    read = from_nir(broken)
    assert read.dialect == "snntorch"
    assert any("lif" in remark and "is meant" in remark for remark in read.remarks)
    assert sorted(type(node).__name__ for node in read.graph.nodes.values()) == [
        *("Add", "Affine", "Affine", "CubaLIF", "Input", "Output"),
    ]
