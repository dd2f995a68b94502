"""The pipeline: its account, its notes, its errors; and the tables of names."""

from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from spikeport.toolchain import passes
from spikeport.toolchain.errors import GraphError, UsageError
from spikeport.toolchain.graph import Graph, chain
from spikeport.toolchain.graph.nodes import LIF, Affine, BatchNorm, Conv, Input, Output, Permute, Scale
from spikeport.toolchain.passes import PASSES, PIPELINES, Change, Pass, PassResult, Pipeline, Refusal, make, pipeline


def small() -> Graph:
    return chain(
        [
            ("in", Input((2, 4, 4))),
            ("same", Permute((0, 1, 2))),
            ("conv1", Conv(np.ones((3, 2, 3, 3), np.float32))),
            ("bn1", BatchNorm(np.zeros(3), np.ones(3), epsilon=0.0)),
            ("lif1", LIF(beta=0.5)),
            ("bn2", BatchNorm(np.zeros(3), np.ones(3), epsilon=0.0)),
            ("out", Output()),
        ]
    )


def test_the_account_says_what_happened_and_what_did_not() -> None:
    result = pipeline("drop_identities", "fold_batchnorm", "merge_linear")(small())
    assert result.text() == (
        "DropIdentities(), bit for bit\n"
        "  + dropped same, axes in the order they had\n"
        "FoldBatchnorm(dtype=None), up to rounding\n"
        "  + folded bn1 into conv1, computed in float64 and rounded to float32\n"
        "  - bn2 stays: before it, lif1 is LIF, which takes up no scale; "
        "after it, out is Output, which takes up no scale\n"
        "MergeLinear(), up to rounding\n"
        "  nothing to do"
    )
    assert [change.nodes for change in result.changes] == [("same",), ("bn1", "conv1")]
    assert result.refusals == (Refusal("bn2", result.refusals[0].why),)
    assert not result.exact
    assert pipeline("drop_identities", "merge_linear")(small()).exact


def test_the_notes_say_which_passes_changed_the_graph_and_keep_what_was_there() -> None:
    graph = small().with_notes(source="a file")
    once = pipeline("drop_identities", "merge_linear", "fold_batchnorm")(graph).graph
    assert dict(once.notes) == {"source": "a file", "passes": "DropIdentities(), FoldBatchnorm(dtype=None)"}
    twice = Pipeline((make("canonicalise"),))(Pipeline((_Renaming(),))(once).graph).graph
    assert twice.notes["passes"] == "DropIdentities(), FoldBatchnorm(dtype=None), _Renaming(to='other')"


def test_a_graph_that_has_nothing_to_change_comes_back_as_it_is() -> None:
    graph = chain([("in", Input((3,))), ("fc", Affine(np.ones((2, 3)))), ("lif", LIF(beta=0.5)), ("out", Output())])
    result = pipeline("simplify", "lower")(graph)
    assert result.graph is graph
    assert not result.changes
    assert [step.name for step in result.steps] == [*PIPELINES["simplify"], *PIPELINES["lower"]]


@dataclass(frozen=True)
class _Renaming(Pass):
    to: str = "other"

    name: ClassVar[str] = "renaming"
    exact: ClassVar[bool] = True

    def __call__(self, graph: Graph) -> PassResult:
        return PassResult(Graph(graph.nodes, graph.wires, graph.dt, self.to, graph.notes), (Change((), "renamed"),))


def test_an_error_says_which_pass_it_came_from() -> None:
    with pytest.raises(GraphError, match="name: '!'") as caught:
        Pipeline((make("drop_identities"), make("fold_batchnorm"), _Renaming("!")))(small())
    assert caught.value.__notes__ == [
        "while running _Renaming(to='!') after [DropIdentities(), FoldBatchnorm(dtype=None)]"
    ]


@pytest.mark.parametrize("name", PASSES)
def test_every_pass_of_the_table_is_a_frozen_value_named_after_its_module(name: str) -> None:
    each = make(name)
    assert isinstance(each, Pass)
    assert each.name == name == type(each).__module__.rpartition(".")[2]
    assert repr(each).startswith(type(each).__name__ + "(")
    assert isinstance(each.exact, bool)
    assert each == make(name)
    with pytest.raises(FrozenInstanceError):
        each.name = "other"  # type: ignore[misc]


def test_every_module_with_a_pass_is_in_the_table() -> None:
    folder = Path(passes.__file__).parent
    found = {file.stem for file in folder.glob("*.py") if "name: ClassVar[str] = " in file.read_text()}
    assert found == set(PASSES)
    assert {name for part in PIPELINES.values() for name in part} <= set(PASSES)


def test_names_and_options_that_are_not_there_are_said() -> None:
    with pytest.raises(UsageError, match=r"^pass: 'fold'; expected inline_subgraphs or drop_dead_nodes or "):
        make("fold")
    with pytest.raises(UsageError, match=r"^fold_batchnorm: the option 'dtypes'; expected dtype$"):
        make("fold_batchnorm", dtypes=1)
    with pytest.raises(UsageError, match=r"^canonicalise: the option 'x'; expected no options$"):
        make("canonicalise", x=1)
    with pytest.raises(UsageError, match=r"^pass: 'simplest'"):
        pipeline("drop_identities", "simplest")


def test_scales_that_stay_are_told_with_both_reasons() -> None:
    graph = chain([("in", Input((2,))), ("s", Scale(2.0)), ("out", Output())])
    result = pipeline("fold_batchnorm")(graph)
    assert [refusal.text() for refusal in result.refusals] == [
        "s stays: before it, in is Input, which takes up no scale; after it, out is Output, which takes up no scale"
    ]
