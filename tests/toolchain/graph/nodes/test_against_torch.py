"""Every stateless node against the torch function of the same meaning, in float64."""

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from spikeport.toolchain.errors import GraphError
from spikeport.toolchain.graph import Signal
from spikeport.toolchain.graph import nodes as n
from torch.nn import functional

CONV = (functional.conv1d, functional.conv2d, functional.conv3d)
TRANSPOSED = (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d)
AVERAGE = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)
MAXIMUM = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)
SPACE = (7, 6, 5)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """These inputs are small: handing them to several threads takes longer than to compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def run(node: n.Node, *inputs: np.ndarray) -> np.ndarray:
    """One step of a stateless node, its promise about shapes checked."""
    y, state = node.step(node.start(inputs[0].shape[1:], len(inputs[0]), inputs[0].dtype), *inputs)
    assert state == {}
    assert y.shape[1:] == node.signal([Signal(x.shape[1:]) for x in inputs]).shape
    assert y.dtype == inputs[0].dtype
    return y


def same(ours: np.ndarray, theirs: torch.Tensor, tolerance: float = 1e-12) -> None:
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=tolerance, atol=tolerance)


def t(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(array))


EVEN = "ignore:Using padding='same' with even kernel lengths:UserWarning"  # torch says that it may copy its input


@pytest.mark.filterwarnings(EVEN)
@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("stride", [1, (2, 1, 3)])
@pytest.mark.parametrize("padding", [0, (1, 0, 2), "same"])
@pytest.mark.parametrize("dilation", [1, (2, 1, 2)])
def test_conv(dims: int, bias: bool, groups: int, stride: object, padding: object, dilation: object) -> None:
    rng = np.random.default_rng(dims)
    cut = lambda v: v[:dims] if isinstance(v, tuple) else v  # noqa: E731
    stride, padding, dilation = cut(stride), cut(padding), cut(dilation)
    x, w = rng.normal(size=(2, 4, *SPACE[:dims])), rng.normal(size=(6, 4 // groups, *(3, 2, 2)[:dims]))
    b = rng.normal(size=6) if bias else None
    if padding == "same" and stride != 1:
        with pytest.raises(GraphError, match="padding: 'same' with stride"):
            n.Conv(w, b, stride, padding, dilation, groups)
        return
    theirs = CONV[dims - 1](t(x), t(w), None if b is None else t(b), stride, padding, dilation, groups)
    same(run(n.Conv(w, b, stride, padding, dilation, groups), x), theirs)


@pytest.mark.filterwarnings(EVEN)
@pytest.mark.parametrize("kernel", [(1, 1), (2, 2), (4, 3), (2, 5)])
@pytest.mark.parametrize("dilation", [1, 2])
def test_conv_same_padding_of_even_kernels_puts_the_odd_zero_at_the_end(kernel: tuple[int, int], dilation: int) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(1, 2, 11, 10)), rng.normal(size=(3, 2, *kernel))
    module = torch.nn.Conv2d(2, 3, kernel, padding="same", dilation=dilation, bias=False, dtype=torch.float64)
    module.weight.data = t(w)
    same(run(n.Conv(w, padding="same", dilation=dilation), x), module(t(x)).detach())


def test_conv_with_uneven_padding() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 3, 6, 7)), rng.normal(size=(4, 3, 3, 2))
    ours = run(n.Conv(w, stride=(2, 1), padding=((0, 2), (1, 3))), x)
    same(ours, functional.conv2d(functional.pad(t(x), (1, 3, 0, 2)), t(w), stride=(2, 1)))


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("stride", [1, 2, (3, 2, 2)])
@pytest.mark.parametrize("padding", [0, 1, (1, 0, 1)])
@pytest.mark.parametrize("extra", [0, (1, 0, 1)])
@pytest.mark.parametrize("dilation", [1, (1, 2, 2)])
def test_conv_transpose(
    dims: int, groups: int, stride: object, padding: object, extra: object, dilation: object
) -> None:
    rng = np.random.default_rng(dims)
    cut = lambda v: v[:dims] if isinstance(v, tuple) else v  # noqa: E731
    options = [cut(v) for v in (stride, padding, extra, dilation)]
    x, w = rng.normal(size=(2, 4, *(4, 3, 3)[:dims])), rng.normal(size=(4, 3, *(3, 2, 3)[:dims]))
    b = rng.normal(size=3 * groups)
    try:
        theirs = TRANSPOSED[dims - 1](t(x), t(w), t(b), options[0], options[1], options[2], groups, options[3])
    except RuntimeError as error:
        if "output padding must be smaller" not in str(error):
            raise
        with pytest.raises(GraphError, match="output_padding"):
            n.ConvTranspose(w, b, options[0], options[1], options[2], options[3], groups)
        return
    same(run(n.ConvTranspose(w, b, options[0], options[1], options[2], options[3], groups), x), theirs)


WINDOWS = [(1, 1, 1), (2, 2, 2), (3, 2, 3), (5, 3, 2)]


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("stride", [None, 1, (2, 3, 2)])
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("ceil", [False, True])
def test_pools(dims: int, window: tuple[int, ...], stride: object, padded: bool, ceil: bool) -> None:
    window = window[:dims]
    stride = stride[:dims] if isinstance(stride, tuple) else stride
    padding = tuple(k // 2 for k in window) if padded else 0
    for space in itertools.product(*[(1, 4, 7)[dims // 2 :]] * dims):
        x = np.random.default_rng(0).normal(size=(2, 3, *space))
        try:
            theirs = MAXIMUM[dims - 1](t(x), window, stride, padding, ceil_mode=ceil)
        except RuntimeError:
            with pytest.raises(GraphError, match="room for a window"):
                n.MaxPool(window, stride, padding, ceil).signal([Signal(x.shape[1:])])
            continue
        same(run(n.MaxPool(window, stride, padding, ceil), x), theirs)
        for counted in (True, False):
            if dims == 3 and any(k > size for k, size in zip(window, space, strict=True)):
                continue  # torch's average in three dimensions wants the input itself to be as large as the window
            theirs = AVERAGE[dims - 1](t(x), window, stride, padding, ceil, counted)
            same(run(n.AveragePool(window, stride, padding, ceil, counted), x), theirs)
        if dims == 2:
            sums = AVERAGE[dims - 1](t(x), window, stride, padding, ceil, True, divisor_override=1)
            same(run(n.SumPool(window, stride, padding, ceil), x), sums)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5)])
def test_affine(bias: bool, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(2, *shape)), rng.normal(size=(4, 5)), rng.normal(size=4) if bias else None
    same(run(n.Affine(w, b), x), functional.linear(t(x), t(w), None if b is None else t(b)))


@pytest.mark.parametrize("shape", [(3,), (3, 5), (3, 4, 5)])
@pytest.mark.parametrize("affine", [False, True])
def test_batch_norm_and_the_same_as_scale_and_shift(shape: tuple[int, ...], affine: bool) -> None:
    rng = np.random.default_rng(0)
    x, mean, variance = rng.normal(size=(2, *shape)), rng.normal(size=3), rng.uniform(0.1, 2, 3)
    variance[0] = 0.0
    w, b = (rng.normal(size=3), rng.normal(size=3)) if affine else (None, None)
    node = n.BatchNorm(mean, variance, w, b, 1e-3)
    theirs = functional.batch_norm(t(x), t(mean), t(variance), *(None if v is None else t(v) for v in (w, b)), eps=1e-3)
    same(run(node, x), theirs)
    scale, shift = (v.reshape(-1, *[1] * (len(shape) - 1)) for v in node.affine())
    same(run(n.Scale(scale, shift), x), theirs)


@pytest.mark.parametrize(
    "equation", ["cv,vw->cw", "cv,vw->wc", "ab,b->a", "ab,ab->", "ab,cd->abcd", "ab,ba->b", "ab,b->ab"]
)
def test_contract(equation: str) -> None:
    rng = np.random.default_rng(0)
    x_terms, m_terms = equation.partition("->")[0].split(",")
    sizes = dict(zip("abcdvw", (2, 3, 4, 5, 3, 2), strict=True))
    x, m = rng.normal(size=(2, *(sizes[c] for c in x_terms))), rng.normal(size=[sizes[c] for c in m_terms])
    out = equation.partition("->")[2]
    same(run(n.Contract(equation, m), x), torch.einsum(f"Z{x_terms},{m_terms}->Z{out}", t(x), t(m)))


X = np.concatenate(
    [np.random.default_rng(0).normal(size=40) * 3, [0.0, -0.0, 1.0, -1.0, 3.0, -3.0, 30.0, -30.0, 800, -800]]
)
ACTIVATIONS = {
    "relu": functional.relu,
    "clip": lambda x: torch.clamp(x, -0.5, 2.0),
    "leaky_relu": lambda x: functional.leaky_relu(x, 0.1),
    "elu": lambda x: functional.elu(x, 0.7),
    "selu": functional.selu,
    "gelu": functional.gelu,
    "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "silu": functional.silu,
    "mish": functional.mish,
    "sigmoid": torch.sigmoid,
    "hard_sigmoid": functional.hardsigmoid,
    "hard_swish": functional.hardswish,
    "tanh": torch.tanh,
    "softplus": lambda x: functional.softplus(x, threshold=1e9),
    "softsign": functional.softsign,
    "abs": torch.abs,
    "square": torch.square,
    "erf": torch.erf,
    "quantise": lambda x: torch.fake_quantize_per_tensor_affine(x.float(), 0.5, 3, -8, 7).double() / 0.5 + 3,
    "step": lambda x: (x > 1.0).double(),
    "step_or_equal": lambda x: (x >= 1.0).double(),
}
PARAMETERS = {
    "clip": {"low": -0.5, "high": 2.0},
    "leaky_relu": {"slope": 0.1},
    "elu": {"alpha": 0.7},
    "quantise": {"scale": 0.5, "zero": 3.0, "low": -8.0, "high": 7.0},
    "step": {"threshold": 1.0},
    "step_or_equal": {"threshold": 1.0},
}


@pytest.mark.parametrize("function", n.FUNCTIONS)
def test_activations(function: str) -> None:
    x = X[None, :]
    if function == "softplus":
        x = x[:, abs(x[0]) < 100]
    theirs = ACTIVATIONS[function](t(x))
    node = n.Activation(function, PARAMETERS.get(function))
    same(run(node, x), theirs)
    assert run(node, x.astype(np.float32)).dtype == np.float32


def test_softplus_as_torch_has_it_by_default() -> None:
    x = np.linspace(-40, 40, 101)[None]
    same(run(n.Activation("softplus"), x), functional.softplus(t(x)), 1e-8)


HOST = {
    "softmax": ({"axis": 1}, lambda x: torch.softmax(x, 2)),
    "log_softmax": ({"axis": -1}, lambda x: torch.log_softmax(x, -1)),
    "layer_norm": ({"axes": 2, "epsilon": 1e-5}, lambda x: functional.layer_norm(x, x.shape[-2:], eps=1e-5)),
    "group_norm": ({"groups": 2, "epsilon": 1e-3}, lambda x: functional.group_norm(x, 2, eps=1e-3)),
    "matmul": ({}, lambda x, y: x @ y),
    "divide": ({}, lambda x, y: x / y),
    "maximum": ({}, torch.maximum),
    "minimum": ({}, torch.minimum),
    "greater": ({}, lambda x, y: (x > y).double()),
    "exp": ({}, torch.exp),
    "log": ({}, torch.log),
    "sqrt": ({}, torch.sqrt),
    "reciprocal": ({}, torch.reciprocal),
    "sin": ({}, torch.sin),
    "cos": ({}, torch.cos),
    "power": ({"exponent": 1.5}, lambda x: x**1.5),
    "cumsum": ({"axis": 0}, lambda x: torch.cumsum(x, 1)),
    "extreme": ({"axis": 1, "largest": 1}, lambda x: x.amax(2)),
    "fft": ({"axis": 2}, lambda x: torch.view_as_real(torch.fft.fft(x, dim=3)).movedim(-1, 1)),
}


@pytest.mark.parametrize("operation", n.OPERATIONS)
def test_host_operations(operation: str) -> None:
    settings, theirs = HOST[operation]
    rng = np.random.default_rng(0)
    inputs = [rng.uniform(0.1, 3, (2, 4, 3, 3)) for _ in range(n.OPERATIONS[operation].inputs)]
    node = n.Host(operation, settings)
    same(run(node, *inputs), theirs(*map(t, inputs)), 1e-11)
    assert run(node, *(x.astype(np.float32) for x in inputs)).dtype == np.float32


def test_host_operations_broadcast_as_samples_do() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.uniform(1, 2, (2, 3, 4)), rng.uniform(1, 2, (2, 4))
    same(run(n.Host("divide"), a, b), t(a) / t(b)[:, None])
    c = rng.normal(size=(2, 5, 4, 6))
    same(run(n.Host("matmul"), a, c), t(a)[:, None] @ t(c))


@pytest.mark.parametrize("exponent", [2, 3, -1, 0, 0.5])
def test_powers(exponent: float) -> None:
    x = np.array([[-2.0, -1.0, 0.5, 1.0, 3.0]]) if exponent == int(exponent) else np.array([[0.0, 0.5, 2.0]])
    same(run(n.Host("power", {"exponent": exponent}), x), t(x) ** exponent)


def test_extremes_of_both_ends() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    same(run(n.Host("extreme", {"axis": -1, "largest": 0}), x), t(x).amin(-1))


def test_nodes_that_move_values() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    same(run(n.Flatten(), x), t(x).flatten(1))
    same(run(n.Flatten(1, 2), x), t(x).flatten(2, 3))
    same(run(n.Flatten(0, -2), x), t(x).flatten(1, 2))
    same(run(n.Reshape((6, -1)), x), t(x).reshape(2, 6, 10))
    same(run(n.Reshape((60,)), x), t(x).reshape(2, 60))
    same(run(n.Permute((2, 0, 1)), x), t(x).permute(0, 3, 1, 2))
    same(run(n.Slice(-1, 1, 5, 3), x), t(x)[..., 1:5:3])
    same(run(n.Slice(0, 2, 3), x), t(x)[:, 2:3])
    same(run(n.Pad(((1, 0), (0, 2), (3, 1))), x), functional.pad(t(x), (3, 1, 0, 2, 1, 0)))


def test_nodes_with_several_inputs_and_reductions() -> None:
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 4)), rng.normal(size=(2, 3, 1))
    same(run(n.Add(), a, b, c), t(a) + t(b)[:, None] + t(c))
    same(run(n.Multiply(), a, b, c), t(a) * t(b)[:, None] * t(c))
    same(run(n.Concat(-1), a, c), torch.cat([t(a), t(c)], 2))
    same(run(n.Concat(0), b, b, b), torch.cat([t(b)] * 3, 1))
    same(run(n.Mean((0, -1)), a), t(a).mean((1, 2)))
    same(run(n.Mean((1,), keep=True), a), t(a).mean(2, keepdim=True))
    same(run(n.Sum((0,)), a), t(a).sum(1))
    same(run(n.Sum((0, 1), keep=True), a), t(a).sum((1, 2), keepdim=True))
    same(run(n.Scale(b[0], c[0]), a), t(a) * t(b[0]) + t(c[0]))
    assert run(n.Output(), a) is a


@pytest.mark.parametrize(
    "node", [n.Conv(np.ones((2, 3, 3, 3))), n.ConvTranspose(np.ones((3, 2, 3, 3))), n.SumPool((2, 2))]
)
def test_a_batch_is_only_several_samples(node: n.Node) -> None:
    x = np.random.default_rng(0).normal(size=(4, 3, 6, 6))
    assert np.allclose(run(node, x), np.concatenate([run(node, one[None]) for one in x]), atol=1e-13)


def test_the_constants_of_the_table_are_the_known_ones() -> None:
    assert math.isclose(n.FUNCTIONS["selu"][1](np.array(1.0)), 1.0507009873554805, rel_tol=1e-15)
