"""The ONNX files: a graph out and back again, models of others into a graph, modules out through torch's exporter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..toolchain.errors import FileError
from ..toolchain.graph import Graph
from ..toolchain.graph.inline import inline
from ..toolchain.graph.nodes import Output
from ..toolchain.onnx.model import Unroll
from ..toolchain.onnx.proto import Built, Elsewhere
from ..toolchain.onnx.proto import write as write_message
from ..toolchain.writing import files_whole

INSIDE = 1_500_000_000
"""More bytes of weights than this lie in a file beside the model: one message of protobuf holds no more than 2 GiB."""
BESIDE = ".data"
"""What the name of that file ends with, behind the model's."""


def write(graph: Graph, path: str | Path, *, unroll: Unroll = None) -> tuple[str, ...]:
    """Writes a graph as an ONNX model, with the graph itself in its metadata.

    Args:
        graph: the network.
        path: the file.
        unroll: none for one step, with all that is remembered as inputs and outputs; scan for a whole run.

    Returns:
        What whoever runs the model has to know.

    Raises:
        FileError: when the file cannot be written.
    """
    from .onnx.ours import described

    built = described(graph, unroll)
    with files_whole(path) as draft, draft.open("wb") as file:
        if built.size <= INSIDE:
            write_message(built, file)
        else:
            with draft.with_name(draft.name + BESIDE).open("wb") as weights:
                write_message(built, file, Elsewhere(draft.name + BESIDE, weights))
    return _remarks(graph, built, Path(path).name, unroll)


def _remarks(graph: Graph, built: Built, name: str, unroll: Unroll) -> tuple[str, ...]:
    """What the model does not do by itself, and what it does in another way than one may think."""
    flat = inline(graph)
    found = list(built.remarks)
    ends = {end: node.readout for end, node in flat.nodes.items() if isinstance(node, Output)}
    gathered = [f"{how} of '{end}'" for end, how in ends.items() if how != "steps"]
    if unroll is None:
        if any(value.name.startswith("state.") for value in built.block.inputs):
            said = "what starts at another value than 0 is under 'start' in its metadata, the rest starts at 0"
            starts = said if "start" in built.about else "all of it starts at 0"
            found.append(f"the model is one step: each output next.X is the next step's input state.X; {starts}")
        if gathered:
            found.append(f"the model is one step: the {', '.join(gathered)} over the steps is left to whoever runs it")
    if built.size > INSIDE:
        found.append(f"its weights lie in {name}{BESIDE}, which has to stay beside it")
    return tuple(found)


def read(
    path: str | Path, *, batch: str = "first", sizes: Mapping[str, int] | None = None
) -> tuple[Graph, tuple[str, ...]]:
    """The graph that an ONNX file says, and what a user has to know of it.

    One of our own models gives the graph that it was written from, if the model in the file is still the one that
    follows from it. Any other is read operator by operator.

    Args:
        path: the file.
        batch: of a model of others, which axis of its inputs is the batch: first or none.
        sizes: of such a model, the sizes of axes that it leaves open, by their names.

    Raises:
        FileError: when it is no ONNX file, a broken one, or one of ours that was changed.
        Refused: with every reason why a graph cannot say it.
    """
    from .onnx.opening import open_model
    from .onnx.ours import graph_in, is_ours
    from .onnx.reading import read_foreign

    model = open_model(path)
    if is_ours(model):
        return graph_in(model, Path(path)), ()
    found = read_foreign(path, batch=batch, sizes=sizes)
    return found.graph, found.remarks


def export_module(module: Any, example: Any, path: str | Path) -> tuple[str, ...]:
    """Writes a torch module as ONNX by torch's own exporter, for what cannot be traced into a graph.

    Args:
        module: the module.
        example: what it is called with: a tensor, or a tuple of them.
        path: the file.

    Returns:
        What whoever runs the model has to know.

    Raises:
        FileError: when the exporter fails, or ONNX Runtime answers otherwise than the module.
    """
    from .onnx.module import export

    if not str(path).endswith(".onnx"):
        raise FileError(str(path), "another suffix", "a name that ends in .onnx")
    return export(module, example, Path(path))
