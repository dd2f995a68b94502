"""What holds for every kind of node. A kind that is new in the table needs examples here."""

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest
from spikeport.toolchain.errors import GraphError
from spikeport.toolchain.graph import (
    KINDS,
    Graph,
    GraphBuilder,
    Signal,
    SubGraph,
    Wire,
    arrays_of,
    chain,
    parse,
    to_text,
)
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.subgraph import EVERY_KIND
from support.random_graphs import MAKERS

rng = np.random.default_rng(0)


def r(*shape: int) -> np.ndarray:
    return rng.normal(size=shape)


INNER = chain([n.Input((4,)), n.LIF(beta=0.5), n.Affine(r(2, 4)), n.Output()])
Example = tuple[n.Node, tuple[tuple[int, ...], ...]]
EXAMPLES: Mapping[str, list[Example]] = {
    # kind: (a node, the shapes it receives)
    "Input": [(n.Input((4,), "int[-1,2]"), ((4,),))],
    "Output": [(n.Output("max"), ((4,),))],
    "Affine": [(n.Affine(r(3, 4), r(3)), ((2, 4),)), (n.Affine(r(3, 4)), ((4,),))],
    "Scale": [(n.Scale(r(4), r(2, 1)), ((2, 4),)), (n.Scale(2.0), ((),))],
    "BatchNorm": [(n.BatchNorm(r(2), r(2) ** 2, r(2), r(2)), ((2, 3),)), (n.BatchNorm(r(2), r(2) ** 2), ((2,),))],
    "Contract": [(n.Contract("cv,vw->cw", r(3, 4)), ((2, 3),))],
    "Conv": [(n.Conv(r(4, 1, 3, 2), r(4), 2, ((1, 0), (1, 2)), 1, 2), ((2, 5, 5),)), (n.Conv(r(1, 1, 2)), ((1, 3),))],
    "ConvTranspose": [(n.ConvTranspose(r(2, 1, 3), r(2), 2, 1, 1, 1, 2), ((2, 5),))],
    "SumPool": [(n.SumPool((2, 2), 1, 1, ceil=True), ((2, 5, 5),))],
    "AveragePool": [(n.AveragePool((3,), 2, 1, ceil=True, count_padding=False), ((2, 5),))],
    "MaxPool": [(n.MaxPool((3,), padding=1), ((2, 5),))],
    "Flatten": [(n.Flatten(0, 1), ((2, 3, 4),))],
    "Reshape": [(n.Reshape((4, -1)), ((2, 4),))],
    "Permute": [(n.Permute((1, 0)), ((2, 4),)), (n.Permute(()), ((),))],
    "Slice": [(n.Slice(0, 1, 4, 2), ((5,),))],
    "Pad": [(n.Pad(((1, 2),)), ((5,),))],
    "Add": [(n.Add(), ((2, 3), (3,), (2, 1)))],
    "Multiply": [(n.Multiply(), ((2, 3), (3,)))],
    "Concat": [(n.Concat(-1), ((2, 3), (2, 1)))],
    "Mean": [(n.Mean((0, -1)), ((2, 3, 4),))],
    "Sum": [(n.Sum((1,), keep=True), ((2, 3, 4),))],
    "Activation": [
        *((n.Activation(name), ((3,),)) for name, (parameters, _) in n.FUNCTIONS.items() if not parameters),
        (n.Activation("clip", {"high": 1, "low": 0}), ((3,),)),
    ],
    "Host": [
        (n.Host("softmax", {"axis": 0}), ((3,),)),
        (n.Host("matmul"), ((2, 3), (3, 2))),
        (n.Host("extreme", {"axis": 0, "largest": True}), ((3, 2),)),
    ],
    "Delay": [(n.Delay((2,)), ((3,),)), (n.Delay((0, 1, 2)), ((3, 2),)), (n.Delay((0,)), ((3,),))],
    "TemporalKernel": [(n.TemporalKernel(r(3, 2, 4), r(2)), ((4, 2),)), (n.TemporalKernel(r(1, 2, 4)), ((4,),))],
    "StateSpace": [
        (n.StateSpace(r(4, 2) * 0.3j, r(4, 2), r(4, 2), r(4)), ((4,),)),
        (n.StateSpace(*r(3, 2, 1)), ((2, 3),)),
    ],
    "IF": [(n.IF(gain=r(3)), ((2, 3),)), (n.IF(reset="none"), ((),))],
    "LIF": [(n.LIF(beta=0.5, reset="subtract", when="guarded", emit="charge"), ((3,),))],
    "CubaLIF": [(n.CubaLIF(alpha=0.5, beta=r(2, 1), when="next"), ((2, 3),))],
    "AdaptiveLIF": [(n.AdaptiveLIF(alpha=0.5, beta=0.9, adapt_decay=0.9, adapt_step=r(3) ** 2, when="next"), ((3,),))],
    "Integrator": [(n.Integrator(v_start=r(3)), ((3,),))],
    "LeakyIntegrator": [(n.LeakyIntegrator(beta=0.5), ((3,),))],
    "CubaIntegrator": [(n.CubaIntegrator(alpha=0.5, beta=0.5), ((3,),))],
    "ResonateFire": [
        (n.ResonateFire(cos=0.6, sin=0.7, spike="izhikevich"), ((3,), (3,))),
        (n.ResonateFire(cos=0.6, sin=0.7), ((3,),)),
    ],
    "Sigma": [(n.Sigma(), ((3,),))],
    "Delta": [(n.Delta(threshold=0.3, cumulative=True), ((3,),))],
    "SigmaDelta": [(n.SigmaDelta(threshold=0.3, bias=r(3)), ((3,),))],
    "SubGraph": [(SubGraph(INNER), ((4,),))],
}
ALL = [(kind, *example) for kind, examples in EXAMPLES.items() for example in examples]
every_example = pytest.mark.parametrize(
    ("kind", "node", "shapes"), ALL, ids=[f"{k}{i}" for i, (k, _, _) in enumerate(ALL)]
)


def test_every_kind_has_an_example_and_occurs_in_random_graphs() -> None:
    assert list(EXAMPLES) == list(EVERY_KIND)
    assert {"Input", "Output", *MAKERS} == set(KINDS)
    assert all(type(node).__name__ == kind == node.kind for kind, node, _ in ALL)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_every_kind_states_its_equation_and_explains_each_field(kind: str) -> None:
    text = EVERY_KIND[kind].__doc__ or ""
    assert "=" in text or "≥" in text
    _, _, arguments = text.partition("Args:")
    missing = [each.name for each in fields(EVERY_KIND[kind]) if f"{each.name}:" not in arguments]
    assert not missing or "the other fields are those of" in text.lower()


def wired(node: n.Node, shapes: tuple[tuple[int, ...], ...]) -> Graph:
    b = GraphBuilder()
    names = [b.add("in", n.Input(shape)) for shape in shapes]
    if isinstance(node, n.Input):
        b.nodes["in"] = node
    if not isinstance(node, n.Input | n.Output):
        names = [b.add("node", node, *names)]
    b.add("out", node if isinstance(node, n.Output) else n.Output(), names[0])
    return b.build()


@every_example
def test_its_line_of_text_comes_back(kind: str, node: n.Node, shapes: tuple[tuple[int, ...], ...]) -> None:
    graph = wired(node, shapes)
    assert f"= {kind}(" in to_text(graph)
    assert to_text(parse(to_text(graph), arrays_of(graph))) == to_text(graph)


@every_example
def test_it_cannot_be_changed(kind: str, node: n.Node, shapes: tuple[tuple[int, ...], ...]) -> None:
    for each in fields(node):
        with pytest.raises(FrozenInstanceError):
            setattr(node, each.name, getattr(node, each.name))
        value = getattr(node, each.name)
        if isinstance(value, Mapping):
            with pytest.raises(TypeError, match="does not support item assignment"):
                value["x"] = 1.0
        assert not isinstance(value, list | dict | set)
    for array in node.arrays().values():
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@every_example
def test_a_step_keeps_its_promises(kind: str, node: n.Node, shapes: tuple[tuple[int, ...], ...]) -> None:
    """Shape, type and state stay what they were said to be; nothing that was handed in is changed."""
    for dtype in (np.float32, np.float64):
        inputs = [np.random.default_rng(1).normal(size=(3, *shape)).astype(dtype) for shape in shapes]
        promised = node.signal([Signal(shape) for shape in shapes]) if kind != "Input" else node.signal([])
        state = node.start(shapes[0], 3, dtype)
        assert any(value.size for value in state.values()) == node.stateful
        described = {key: (value.shape, value.dtype) for key, value in state.items()}
        for _ in range(3):
            before = [x.copy() for x in inputs], {key: value.copy() for key, value in state.items()}
            with np.errstate(all="ignore"):
                y, new = node.step(state, *inputs)
            assert y.shape == (3, *promised.shape)
            assert y.dtype == dtype
            assert {key: (value.shape, value.dtype) for key, value in new.items()} == described
            assert all(np.array_equal(a, b) for a, b in zip(before[0], inputs, strict=True))
            assert all(np.array_equal(before[1][key], state[key]) for key in state)
            state = new


@every_example
def test_samples_do_not_see_each_other(kind: str, node: n.Node, shapes: tuple[tuple[int, ...], ...]) -> None:
    inputs = [np.random.default_rng(2).normal(size=(4, 3, *shape)) for shape in shapes]

    def run(samples: slice) -> np.ndarray:
        chosen = [x[:, samples] for x in inputs]
        state, sent = node.start(shapes[0], chosen[0].shape[1], np.float64), []
        for values in zip(*chosen, strict=True):
            with np.errstate(all="ignore"):
                y, state = node.step(state, *values)
            sent.append(y)
        return np.stack(sent)

    whole = run(slice(None))
    parts = np.concatenate([run(slice(k, k + 1)) for k in range(3)], axis=1)
    np.testing.assert_allclose(parts, whole, atol=1e-12)


@every_example
def test_its_arrays_may_be_float32(kind: str, node: n.Node, shapes: tuple[tuple[int, ...], ...]) -> None:
    if kind == "SubGraph":
        return
    single = {name: a.astype("c8" if a.dtype.kind == "c" else "f4") for name, a in node.arrays().items()}
    again = replace(node, **single)
    assert {a.dtype.itemsize for a in again.arrays().values()} <= {4, 8}
    assert to_text(parse(to_text(wired(again, shapes)), arrays_of(wired(again, shapes)))) == to_text(
        wired(again, shapes)
    )


@every_example
def test_bad_values_in_any_array_are_refused(kind: str, node: n.Node, shapes: tuple[tuple[int, ...], ...]) -> None:
    if kind == "SubGraph":
        return
    for name, array in node.arrays().items():
        for bad, found in (
            (
                np.full(array.shape, np.nan),
                f"{name}: NaN or infinite values; expected finite numbers. Look for the train",
            ),
            (np.full(array.shape, -np.inf), f"{name}: NaN or infinite values"),
            (np.full(array.shape, "x"), f"{name}: values of type <U1; expected float32"),
            ([[1], [2, 3]], f"{name}: values that make no array"),
            (np.full(array.shape, 1, np.longdouble), f"{name}: values of type float128; expected float32"),
            (np.full(array.shape, 2**60), f"{name}: integers beyond 2^53; expected integers that float64 holds"),
            ({"a": 1}, f"{name}: values of type object; expected float32"),
        ):
            with pytest.raises(GraphError) as caught:
                replace(node, **{name: bad})
            assert str(caught.value).startswith(found)
        if kind != "StateSpace" or name == "through":
            with pytest.raises(
                GraphError, match=f"{name}: values of type complex128; expected float32 or float64 numbers"
            ):
                replace(node, **{name: array + 1j})


def test_a_delayed_wire_shows_its_wave() -> None:
    assert str(Wire("a", delayed=True)) == "~a"
