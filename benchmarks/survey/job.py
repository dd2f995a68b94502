"""What is counted: a network, on the samples of a data set, by one road, a chunk of samples at a time."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ...toolchain.errors import UsageError
from ...toolchain.graph import Graph
from ...toolchain.graph.nodes.base import shown
from ...toolchain.graph.text import digest
from ...toolchain.loihi.chip_graph import ChipGraph
from ..operations import Road
from .code import counted_by
from .several import misfit
from .sources import DataSource, digest_of, shape_text

if TYPE_CHECKING:
    from torch import Tensor, nn

    Subject: TypeAlias = Graph | ChipGraph | nn.Module

CHUNK = 16
"""Samples that are counted in one go, where their inputs are small."""
CHUNK_VALUES = 1 << 22
"""Input values of a chunk, at most, where a sample has fewer."""
USUAL_STEPS = 32
"""Steps that are assumed for the size of a chunk, so that it does not depend on what a sample holds."""


@dataclass(frozen=True, eq=False)
class Job:
    """A survey, before it is made.

    Args:
        network: a graph, a chip graph, or a torch module that takes [T, B, *shape], several by name.
        data: the samples.
        infer_from_values: of a module, take what a tensor carries from its values where nothing else says it.
        source: what the network was made from, for the journal's words.
    """

    network: Subject
    data: DataSource
    infer_from_values: bool = False
    source: str = ""

    def __post_init__(self) -> None:
        if len(self.data) < 1:
            raise UsageError("data", f"{self.data.about} has no samples", "at least one")
        if isinstance(self.network, Graph | ChipGraph):
            _check_fit(self.network, self.data)

    @property
    def road(self) -> Road:
        """How it is counted."""
        if isinstance(self.network, Graph):
            return "graph"
        return "chip" if isinstance(self.network, ChipGraph) else "module"

    @property
    def chunk(self) -> int:
        """Samples of a chunk."""
        shapes = self.data.shape.values() if isinstance(self.data.shape, Mapping) else (self.data.shape,)
        size = USUAL_STEPS * sum(int(np.prod(shape, dtype=np.int64)) for shape in shapes)
        return max(1, min(CHUNK, CHUNK_VALUES // max(size, 1)))

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return -(-len(self.data) // self.chunk)

    def samples(self, number: int) -> range:
        """The samples of a chunk."""
        return range(number * self.chunk, min((number + 1) * self.chunk, len(self.data)))

    @cached_property
    def about(self) -> Mapping[str, str]:
        """The job in words that can be compared, and one identity over all of them."""
        words = {
            "network": f"{self.source or self._called} {self._digest}",
            "data": f"{self.data.about} {self.data.identity}",
            "road": f"{self.road}{', carries inferred from values' * self.infer_from_values}",
            "code": counted_by(),
            "chunks": f"of {self.chunk} samples",
        }
        # What things are called, and where they lie, decides nothing.
        decides = (self._digest, self.data.identity, words["road"], self.data.carries, words["code"], words["chunks"])
        return {**words, "identity": digest_of(*decides)}

    @property
    def _called(self) -> str:
        return self.network.name if isinstance(self.network, Graph | ChipGraph) else type(self.network).__name__

    @cached_property
    def _digest(self) -> str:
        return digest(self.network) if isinstance(self.network, Graph | ChipGraph) else module_digest(self.network)


def _check_fit(network: Graph | ChipGraph, data: DataSource) -> None:
    """An array for every input, of its shape."""
    takes = {name: network.signals[name].shape for name in network.inputs}
    if found := misfit(takes, data):
        expected = shape_text(takes) if len(takes) > 1 else shown(*takes.values())
        raise UsageError("data", found, f"{expected}, as the network takes")


def module_digest(module: nn.Module) -> str:
    """SHA-256 of a module: its form, its tensors by name, and the source code of the classes it is made of."""
    found = hashlib.sha256(repr(module).encode())
    for name, tensor in module.state_dict().items():
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(_bytes_of(tensor))
    for name, code in sorted(_code_of(module)):
        found.update(f"{name}\n{code}".encode())
    return found.hexdigest()


def _bytes_of(tensor: Tensor) -> bytes:
    import torch

    return bytes(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)


def _code_of(module: nn.Module) -> Iterator[tuple[str, str]]:
    """The source of the files that define the module's classes; of torch its version says enough."""
    files = {sys.modules.get(type(each).__module__) for each in module.modules()}
    for each in files:
        if each is None or each.__name__.split(".")[0] == "torch":
            continue
        try:
            yield each.__name__, inspect.getsource(each)
        except (OSError, TypeError):  # typed in, or compiled: its name has to do
            yield each.__name__, ""
