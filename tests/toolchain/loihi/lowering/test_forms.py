"""A path as one synapse does what its layers do one after the other."""

import numpy as np
import pytest
from spikeport.toolchain.graph import Graph, Signal, Wire
from spikeport.toolchain.graph.nodes import (
    IF,
    Affine,
    AveragePool,
    BatchNorm,
    Contract,
    Conv,
    ConvTranspose,
    Flatten,
    Input,
    Mean,
    Output,
    Pad,
    Permute,
    Reshape,
    Scale,
    Slice,
    Sum,
    SumPool,
)
from spikeport.toolchain.loihi.lowering.convolutions import Convolution
from spikeport.toolchain.loihi.lowering.forms import Form, form
from spikeport.toolchain.loihi.lowering.paths import cut


def layer(rng, shape):
    """A linear layer that fits a shape."""
    rank = len(shape)
    normal = rng.normal
    if rank == 1:
        return [Affine(normal(size=(4, shape[0]))), Scale(normal(size=shape)), Reshape((1, shape[0], 1))][
            rng.integers(3)
        ]
    c, *space = shape
    dims = rank - 1
    kernel = tuple(int(rng.integers(1, min(3, n) + 1)) for n in space)
    stride, dilation = int(rng.integers(1, 3)), 1
    padding = tuple((int(rng.integers(0, 3)), int(rng.integers(0, 3))) for _ in range(dims))
    groups = c if rng.random() < 0.3 else 1
    choices = [
        Conv(normal(size=(2 * c, c // groups, *kernel)), normal(size=2 * c), stride, padding, dilation, groups),
        Conv(normal(size=(3, c, *kernel)), None, 1, padding),
        SumPool(kernel, stride),
        AveragePool(kernel, kernel),
        AveragePool(kernel, None, tuple(k // 2 for k in kernel), count_padding=False),
        Scale(normal(size=(c, *([1] * dims)))),
        Scale(normal(size=shape)),
        Scale(np.float64(normal())),
        BatchNorm(normal(size=c), rng.random(c) + 0.5, normal(size=c), normal(size=c)),
        Pad(((0, 1), *[(1, 0)] * dims)),
        Slice(0, 0, max(1, c - 1)),
        Slice(1, 0, space[0], 2),
        Mean((rank - 1,), keep=True),
        Sum((1,), keep=True),
        Permute((0, *range(rank - 1, 0, -1))),
        Flatten(),
        ConvTranspose(normal(size=(c, 2, *kernel)), None, 2),
        Contract("ab,bc->ac" if rank == 2 else "abd,bc->acd", normal(size=(space[0], 3))),
    ]
    return choices[rng.integers(len(choices))]


def path(seed):
    rng = np.random.default_rng(seed)
    shape = [(3, 6, 7), (2, 9), (5,)][rng.integers(3)]
    nodes, wires, last = {"in": Input(shape, "spikes")}, {}, "in"
    for index in range(int(rng.integers(1, 5))):
        node = layer(rng, shape)
        nodes[f"l{index}"], wires[f"l{index}"], last = node, (Wire(last),), f"l{index}"
        shape = node.signal([Signal(shape)]).shape
    nodes |= {"n": IF(), "out": Output()}
    return Graph(nodes, {**wires, "n": (Wire(last),), "out": (Wire("n"),)}), last


def run(found: Form, x):
    """The synapse in floating point."""
    for move in found.before:
        x = (x if move.axes is None else x.transpose(0, *(a + 1 for a in move.axes))).reshape(len(x), *move.shape)
    held = found.map
    if isinstance(held, Convolution):
        conv = Conv(held.weight, None, held.stride, held.padding, held.dilation, held.groups)
        x = conv.step({}, x)[0]
    else:
        x = x @ held.T
    for move in found.after:
        x = (x if move.axes is None else x.transpose(0, *(a + 1 for a in move.axes))).reshape(len(x), *move.shape)
    return x


@pytest.mark.parametrize("seed", range(300))
def test_a_synapse_and_a_constant_are_the_layers(seed):
    graph, last = path(seed)
    parts = cut(graph)
    ((only,),) = parts.paths["n"]
    x = np.random.default_rng(seed).integers(0, 2, (3, *graph.signals["in"].shape)).astype(float)
    found = form(only, graph.signals["in"].shape, "n", graph.signals[last].shape)
    y = x
    for name in graph.order:
        if name.startswith("l"):
            y = graph.nodes[name].step({}, y)[0]
    assert isinstance(found, Form)
    assert np.allclose(run(found, x) + parts.constants["n"][0], y)


def test_a_pool_and_a_padded_convolution_are_one_convolution():
    nodes = {"in": Input((2, 8, 8), "spikes"), "p": SumPool((2, 2)), "c": Conv(np.ones((4, 2, 3, 3)), None, 1, 1)}
    wires = {"p": (Wire("in"),), "c": (Wire("p"),), "n": (Wire("c"),), "out": (Wire("n"),)}
    parts = cut(Graph({**nodes, "n": IF(), "out": Output()}, wires))
    found = form(parts.paths["n"][0][0], (2, 8, 8), "n", (4, 4, 4))
    assert isinstance(found.map, Convolution)
    assert (found.map.weight.shape, found.map.stride, found.map.padding) == ((4, 2, 6, 6), (2, 2), (2, 2))


def test_an_odd_pool_in_front_of_a_padded_convolution_is_a_matrix_since_its_last_row_would_be_seen():
    nodes = {"in": Input((1, 5, 5), "spikes"), "p": SumPool((2, 2)), "c": Conv(np.ones((1, 1, 3, 3)), None, 1, 1)}
    wires = {"p": (Wire("in"),), "c": (Wire("p"),), "n": (Wire("c"),), "out": (Wire("n"),)}
    parts = cut(Graph({**nodes, "n": IF(), "out": Output()}, wires))
    found = form(parts.paths["n"][0][0], (1, 5, 5), "n", (1, 2, 2))
    assert not isinstance(found.map, Convolution)


def test_a_matrix_that_is_too_large_is_refused_by_size():
    nodes = {
        "in": Input((1, 100, 100), "spikes"),
        "t": Permute((0, 2, 1)),
        "s": Scale(np.arange(1e4).reshape(1, 100, 100)),
    }
    wires = {"s": (Wire("in"),), "t": (Wire("s"),), "n": (Wire("t"),), "out": (Wire("n"),)}
    parts = cut(Graph({**nodes, "n": IF(), "out": Output()}, wires))
    found = form(parts.paths["n"][0][0], (1, 100, 100), "n", (1, 100, 100))
    assert "linear layers from in that are a matrix of 10000 × 10000; expected at most 16777216 weights" in str(found)
