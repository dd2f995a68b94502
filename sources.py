"""What a SOURCE can be, and how each becomes a graph; and the names of files that a graph can be saved under.

net.graph                 our own file: a graph, or a chip graph
net.net, .h5, .hdf5       a netx file of lava-dl: a chip graph
net.parts, .parts.json    netx files and how they join: a chip graph
net.nir, .nirparts        a NIR file, or several and how they join
net.onnx                  an ONNX file: our own, or an ANN
net.safetensors           a checkpoint: weights, and in its header the network of the zoo they belong to
package.module:factory    a function of yours that gives a torch module, or (module, example input)
name                      a network of the zoo, with random weights or those of --weights
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .network_files import FILES, called, network_in
from .toolchain.errors import SpikeportError, UsageError
from .toolchain.source import Reading, Source

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .models.sources import Network
    from .toolchain.graph import Graph
    from .toolchain.loihi.chip_graph import ChipGraph

CHECKPOINT = ".safetensors"
_NO_EXAMPLE = "say --shape, or let the factory give (module, example input)"
EXAMPLE_STEPS, EXAMPLE_BATCH = 4, 2
"""The size of the example that a factory's network is traced with when it brings none."""


def load(
    source: str | os.PathLike[str],
    *,
    weights: str | os.PathLike[str] | None = None,
    shape: tuple[int, ...] | None = None,
    carries: str = "graded",
    host: bool = False,
    dialect: str | None = None,
    dt: float | None = None,
    reset: str | None = None,
) -> Graph | ChipGraph:
    """The graph of a SOURCE; a chip graph where the file holds one.

    Args:
        source: a name of the zoo, a `.safetensors` checkpoint, `package.module:factory`, a `.graph`, `.nir` or `.onnx`
            file, or a netx file (`.net`, `.h5`, `.hdf5`).
        weights: a file with weights for a network that is built by a name.
        shape: for a factory that gives no example input, the shape of one step of one sample.
        carries: for a factory, what its input promises to carry: graded, spikes or int[low,high].
        host: keep what a chip cannot do as Host nodes, in place of a refusal.
        dialect: for a NIR file that does not say it, whose it is.
        dt: for a NIR file, the length of a step in seconds.
        reset: for a NIR file, what a spike does to the voltage: value, subtract or none.
    """
    given = None if weights is None else Path(weights)
    return graph_of(Source(os.fspath(source), given, shape, carries, host, Reading(dialect, dt, reset)))


def graph_of(given: Source) -> Graph | ChipGraph:
    """The graph of a SOURCE with its options, or the chip graph."""
    given.reading.refuse(given.name)
    if given.name.endswith(FILES):
        return network_in(given)
    if ":" in given.name:
        return _from_factory(given)
    return _from_zoo(given)


def module_of(given: Source) -> nn.Module:
    """The torch module of a SOURCE that is one: a name of the zoo, a checkpoint, or a factory."""
    if given.name.endswith(FILES):
        raise UsageError(given.name, "holds no torch module", "a name of the zoo, a checkpoint, or a factory")
    if ":" in given.name:
        return _made(given)[0]
    _check_zoo(given)
    from .models.sources import network_of

    return network_of(given.name, given.weights).module


def example_of(given: Source) -> object:
    """An example of the input of a SOURCE's torch module: the factory's own, or a made one [T, B, *shape]."""
    if ":" in given.name:
        example = _made(given)[1]
        if example is None and given.shape is None:
            raise UsageError(given.name, "gives a module and no example of its input", fix=_NO_EXAMPLE)
        return _example(given, EXAMPLE_STEPS, EXAMPLE_BATCH) if given.shape is not None else example
    _check_zoo(given)
    from .models.sources import network_of

    return _zoo_example(network_of(given.name, given.weights))


def save(graph: Graph | ChipGraph, path: str | os.PathLike[str], **options: object) -> None:
    """Writes a graph or a chip graph, whole or not at all, in the format that the name's suffix says.

    Args:
        graph: the network.
        path: the file; .graph, .net, .nir, .onnx or the name of a folder that ends in .parts or .nirparts.
        options: of a NIR file dialect="norse" and the like, of an ONNX file unroll="scan".
    """
    from .exporters.formats import FORMATS

    by_suffix = {each.suffix: each for each in FORMATS.values()}
    suffix = Path(path).suffix
    if suffix not in by_suffix:
        raise UsageError("save", f"'{path}'", f"a name that ends in {' or '.join(by_suffix)}")
    how = by_suffix[suffix]
    wrong = [name for name in options if name not in how.options]
    if wrong:
        raise UsageError("save", f"{wrong[0]}= for '{path}'", ", ".join(how.options) or f"none for {suffix}")
    if not how.parts:
        how.write(graph, Path(path), **options)
        return
    with how.draft(Path(path)) as draft:
        how.write(graph, draft, **options)


def _from_factory(given: Source) -> Graph:
    module, example = _made(given)
    if given.shape is None and example is None:
        raise UsageError(given.name, "gives a module and no example of its input", fix=_NO_EXAMPLE)
    return _traced(given, module, example)


def _made(given: Source) -> tuple[nn.Module, object]:
    """What a factory gives: a module with its weights, and an example of its input or None."""
    import torch

    made = _call(given.name)
    module, example = made if isinstance(made, tuple) and len(made) == 2 else (made, None)
    if not isinstance(module, torch.nn.Module):
        found = f"gives a value of type {type(module).__name__}"
        raise UsageError(given.name, found, "a torch module, or (module, example input)")
    if given.weights is not None:
        from .models.checkpoints import load_weights

        load_weights(module, given.weights)
    return module, example


def _traced(given: Source, module: nn.Module, example: object) -> Graph:
    """Traces with the factory's own example, or a made one: of all steps, or of one where only that works."""
    from .toolchain.tracing import trace

    title = called(given.name.rpartition(":")[2])
    if given.shape is None:
        return trace(module, example, carries=given.carries, host=given.host, name=title)
    steps, one = _example(given, EXAMPLE_STEPS, EXAMPLE_BATCH), _example(given, EXAMPLE_BATCH)
    try:
        return trace(module, steps, time_axis=0, carries=given.carries, host=given.host, name=title)
    except SpikeportError:
        # What is traced has been proved on the example, so it cannot be the wrong one of the two.
        with contextlib.suppress(SpikeportError):
            return trace(module, one, time_axis=None, carries=given.carries, host=given.host, name=title)
        raise


def _example(given: Source, *lead: int) -> Tensor:
    """Values for the input of a factory's network."""
    return _drawn((*lead, *(given.shape or ())), given.carries)


def _drawn(shape: tuple[int, ...], carries: str) -> Tensor:
    """Values that make neurons spike: zeros and ones, or normal where real numbers may come in."""
    import torch

    source = torch.Generator().manual_seed(0)
    if carries == "graded":
        return torch.randn(shape, generator=source)
    return torch.randint(0, 2, shape, generator=source).float()


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
    except (Exception, SystemExit) as error:
        raise UsageError(name, f"cannot be made: {type(error).__name__}: {error}", fix=_fix(error)) from error


def _fix(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError):
        return "see that it is installed, or go to the folder that holds it"
    return "--debug shows where"


def _from_zoo(given: Source) -> Graph:
    """A network of the zoo by its name, with random weights of seed 0, or a checkpoint of one."""
    _check_zoo(given)
    from .models.sources import network_of
    from .toolchain.tracing import trace

    network = network_of(given.name, given.weights)
    example = _zoo_example(network)
    name = called(Path(given.name).stem) if given.name.endswith(CHECKPOINT) else network.name
    host = given.host or network.host
    return trace(network.module, example, time_axis=0, carries=network.carries, host=host, name=name)


def _zoo_example(network: Network) -> Tensor | dict[str, Tensor]:
    """Values for each input of a network of the zoo."""
    made = {
        name: _drawn((EXAMPLE_STEPS, EXAMPLE_BATCH, *kind.shape), kind.carries) for name, kind in network.takes.items()
    }
    return network.example(made)


def _check_zoo(given: Source) -> None:
    from .models.zoo import ZOO

    if not given.name.endswith(CHECKPOINT) and given.name not in ZOO:
        files = "a .safetensors, .graph, .nir, .onnx or netx file"
        known = f"a name of the zoo ({', '.join(ZOO)}), {files}, or package.module:factory"
        weights = Path(given.name).suffix in (".pt", ".pth")
        fix = f"weights alone become one: spikeport models NAME --weights {given.name} -o FILE.safetensors"
        raise UsageError(given.name, "is no SOURCE", known, fix if weights else "")
