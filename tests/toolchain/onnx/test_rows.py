"""Every row of the tables that turn nodes into operations: each kind, activation and host operation, in both dtypes."""

import numpy as np
import pytest
from spikeport.toolchain.graph import KINDS, chain
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.onnx import activations, host
from spikeport.toolchain.onnx.model import build, model
from spikeport.toolchain.onnx.rows import ROWS
from spikeport.toolchain.onnx.unrolled import READOUTS
from spikeport.toolchain.simulate import simulate
from support.onnx_models import checked, session
from support.random_layers import PARAMETERS

DTYPES = ("float32", "float64")
RNG = np.random.default_rng(3)


def test_every_kind_every_activation_every_operation_has_a_row():
    assert {kind.__name__ for kind in ROWS} == set(KINDS) - {"Input"}
    assert set(activations.FUNCTIONS) == set(n.FUNCTIONS)
    assert set(activations.NATIVE) <= set(n.FUNCTIONS)
    assert set(host.OPERATIONS) == set(n.OPERATIONS)
    assert set(READOUTS) == {"last", "sum", "mean", "max"}


def answers(node: n.Node, x: np.ndarray, *more: n.Node) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """What ONNX Runtime and the reference say, and the operations of the model."""
    graph = chain([n.Input(x.shape[1:]), ("node", node), *more, ("out", n.Output())])
    made = checked(model(graph, dtype=x.dtype.name))
    (found,) = session(made).run(None, {graph.inputs[0]: x})
    expected = simulate(graph, x[None]).outputs["out"][0]
    return found, expected, [op.op_type for op in made.graph.node]


def near(found: np.ndarray, expected: np.ndarray, most: float) -> None:
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=most, atol=most)


MORE = {"scale": 0.25, "zero": 1.0}


@pytest.mark.parametrize("dtype", DTYPES)
def test_activations(dtype: str):
    x = np.linspace(-8, 8, 201, dtype=dtype)[None]
    for function, (names, _) in n.FUNCTIONS.items():
        held = {name: {**PARAMETERS, **MORE}[name] for name in names}
        if function == "quantise":
            held |= {"low": -5.0, "high": 9.0}
        found, expected, _ = answers(n.Activation(function, held or None), x)
        near(found, expected, 2e-6 if dtype == "float32" or function in ("gelu", "erf") else 1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("operation", "settings"),
    [
        *((name, {"axis": axis}) for name in ("softmax", "log_softmax", "cumsum", "fft") for axis in (0, 1, -1)),
        *(("layer_norm", {"axes": axes, "epsilon": 1e-5}) for axes in (1, 3)),
        ("group_norm", {"groups": 2, "epsilon": 1e-3}),
        *((name, None) for name in ("exp", "log", "sqrt", "reciprocal", "sin", "cos")),
        *(("power", {"exponent": exponent}) for exponent in (2, 0.5, -1)),
        *(("extreme", {"axis": 1, "largest": largest}) for largest in (0, 1)),
    ],
)
def test_host_operations(operation: str, settings: dict[str, float] | None, dtype: str):
    x = RNG.uniform(0.2, 2, (3, 4, 5, 2)).astype(dtype)
    found, expected, _ = answers(n.Host(operation, settings), x)
    near(found, expected, 1e-5 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "node",
    [
        n.Conv(RNG.normal(size=(6, 2, 3, 2)), RNG.normal(size=6), 2, ((1, 0), (0, 2)), (1, 2), 2),
        n.Conv(RNG.normal(size=(3, 4, 1, 5)), None, (1, 3)),
        n.ConvTranspose(RNG.normal(size=(4, 3, 3, 2)), RNG.normal(size=6), (2, 3), ((1, 0), (0, 2)), (1, 2), (1, 2), 2),
        n.ConvTranspose(RNG.normal(size=(4, 3, 2, 2)), None, 1, ((1, 1), (0, 0))),
        n.ConvTranspose(RNG.normal(size=(4, 3, 3, 3)), None, 1, ((0, 2), (0, 2))),
        n.SumPool((3, 2), (2, 1), ((1, 0), (0, 1))),
        n.SumPool((3, 3), (2, 2), 1, ceil=True),
        n.AveragePool((3, 2), (2, 1), ((1, 0), (0, 1))),
        n.AveragePool((3, 3), (2, 2), 1, count_padding=False),
        n.AveragePool((3, 2), (3, 2), ((1, 1), (1, 0)), ceil=True),
        n.AveragePool((3, 2), (3, 2), ((1, 1), (1, 0)), ceil=True, count_padding=False),
        n.AveragePool((4, 4), (3, 3), 1, ceil=True),
        n.AveragePool((4, 4), (3, 3), 1, ceil=True, count_padding=False),
        n.MaxPool((3, 2), (2, 1), ((1, 0), (0, 1))),
        n.MaxPool((2, 2), (2, 2), 0, ceil=True),
    ],
)
def test_windows(node: n.Node, dtype: str):
    x = RNG.normal(size=(2, 4, 7, 9)).astype(dtype)
    found, expected, _ = answers(node, x)
    near(found, expected, 1e-5 if dtype == "float32" else 1e-12)


def test_windows_in_one_and_three_dimensions():
    for shape, node in [
        ((2, 4, 7), n.Conv(RNG.normal(size=(3, 4, 3)), None, 2, 1)),
        ((2, 4, 7), n.AveragePool((3,), None, ((1, 1),), ceil=True)),
        ((2, 4, 5, 4, 3), n.Conv(RNG.normal(size=(2, 4, 3, 2, 1)), None, 1, 1)),
        ((2, 4, 5, 4, 3), n.ConvTranspose(RNG.normal(size=(4, 2, 3, 2, 1)), None, 2)),
        ((2, 4, 5, 4, 3), n.SumPool((2, 2, 3))),
    ]:
        for dtype in DTYPES:
            found, expected, _ = answers(node, RNG.normal(size=shape).astype(dtype))
            near(found, expected, 1e-5 if dtype == "float32" else 1e-12)


def test_float32_has_the_operations_that_a_person_expects():
    x = np.ones((1, 4, 6, 6), np.float32)
    for node, expected in [
        (n.Conv(np.ones((2, 4, 3, 3))), "Conv"),
        (n.ConvTranspose(np.ones((4, 2, 3, 3))), "ConvTranspose"),
        (n.AveragePool((2, 2)), "AveragePool"),
        (n.MaxPool((2, 2)), "MaxPool"),
        (n.BatchNorm(np.zeros(4), np.ones(4)), "BatchNormalization"),
        (n.Host("layer_norm", {"axes": 1, "epsilon": 1e-5}), "LayerNormalization"),
        (n.Activation("gelu"), "Gelu"),
        (n.Activation("hard_swish"), "HardSwish"),
    ]:
        found = [op for op in answers(node, x)[2] if op not in ("Cast", "Identity")]
        assert found == [expected]


def test_counts_stay_whole_numbers():
    """A mean times the window's size would not be: 1/3 · 3 is rounded twice."""
    x = (RNG.random((2, 3, 9, 9)) < 0.5).astype(np.float32)
    found, _, _ = answers(n.SumPool((3, 3)), x)
    assert (found == np.rint(found)).all()


def test_what_is_less_exact_is_said():
    graph = chain([n.Input((3,)), ("act", n.Activation("gelu")), n.Output()])
    assert build(graph, dtype="float64").remarks == (
        "act: erf is computed in float32, because ONNX Runtime has no other",
    )
    assert build(graph, dtype="float32").remarks == ()


def test_epsilon_is_not_rounded_to_float32_in_double():
    """The attribute of BatchNormalization is a float32 number; 1e-5 is none."""
    x = np.full((1, 1, 2), 1e-3)
    found, expected, _ = answers(n.BatchNorm([0.0], [1e-12], epsilon=1e-5), x)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
