"""Reading the text form: what is taken, and what is said about the rest."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.errors import SpikeportError
from spikeport.toolchain.graph import Graph, arrays_of, parse, to_text
from spikeport.toolchain.graph.content import hash_of
from spikeport.toolchain.graph.parser import DEEPEST
from support.mutations import changed_texts
from support.random_graphs import random_graph, seeds

WEIGHT = np.arange(12.0).reshape(3, 4)


def net(body: str, ends: str = "in = Input(shape=[4])\nout = Output(in)\n") -> str:
    return f"graph g dt=0.001\n{ends}{body}"


def test_a_text_by_hand_may_use_blanks_comments_and_lists_as_it_likes() -> None:
    text = """
    # a comment
    graph by-hand dt = 1e-3
      in=Input( shape = [ 4 , ], carries="spikes" )   # behind a node
      fc = Affine(in;weight=[[1,0,0,0],[0,1,0,.5]], bias=none,) : graded [ 2 ]
      note = LIF(fc; beta=1, at_least=true)
      out = Output(
          note)
      note source="a note"
    """
    graph = parse(text)
    assert list(graph.nodes) == ["in", "fc", "note", "out"]
    assert graph.nodes["fc"].weight.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0.5]]
    assert graph.nodes["note"].beta == 1.0
    assert graph.notes == {"source": "a note"}
    assert parse(to_text(graph), arrays_of(graph)).nodes["note"].at_least


MESSAGES = {
    "": "line 1, column 1: the end of the text; expected 'graph'",
    "graf g dt=1": "line 1, column 1: 'graf'; expected 'graph'",
    "graph g": "line 1, column 8: the end of the text; expected 'dt'",
    "graph g dt=x": "line 1, column 12: 'x'; expected the length of a step in seconds",
    "graph g dt=-1": "line 1, column 1, dt: -1.0; expected a positive number of seconds",
    "graph g dt=1e999": "line 1, column 12: '1e999'; expected a number that float64 holds",
    "graph g dt=1": "line 1, column 1, g: no input or no output; expected at least one of each",
    net("}"): "line 4, column 1: '}'; expected a node, a note or the end of the text",
    net("a - 3"): "line 4, column 3: '-'; expected '='",
    net("in = Input(shape=[1])"): "line 4, column 1: 'in'; expected another name: there is a node of this one",
    net("a = Lif(in)"): "line 4, column 5: 'Lif'; expected one of Input, Output, Affine, Scale, BatchNorm, ",
    net("a = Add(in, ~)"): "line 4, column 14: ')'; expected the name of a node, or ')'",
    net("a = Add(in in)"): "line 4, column 12: 'in'; expected a field of Add: it has none",
    net(
        "a = Add(in, nobody)"
    ): "line 1, column 1, a: an input from 'nobody', which is not there; expected a node's name",
    net("a = Sigma(out)"): "line 1, column 1, a: an input from the output 'out'; expected the node before it",
    net("a = Add(in)"): "line 1, column 1, a: 1 inputs; expected at least 2 for Add",
    net("a = LIF(in; bta=1)"): "line 4, column 13: 'bta'; expected a field of LIF: gain, bias, v_start, rule, ",
    net("a = LIF(in; beta=1, beta=1)"): "line 4, column 21: 'beta'; expected each field once",
    net("a = LIF(in; threshold=1)"): "line 4, column 25: the end of the text; expected beta of LIF before it",
    net("a = LIF(in; beta=nan)"): "line 4, column 18: 'nan'; expected a value",
    net(
        "a = LIF(in; beta=f32[]{1e39})"
    ): "line 4, column 5, a (LIF), beta: NaN or infinite values; expected finite num",
    net(
        'a = LIF(in; beta="x")'
    ): "line 4, column 5, a (LIF), beta: values of type <U1; expected float32 or float64 num",
    net("a = LIF(in; beta=none)"): "line 4, column 5, a (LIF), beta: none; expected an array",
    net("a = LIF(in; beta=[1, [2]])"): "line 4, column 5, a (LIF), beta: values that make no array",
    net("a = LIF(in; beta=c64[]{1j})"): "line 4, column 25: 'j'; expected ','",
    net("a = LIF(in; beta=c64[]{1+2j})"): "line 4, column 5, a (LIF), beta: values of type complex64; expected float32",
    net("a = LIF(in; beta=f16[]{1})"): "line 4, column 18: 'f16'; expected a value",
    net("a = LIF(in; beta=1, at_least=1)"): "line 4, column 5, a (LIF), at_least: 1; expected true or false",
    net("a = LIF(in; beta=1, reset=[])"): "line 4, column 5, a (LIF), reset: '()'; expected value or subtract or none",
    net("a = LIF(in; beta=1, reset=f32[2]{1,2})"): "line 4, column 27: 'f32'; expected a value for reset that is no ar",
    net("a = LIF(in; beta=f64[4]{1, 2})"): "line 4, column 21: '['; expected a shape of 2 values",
    net("a = LIF(in; beta=f64[9]{1, 2, 3, 4, 5, 6, 7, 8, 9})"): "line 4, column 21: '['; expected at most 8 values",
    net("a = LIF(in; beta=f64[-1]{1})"): "line 4, column 22: '-1'; expected at most 32 sizes, none below 0",
    net("a = LIF(in; beta=f64[9" + "0" * 30 + "]{1})"): "line 4, column 22: '90000000000000000",
    net("a = LIF(in; beta=f64[9]#12)"): "line 4, column 25: '12'; expected 16 digits 0-9, a-f",
    net(
        "a = LIF(in; beta=f64[9]#0123456789abcdef)"
    ): "line 4, column 25: '0123456789abcdef'; expected the hash of an ar",
    net("a = Affine(in; weight=f32[3,4]#WEIGHT)"): "line 4, column 32: f32[3,4]; expected f64[3,4], as the array is",
    net("a = Affine(in; weight=f64[4,3]#WEIGHT)"): "line 4, column 32: f64[4,3]; expected f64[3,4], as the array is",
    net("a = Affine(in; weight=f64[3,4]#1111111111111111)"): (
        "line 4, column 32: array 1111111111111111 with values of another hash, "
    ),
    net("a = Affine(in; weight=f64[3,4]#WEIGHT) : graded [4]"): (
        "line 4, column 52: a : graded [4]; expected graded [3], as it sends"
    ),
    net("a = Affine(in; weight=f64[3,4]#WEIGHT) : spikes"): "line 4, column 58: the end of the text; expected '['",
    net("a = Sigma(in) : many [4]"): "line 4, column 17: 'many'; expected spikes, graded or int[low,high]",
    net("a = Affine(in; weight=[[1]])"): "line 1, column 1, a (Affine), input: shape [4]; expected a last axis of 1",
    net("a = Pad(in; widths=[1])"): "line 4, column 5, a (Pad), widths: (1,); expected pairs of integers",
    net("a = Pad(in; widths=5)"): "line 4, column 5, a (Pad), widths: 5; expected pairs of integers",
    net(
        'a = Activation(in; function="clip", parameters={low: 1, low: 2})'
    ): "line 4, column 57: 'low'; expected each na",
    net('a = Activation(in; function="clip", parameters=[1])'): "line 4, column 5, a (Activation), parameters: (1,); ",
    net("note a=5"): "line 4, column 8: '5'; expected the note's text in quotes",
    net('note a="x'): "line 4, column 8: '\"'; expected the note's text in quotes",
    net('note a="\\x"'): "line 4, column 8: '\"'; expected the note's text in quotes",
    net('note a="x" note a="y"'): "line 4, column 17: 'a'; expected another name: there is a note of this one",
    net("a = Concat(in, in; axis=" + "[" * 40): "expected values at most 16 deep",
    net("a = SubGraph(in)"): "line 4, column 17: the end of the text; expected '{'",
    net("a = SubGraph(in; graph=1)"): "line 4, column 18: 'graph'; expected a field of SubGraph: it has none",
    net("a = SubGraph(in) { graph h dt=0.001 x = Input(shape=[4]) }"): "line 4, column 20, h: no input or no output",
    net("a = SubGraph(in) { graph h dt=1 x = Input(shape=[4]) y = Output(x) }"): (
        "line 1, column 1, a: steps of 1.0 s; expected 0.001 s, as the graph around it has"
    ),
    net("a = SubGraph(in) { graph h dt=0.001 x = Input(shape=[3]) y = Output(x) }"): (
        "line 1, column 1, a (SubGraph), x: graded [4]; expected graded [3], as the inner input promises"
    ),
    net(
        "b = Sigma(b)"
    ): "line 1, column 1, wires: a loop without a delay, b -> b; expected one delayed wire in every lo",
}


@pytest.mark.parametrize("text", MESSAGES, ids=range(len(MESSAGES)))
def test_messages(text: str) -> None:
    short = hash_of(WEIGHT)[:16]
    with pytest.raises(SpikeportError) as caught:
        parse(text.replace("WEIGHT", short), {short: WEIGHT, "1" * 16: WEIGHT})
    message = str(caught.value)
    expected = MESSAGES[text]
    assert message.startswith(expected) or ("deep" in expected and expected in message)


def test_graphs_are_nested_only_so_deep() -> None:
    text = "graph g dt=1 x = Input(shape=[1]) y = Output(x)"
    for _ in range(DEEPEST):
        text = f"graph g dt=1 x = Input(shape=[1]) s = SubGraph(x) {{ {text} }} y = Output(s)"
    assert isinstance(parse(text), Graph)
    with pytest.raises(SpikeportError, match="graphs at most 16 deep"):
        parse(f"graph g dt=1 x = Input(shape=[1]) s = SubGraph(x) {{ {text} }} y = Output(s)")


HUGE = [
    net("a = Pad(in; widths=[[0," + "9" * 18 + "]])"),
    net("a = Reshape(in; shape=[" + ",".join(["1"] * 500) + ",4])"),
    net("", f"in = Input(shape=[{10**17}])\nout = Output(in)\n"),
    net("", f"in = Input(shape=[{','.join(['1000'] * 30)}])\nout = Output(in)\n"),
    net("a = AveragePool(in; window=[1], padding=[[0,1099511627770]])", "in = Input(shape=[1,4])\nout = Output(in)\n"),
    net(f"a = AveragePool(in; window=[{10**17}], ceil=true)", "in = Input(shape=[1,4])\nout = Output(in)\n"),
    net("a = Delay(in; steps=[99999999])"),
    net("a = Add(in, ~c) b = Pad(a; widths=[[0,1]]) c = Pad(b; widths=[[0,1]])"),
    net("a = Concat(in, ~a)"),
    net(f"a = Mean(in; axes=[{','.join(['0'] * 100_000)}])"),
    net(" ".join(f"a{i} = Sigma(a{i + 1})" for i in range(2000)) + " a2000 = Sigma(a0)"),
]


@pytest.mark.parametrize("text", HUGE, ids=range(len(HUGE)))
def test_huge_shapes_lists_and_loops_end_in_one_short_message(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(SpikeportError) as caught:
        parse(text)
    assert time.perf_counter() - start < 5
    assert len(str(caught.value)) < 1000


def test_many_nodes_in_loops_settle_quickly() -> None:
    count = 2000
    body = "\n".join(
        f"a{i} = Add(a{i - 1 if i else 0}x, ~a{(i * 7) % count})".replace("x,", ",") for i in range(1, count)
    )
    start = time.perf_counter()
    graph = parse(net(f"a0 = Add(in, in)\n{body}"))
    assert graph.signals["a1999"].carries.graded
    assert time.perf_counter() - start < 5


@given(seeds(), st.data())
@settings(deadline=None, max_examples=60)
def test_a_changed_text_is_a_graph_or_an_error_with_a_place(seed: int, data: st.DataObject) -> None:
    graph = random_graph(np.random.default_rng(seed), nodes=5, subgraphs=True)
    text, arrays = to_text(graph), arrays_of(graph)
    words = ["true", "f32[2]{1,2}", "c64[]{1+1j}", "{a: 1}", '"x"', "0.5", "é"]
    for changed in changed_texts(np.random.default_rng(seed), text, words):
        outcome = outcome_of(changed, arrays)
        assert isinstance(outcome, Graph) or outcome.startswith("line ")


def outcome_of(text: str, arrays: dict[str, np.ndarray]) -> Graph | str:
    """The graph, read again from its own text, or the message."""
    try:
        graph = parse(text, arrays)
    except SpikeportError as error:
        return str(error)
    again = parse(to_text(graph), arrays_of(graph))
    assert to_text(again) == to_text(graph)
    return again
