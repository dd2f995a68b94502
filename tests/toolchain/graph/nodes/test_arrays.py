"""What becomes of an array that is handed to a node: read-only, in C order, nobody's to change; copied if need be."""

import numpy as np
import pytest
import torch
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.nodes.base import frozen


def test_what_the_caller_changes_later_does_not_reach_the_node() -> None:
    mine = np.ones((2, 2))
    view = mine[:]
    view.flags.writeable = False
    tensor = torch.ones(2, 2)
    nodes = [n.Affine(mine), n.Affine(view), n.Affine(tensor.numpy()), n.Affine(np.broadcast_to(mine[0], (1, 2)))]
    mine[:] = 7
    tensor[:] = 7
    assert all((node.weight == 1).all() for node in nodes)


def test_an_array_that_nobody_can_change_is_taken_as_it_is() -> None:
    mine = np.ones((2, 2))
    mine.flags.writeable = False
    assert n.Affine(mine).weight is mine
    part = mine[:1]
    assert n.Affine(part).weight is part
    content = np.frombuffer(mine.tobytes(), np.float64).reshape(2, 2)
    assert np.shares_memory(n.Affine(content).weight, content)


def test_a_number_that_float32_does_not_hold_is_no_warning() -> None:
    ones = np.ones(2, np.float32)
    assert n.BatchNorm(ones, ones, epsilon=1e300).epsilon == 1e300


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        (3, "float64"),
        (True, "float64"),
        (0.5, "float64"),
        ([1, 2], "float64"),
        (np.arange(3, dtype=np.int8), "float64"),
        (np.arange(3, dtype=np.uint64), "float64"),
        (np.arange(3, dtype=np.float16), "float32"),
        (np.arange(3, dtype=np.float32), "float32"),
        (np.arange(3, dtype=">f4"), "float32"),
        (np.asfortranarray(np.ones((2, 3))), "float64"),
        (np.arange(6.0)[::2], "float64"),
        (np.ones((0, 3)), "float64"),
        (1j, "complex128"),
        (torch.ones(3, dtype=torch.bfloat16).float(), "float32"),
    ],
    ids=range(14),
)
def test_types_and_orders(given: object, dtype: str) -> None:
    held = frozen(given)
    assert held.dtype == np.dtype(dtype)
    assert held.dtype.isnative
    assert held.flags.c_contiguous
    assert not held.flags.writeable
    assert np.array_equal(held, np.asarray(given))
