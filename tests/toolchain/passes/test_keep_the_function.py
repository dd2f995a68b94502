"""Every pass of the table, alone and in any order, keeps what a network computes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.graph.text import to_text
from spikeport.toolchain.passes import PASSES, PIPELINES, Pass, Pipeline, make, pipeline
from support.random_graphs import random_graph, seeds
from support.same_function import assert_same_function

#: Kinds that give a pass much to do, beside graphs of all kinds; and the options to try.
FIELDS = {
    "drop_identities": "Scale Activation Permute Reshape Flatten Slice Pad Delay Mean Sum SumPool MaxPool IF",
    "fold_batchnorm": "Scale BatchNorm Affine Conv ConvTranspose TemporalKernel Contract StateSpace LIF CubaLIF "
    "AdaptiveLIF LeakyIntegrator Flatten Permute AveragePool MaxPool Mean Sum Pad Delay",
    "merge_linear": "Affine Contract Conv AveragePool SumPool Scale BatchNorm Mean LIF",
    "lower_pooling": "SumPool AveragePool MaxPool Mean Sum LIF Conv",
    "lower_contract": "Contract Affine LIF",
    "lower_convtranspose": "ConvTranspose IF",
    "canonicalise": "Add Multiply Concat Permute Reshape Flatten Slice Pad Delay Scale IF",
}
OPTIONS = {
    "fold_batchnorm": [{"dtype": "float64"}],
    "lower_pooling": [{"border_scale": True}, {}],
    "lower_contract": [{}, {"dense": True}],
}
CASES = [
    (name, options, kinds)
    for name in PASSES
    for options in OPTIONS.get(name, [{}])
    for kinds in [None, *([FIELDS[name].split()] if name in FIELDS else [])]
]


def drawn(seed: int, kinds: list[str] | None = None) -> Graph:
    return random_graph(np.random.default_rng(seed), kinds=kinds, dtype="float64")


@pytest.mark.parametrize(("name", "options", "kinds"), CASES)
def test_a_pass_keeps_the_function_and_has_nothing_left_to_do(
    name: str, options: dict[str, object], kinds: list[str] | None
) -> None:
    each = make(name, **options)

    @settings(max_examples=20, deadline=None)
    @given(seeds())
    def check(seed: int) -> None:
        graph = drawn(seed, kinds)
        result = each(graph)
        again = each(result.graph)
        assert again.graph is result.graph
        assert not again.changes
        assert [each.where for each in again.refusals] == [each.where for each in result.refusals]
        if result.changes:
            assert_same_function(graph, result.graph, seed, exact=each.exact)
        else:
            assert result.graph is graph

    check()


@settings(max_examples=60, deadline=None)
@given(seeds(), st.permutations(list(PASSES)), st.integers(2, len(PASSES)))
def test_passes_in_any_order_keep_the_function(seed: int, names: list[str], count: int) -> None:
    graph = drawn(seed)
    chosen: list[Pass] = [make(name, **OPTIONS.get(name, [{}])[0]) for name in names[:count]]
    result = Pipeline(tuple(chosen))(graph)
    assert_same_function(graph, result.graph, seed, exact=result.exact)


@pytest.mark.parametrize("name", PIPELINES)
def test_a_ready_pipeline_keeps_the_function(name: str) -> None:
    @settings(max_examples=30, deadline=None)
    @given(seeds())
    def check(seed: int) -> None:
        graph = drawn(seed)
        result = pipeline(name)(graph)
        assert_same_function(graph, result.graph, seed, exact=result.exact)

    check()


@settings(max_examples=40, deadline=None)
@given(seeds())
def test_the_canonical_form_is_a_fixed_point_down_to_the_text(seed: int) -> None:
    canonicalise = make("canonicalise")
    once = canonicalise(drawn(seed)).graph
    assert to_text(canonicalise(once).graph) == to_text(once)


@settings(max_examples=40, deadline=None)
@given(seeds(), seeds())
def test_the_canonical_form_does_not_depend_on_the_order_of_the_nodes(seed: int, other: int) -> None:
    graph = drawn(seed)
    ends = [*graph.inputs, *graph.outputs]
    inner = [name for name in graph.nodes if name not in ends]
    mixed = [*ends, *np.random.default_rng(other).permutation(inner)]
    turned = Graph({str(n): graph.nodes[n] for n in mixed}, graph.wires, graph.dt, graph.name, graph.notes)
    canonicalise = make("canonicalise")
    assert to_text(canonicalise(turned).graph) == to_text(canonicalise(graph).graph)
