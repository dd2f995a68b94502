"""300 random chip graphs on Lava's own simulator, by their definition, and in the fast fixed-point simulation.

All that every process sends and every state of it is equal in all three, in every step, bit for bit.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from spikeport.toolchain.graph import Wire, later
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.lava_rows import ROWS
from spikeport.toolchain.loihi.processes import (
    ATRLIF,
    LIF,
    PROCESSES,
    RF,
    RF_IZ,
    ChipInput,
    ChipOutput,
    Conv,
    Delta,
    Dense,
    GradedReluVec,
    GradedVec,
    LIFReset,
    NormVecDelay,
    ProdNeuron,
    RFZero,
    SigmaDelta,
    TernaryLIF,
)
from spikeport.toolchain.loihi.to_lava import to_lava
from spikeport.toolchain.simulate import simulate
from spikeport.toolchain.simulate.lava_runner import Limits, run_all
from support.chip_features import features
from support.chip_steps import Definition
from support.random_chips import random_chip, random_spikes, steps_for

NETWORKS = 300
AT_ONCE = 30
"""Networks of one test: enough to start a worker for, few enough that several run at the same time."""
STEPS = 12
FEATURES = """
    mixed weights; excitatory weights; inhibitory weights; exponent up; exponent down; exponent 0; fewer bits;
    nine bits; weights that are cut; weights that are clipped; delay; delay 0; delay 63; groups; depthwise; dilation;
    stride; stride of its own; padding; padding of its own; kernel of two sizes; spikes as spikes; spikes as payload;
    values as spikes; values as payload; loop through a matrix; loop through an image; residual 1d; residual 3d;
    sum with what is no synapse; joined 1d along 0; joined 3d along 0; joined 3d along 1; joined 3d along 2;
    joined synapses; joined neurons; joined convolutions; image into image; several inputs; several outputs;
    one value for each neuron; neuron into neuron; norm chain; sends square; sends product; activation relu;
    activation unit; cumulative True of Delta; cumulative False of Delta; cumulative True of SigmaDelta;
    cumulative False of SigmaDelta; two inputs of ProdNeuron; two inputs of NormVecDelay; two inputs of RF;
    two inputs of RF_IZ; two inputs of RFZero; voltage of LIF; voltage of LIFReset; readout steps; readout last;
    readout sum; readout mean; readout max
"""
LEAVES = {
    "wrap24": "LIF LIFReset TernaryLIF ATRLIF",
    "saturate24": "LIF LIFReset TernaryLIF ATRLIF RF RF_IZ",
    "modulo24": "Conv",
    "int32": "Dense Sparse DelayDense DelaySparse Port LIF LIFReset TernaryLIF ATRLIF Delta SigmaDelta Sigma RF RF_IZ "
    "RFZero ProdNeuron NormVecDelay",
}
"""Which kinds of process hold numbers that leave their range, by the rule that then applies."""
FEWEST = 5
"""In so many networks at least everything has to occur."""


@cache
def network(seed: int) -> tuple[ChipGraph, dict[str, np.ndarray], Definition]:
    """A network, its inputs, and its run by the definition; every fourth has two samples."""
    graph = random_chip(seed)
    inputs = random_spikes(graph, seed, steps_for(graph, STEPS), 2 if seed % 4 == 0 else 1)
    return graph, inputs, Definition(graph, inputs)


def at_the_threshold() -> ChipGraph:
    """Every neuron that compares, behind the same small even numbers, with 8 or −8 as its threshold."""
    gone = {"current_decay": 4096, "voltage_decay": 4096}
    atrlif = {"voltage_decay": 4096, "threshold_decay": 9, "refractory_decay": 4096, "threshold_step": 2}
    turning = {"cos": 1000, "sin": 1500, "threshold": 8}
    cells = {
        "lif": LIF(**gone, threshold=8),
        "reset": LIFReset(**gone, threshold=8, interval=5),
        "ternary": TernaryLIF(**gone, high=8, low=-8),
        "atrlif": ATRLIF(current_decay=4095, **atrlif, threshold=8),
        "delta": Delta(threshold=8),
        "cumulative": Delta(threshold=8, cumulative=True),
        "sigma_delta": SigmaDelta(threshold=8),
        "rf": RF(**turning),
        "rf_iz": RF_IZ(**turning),
        "rf_zero": RFZero(cos=np.int64(9000), sin=np.int64(12000), threshold=8),
        "graded": GradedVec(threshold=8),
        "relu": GradedReluVec(threshold=8),
        "product": ProdNeuron(threshold=16),
        "norm": NormVecDelay(threshold=16),
    }
    synapse = Dense(weight=2 * np.eye(6, dtype=int), message_bits=8)
    wires = {name: (Wire("fc"),) * node.arity[0] for name, node in cells.items()}
    outputs = {f"{name}_out": (Wire(name),) for name in cells}
    nodes = {"in": ChipInput((6,), "int[-9,9]"), "fc": synapse, **cells, **dict.fromkeys(outputs, ChipOutput())}
    return ChipGraph(nodes, {"fc": (later("in"),), **wires, **outputs}, name="edge")


def test_at_exactly_its_threshold_every_neuron_does_what_it_does_in_lava(lava: Path) -> None:
    graph, inputs = at_the_threshold(), {"in": np.random.default_rng(4).integers(-9, 10, (40, 1, 6))}
    program, record = to_lava(graph, inputs)
    (run,) = run_all([program], lava, limits=Limits(total=300))
    wrong = [*differences(graph, inputs, {item: run.values[member] for item, member in record.items()})]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("first", range(0, NETWORKS, AT_ONCE))
def test_random_networks_run_as_in_lava(lava: Path, first: int) -> None:
    seeds = range(first, first + AT_ONCE)
    translated = [to_lava(*network(seed)[:2]) for seed in seeds]
    runs = run_all([program for program, _ in translated], lava, limits=Limits(total=300))
    wrong = []
    for seed, (_, record), run in zip(seeds, translated, runs, strict=True):
        found = {item: run.values[member] for item, member in record.items()}
        wrong += differences(*network(seed)[:2], found, network(seed)[2])
    assert not wrong, "\n".join(wrong)


def differences(
    graph: ChipGraph,
    inputs: dict[str, np.ndarray],
    found: dict[tuple[str, str], np.ndarray],
    definition: Definition | None = None,
) -> Iterator[str]:
    """In words, what of a network is not in Lava as it is by the definition or in the fixed-point simulation."""
    definition = definition or Definition(graph, inputs)
    fixed = simulate(graph, inputs, backend="fixed", record="all")
    for (name, what), values in found.items():
        theirs = values.transpose(0, 1, 4, 3, 2) if isinstance(graph.nodes[name], Conv) else values
        sent = what == "sent"
        ours = {
            "by its definition": definition.sent[name] if sent else definition.states[f"{name}.{what}"],
            "in fixed point": fixed[name].sent if sent else fixed[name].states[what],
        }
        for where, own in ours.items():
            if not np.array_equal(own, theirs):
                at = tuple(np.argwhere(own != theirs)[0].tolist())
                yield f"{graph.name}, {name}, {what} at {at}: {own[at]} {where}, {theirs[at]} in Lava"


def test_the_networks_hold_every_process_and_each_sends_something() -> None:
    there, sending = Counter(), Counter()
    for seed in range(NETWORKS):
        graph, _, definition = network(seed)
        there.update({node.kind for node in graph.nodes.values()})
        sending.update({node.kind for name, node in graph.nodes.items() if np.any(definition.sent[name])})
    assert set(there) == set(PROCESSES)
    assert {kind: there[kind] for kind in PROCESSES if sending[kind] < 2 * FEWEST} == {}


def test_the_networks_hold_every_feature() -> None:
    found = Counter(feature for seed in range(NETWORKS) for feature in features(network(seed)[0]))
    asked = [feature.strip() for feature in " ".join(FEATURES.split()).split(";")]
    assert {feature: found[feature] for feature in asked if found[feature] < FEWEST} == {}


def test_in_the_networks_numbers_wrap_and_saturate_wherever_they_can() -> None:
    found = Counter(item for seed in range(NETWORKS) for item, count in network(seed)[2].left.items() if count)
    asked = [(kind, rule) for rule, kinds in LEAVES.items() for kind in kinds.split()]
    assert {item: found[item] for item in asked if found[item] < FEWEST} == {}


def test_every_process_of_lavas_has_a_row() -> None:
    assert {kind for kind in PROCESSES.values() if kind.role in ("synapse", "neuron")} == set(ROWS)
