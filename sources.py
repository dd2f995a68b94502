"""What a SOURCE can be, and how each becomes a graph; and the names of files that a graph can be saved under.

net.graph                 our own file
net.safetensors           a checkpoint: weights, and in its header the network of the zoo they belong to
package.module:factory    a function of yours that gives a torch module, or (module, example input)
name                      a network of the zoo, with its checkpoint where there is one
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .toolchain.errors import FileError, SpikeportError, UsageError
from .toolchain.source import Source

if TYPE_CHECKING:
    from torch import Tensor

    from .toolchain.graph import Graph

EXAMPLE_STEPS, EXAMPLE_BATCH = 4, 2
"""The size of the example that a factory's network is traced with when it brings none."""


def load(source: str | os.PathLike[str] | Source) -> Graph:
    """The graph of a SOURCE.

    Args:
        source: what the command line takes, or a `Source` with options.
    """
    given = source if isinstance(source, Source) else Source(os.fspath(source))
    if given.name.endswith(".graph"):
        return _from_graph_file(given)
    if ":" in given.name:
        return _from_factory(given)
    return _from_zoo(given)


def save(graph: Graph, path: str | os.PathLike[str]) -> None:
    """Writes a graph, whole or not at all, in the format that the name's suffix says."""
    from .exporters.formats import FORMATS

    by_suffix = {each.suffix: each for each in FORMATS.values()}
    suffix = Path(path).suffix
    if suffix not in by_suffix:
        raise UsageError("save", f"'{path}'", f"a name that ends in {' or '.join(by_suffix)}")
    by_suffix[suffix].write(graph, Path(path))


def _from_graph_file(given: Source) -> Graph:
    from .toolchain.graph.store import load as load_graph

    if given.weights is not None:
        raise UsageError("--weights", f"a file of weights beside {given.name}, which holds its own", fix="leave it out")
    return load_graph(given.name)


def _from_factory(given: Source) -> Graph:
    import torch

    from .models.checkpoints import load_weights
    from .toolchain.tracing import trace

    made = _call(given.name)
    module, example = made if isinstance(made, tuple) and len(made) == 2 else (made, None)
    if not isinstance(module, torch.nn.Module):
        raise UsageError(given.name, f"gives {_kind(module)}", "a torch module, or (module, example input)")
    if given.weights is not None:
        load_weights(module, given.weights)
    if given.shape is not None or example is None:
        example = _example(given)
    return trace(module, example, time_axis=None if given.one_step else 0, carries=given.carries, host=given.host)


def _example(given: Source) -> Tensor:
    import torch

    if given.shape is None:
        fix = "say --shape, or let the factory give (module, example input)"
        raise UsageError(given.name, "gives a module and no example of its input", fix=fix)
    lead = (EXAMPLE_BATCH,) if given.one_step else (EXAMPLE_STEPS, EXAMPLE_BATCH)
    return torch.zeros(*lead, *given.shape)


def _call(name: str) -> Any:
    """Imports a module, from the current folder too, and calls the function in it."""
    where, _, what = name.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(where)
        for part in what.split("."):
            found = getattr(found, part)
        return found()
    except SpikeportError:
        raise
    except Exception as error:
        raise UsageError(name, f"cannot be made: {type(error).__name__}: {error}", fix=_fix(error)) from error


def _fix(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return "see that it is installed, or go to the folder that holds it"
    return "--debug shows where"


def _kind(value: object) -> str:
    return f"a {type(value).__name__}"


def _from_zoo(given: Source) -> Graph:
    raise FileError(given.name, "is no SOURCE")
