"""Whether two graphs are the same function, by running both step by step."""

import numpy as np
from hypothesis import assume, currently_in_test_context
from spikeport.toolchain.graph import Graph
from support.by_steps import answers, run_by_steps
from support.random_graphs import random_inputs

STEPS, BATCH = 5, 2
NEAR = 1e-12
"""A sample that a relative change of its inputs by this much tips over is too near a threshold to compare."""


def assert_same_function(before: Graph, after: Graph, seed: int = 0, *, exact: bool, tolerance: float = 1e-9) -> None:
    """Every output of both graphs agrees on random inputs: bit for bit (0 and −0 alike), or up to rounding."""
    assert after.inputs == before.inputs
    assert after.outputs == before.outputs
    assert all(after.signals[name].shape == before.signals[name].shape for name in before.outputs)
    inputs = random_inputs(before, np.random.default_rng(seed), STEPS, BATCH)
    wanted, found = run(before, inputs), run(after, inputs)
    if exact:
        for name in wanted:
            np.testing.assert_array_equal(found[name], wanted[name], err_msg=name)
        return
    if currently_in_test_context() and not _close(wanted, found, tolerance):
        assume(_steady(before, inputs, wanted, tolerance))
    for name in wanted:
        size = max(1.0, np.abs(wanted[name]).max())
        np.testing.assert_allclose(found[name], wanted[name], tolerance, tolerance * size, err_msg=name)


def run(graph: Graph, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    with np.errstate(all="ignore"):
        return answers(graph, run_by_steps(graph, inputs))


def _close(a: dict[str, np.ndarray], b: dict[str, np.ndarray], tolerance: float) -> bool:
    return all(np.allclose(b[k], a[k], tolerance, tolerance * max(1.0, np.abs(a[k]).max())) for k in a)


def _steady(graph: Graph, inputs: dict[str, np.ndarray], wanted: dict[str, np.ndarray], tolerance: float) -> bool:
    rng = np.random.default_rng(1)
    shaken = ({k: x * (1 + NEAR * rng.normal(size=x.shape)) for k, x in inputs.items()} for _ in range(4))
    return all(_close(wanted, run(graph, each), tolerance) for each in shaken)


def same_or_unsteady(before: Graph, after: Graph, seed: int, tolerance: float) -> bool:
    """Whether both are the same function on random inputs, where those are not too near a threshold to compare."""
    inputs = random_inputs(before, np.random.default_rng(seed), STEPS, BATCH)
    wanted = run(before, inputs)
    return _close(wanted, run(after, inputs), tolerance) or not _steady(before, inputs, wanted, tolerance)
