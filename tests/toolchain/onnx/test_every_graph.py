"""Random graphs of every kind as models of one step and of a whole run: what ONNX Runtime computes is what the
reference computes, value by value for every node, and spike by spike without an exception.
"""

from collections import Counter

import numpy as np
from spikeport.toolchain.graph import KINDS, nodes
from spikeport.toolchain.graph.inline import inline
from spikeport.toolchain.onnx.memory import memories, tensors_of
from spikeport.toolchain.onnx.model import model
from spikeport.toolchain.simulate import simulate
from support.onnx_models import checked, session, shown, stepped
from support.random_graphs import random_graph, random_inputs

GRAPHS, STEPS, BATCH = 90, 6, 2


def tolerance(graph, dtype: str) -> float:
    """1e-5; more in float32 behind a normalisation, which divides by a spread that may be near 0."""
    normalised = any(isinstance(n, nodes.Host) and n.operation.endswith("_norm") for n in graph.nodes.values())
    return 1e-4 if dtype == "float32" and normalised else 1e-5


def near(found: np.ndarray, expected: np.ndarray, most: float, where: object) -> None:
    assert found.shape == expected.shape, where
    wide = expected.astype(np.float64)
    off = np.abs(found - wide) / np.maximum(1, np.abs(wide))
    assert off.size == 0 or off.max() <= most, (where, off.max())


def states_at_the_end(graph, trace) -> dict[str, np.ndarray]:
    own = {name: tensors_of(graph.nodes[name], state) for name, state in trace.state.nodes.items()}
    found = {f"{name}.{key}": value for name, each in own.items() for key, value in each.items()}
    return found | {f"{name}.sent": value for name, value in trace.state.held.items()}


def compare(seed: int, seen: Counter[str], spikes: Counter[str]) -> None:
    rng = np.random.default_rng(seed)
    dtype = ("float32", "float64")[seed % 2]
    graph = random_graph(rng, subgraphs=seed % 5 == 0)
    flat, x = inline(graph), random_inputs(graph, rng, STEPS, BATCH, dtype)
    trace = simulate(graph, x, record="all", dtype=dtype)
    most, ends = tolerance(flat, dtype), states_at_the_end(flat, trace)

    one = session(shown(checked(model(graph, dtype=dtype)), flat.nodes))
    kept = memories(flat, np.dtype(dtype))
    start = {f"state.{m.name}": np.broadcast_to(m.start.astype(dtype), (BATCH, *m.shape)).copy() for m in kept}
    found = stepped(one, x, start)
    for name, node in flat.nodes.items():
        sent = trace[name].sent
        if sent.dtype == np.uint8:
            np.testing.assert_array_equal(found[name], sent, str((seed, name)))
            spikes[node.kind] += int(sent.sum())
        near(found[name], sent, most, (seed, name))
        seen[node.kind] += 1
    for name, value in ends.items():
        near(found[f"next.{name}"][-1], value, most, (seed, name))

    whole = session(checked(model(graph, unroll="scan", dtype=dtype)))
    names = [each.name for each in whole.get_outputs()]
    answers = dict(zip(names, whole.run(None, x), strict=True))
    assert set(names) == {*graph.outputs, *(f"end.{name}" for name in ends)}
    for name, value in trace.outputs.items():
        near(answers[name], value, most, (seed, name, "run"))
    for name, value in ends.items():
        near(answers[f"end.{name}"], value, most, (seed, name, "run"))


def test_onnx_runtime_answers_as_the_reference():
    seen: Counter[str] = Counter()
    spikes: Counter[str] = Counter()
    for seed in range(GRAPHS):
        compare(seed, seen, spikes)
    assert set(KINDS) <= set(seen)
    assert {"IF", "LIF", "CubaLIF", "AdaptiveLIF", "ResonateFire"} <= {kind for kind, n in spikes.items() if n > 100}
