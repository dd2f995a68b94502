"""Counting one chunk: what a process does, be it this one, one beside it, or one on another machine.

samples of a batch ─► count_graph · count_chip · count_module ─► one count for each sample ─► Chunk
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...toolchain.errors import SpikeportError, UsageError
from ...toolchain.graph import Graph
from ...toolchain.graph.nodes.base import Array, shown
from ...toolchain.loihi.chip_graph import ChipGraph
from ..operations import OpCount, Promise
from .chunk import Chunk
from .job import Job
from .sources import DataSource, Inputs, each_of
from .table import tabled

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .job import Subject

_ONE = threading.Lock()
"""A process counts one chunk at a time: the kernels use all the cores it has."""


@dataclass(frozen=True, eq=False)
class Read:
    """Samples that were read where the data is, on their way to where they are counted.

    Args:
        batches: inputs [T, B, *shape], by name where there are several, and labels [B].
        said: what was merged, capped or left out.
    """

    batches: tuple[tuple[Inputs, Array | None], ...]
    said: tuple[str, ...]


def read(data: DataSource, samples: range) -> Read:
    """Some samples, as many in a batch as fit together."""
    size = data.together or len(samples)
    parts = [samples[start : start + size] for start in range(0, len(samples), size)]
    return Read(tuple(data.batch(part) for part in parts), data.said(samples))


def errand(job: Job, number: int) -> Read | DataSource:
    """What another process needs of the data for a chunk: the samples, or how they are made."""
    return job.data if job.data.travels else read(job.data, job.samples(number))


def count_chunk(
    network: Subject, given: Read | DataSource, samples: range, carries: Promise, *, infer_from_values: bool = False
) -> Chunk:
    """The counts of some samples.

    Args:
        network: a graph, a chip graph or a torch module.
        given: the samples, or where they come from.
        samples: their numbers.
        carries: what the data promises to be, for a module.
        infer_from_values: of a module, take what a tensor carries from its values where nothing else says it.
    """
    with _ONE:
        held = given if isinstance(given, Read) else read(given, samples)
        counts: list[OpCount] = []
        labels: list[int] = []
        for inputs, classes in held.batches:
            first = samples[len(counts)]
            try:
                counts += _counted(network, inputs, carries, infer_from_values=infer_from_values)
            except SpikeportError as error:
                raise error.inside(_called(first, _size(inputs)[1])) from error
            labels += [] if classes is None else classes.tolist()
        return Chunk(tabled(counts), _labels(labels, len(counts)), held.said)


def _size(inputs: Inputs) -> tuple[int, int]:
    """Steps, and samples."""
    one = next(iter(inputs.values())) if isinstance(inputs, Mapping) else inputs
    return one.shape[0], one.shape[1]


def _called(first: int, count: int) -> str:
    return f"sample {first}" if count == 1 else f"samples {first} to {first + count - 1}"


def _labels(labels: Sequence[int], count: int) -> Array | None:
    import numpy as np

    if not labels:
        return None
    if len(labels) != count:
        raise UsageError("data", f"{len(labels)} labels for {count} samples", "one for each")
    return np.array(labels, np.int64)


def _counted(network: Subject, inputs: Inputs, carries: Promise, *, infer_from_values: bool) -> Sequence[OpCount]:
    """One count for each sample of a batch."""
    if isinstance(network, Graph):
        from ..counting.of_graph import count_graph

        return count_graph(network, inputs)
    if isinstance(network, ChipGraph):
        from ..counting.of_chip import count_chip

        return count_chip(network, inputs)
    return list(_by_module(network, inputs, carries, infer_from_values=infer_from_values))


def _by_module(network: nn.Module, inputs: Inputs, carries: Promise, *, infer_from_values: bool) -> Iterator[OpCount]:
    """A module is counted one sample at a time: what it does in a batch cannot be told apart."""
    import torch

    steps, samples = _size(inputs)
    for sample in range(samples):

        def alone(values: Array, sample: int = sample) -> Tensor:
            return torch.from_numpy(values[:, sample : sample + 1]).float()

        given = each_of(inputs, alone)
        yield run_counted(_fresh(network), given, carries=carries, infer_from_values=infer_from_values, steps=steps)


def run_counted(network: nn.Module, given: object, **options: Any) -> OpCount:
    """What `count_module` gives; a UsageError where the module itself cannot run on this.

    Args:
        network: the module.
        given: its inputs.
        options: of `count_module`.
    """
    from ..counting.of_module import count_module

    try:
        return count_module(network, given, **options)
    except (SpikeportError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        if (why := _own_error(network, given)) is None:
            raise
        found = f"cannot run on inputs of {_shapes(given)}: {why}"
        raise UsageError(type(network).__name__, found, fix="give it what its forward takes") from error


def _own_error(network: nn.Module, given: object) -> str | None:
    """What the module raises where nobody counts; none where it runs."""
    import torch

    try:
        with torch.no_grad():
            if isinstance(given, Mapping):
                network(**given)
            else:
                network(*(given if isinstance(given, tuple | list) else (given,)))
    except (Exception, SystemExit) as error:
        return f"{type(error).__name__}: {(str(error).strip() or '?').splitlines()[0][:160]}"
    return None


def _shapes(given: object) -> str:
    """The shapes of inputs, in words."""
    import torch

    if isinstance(given, Mapping):
        return ", ".join(f"{_shapes(each)} for '{name}'" for name, each in given.items())
    if isinstance(given, tuple | list):
        return ", ".join(map(_shapes, given))
    return f"shape {shown(tuple(given.shape))}" if isinstance(given, torch.Tensor) else type(given).__name__


def _fresh(network: nn.Module) -> nn.Module:
    """The module with a state of its own, as it was given: neurons that remember must not carry it to other samples."""
    try:
        return copy.deepcopy(network, {id(each): each for each in network.parameters()})
    except Exception as error:
        found = f"its state cannot be copied: {str(error).splitlines()[0][:100]}"
        raise UsageError(type(network).__name__, found, fix="reset it before it is counted") from error
