"""Text and file of chip graphs: those of graphs, with the word `chip` and the processes of the chip.

    chip net dt=0.001
      in = ChipInput(shape=[34]) : spikes [34]
      fc = Dense(~in; weight=i64[10,34]#9a1b2c3d4e5f6071, exponent=2) : graded [10]
      lif = LIF(fc; current_decay=4096, voltage_decay=128, threshold=400) : spikes [10]
      out = ChipOutput(lif) : spikes [10]

`to_text`, `digest`, `arrays_of` and `save` of toolchain/graph take a chip graph as it is; what is read here may be one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..graph.graph import Graph
from ..graph.nodes.base import Array
from ..graph.parser import GRAPHS, Form, read
from ..graph.store import load_any
from .chip_graph import ChipGraph
from .processes import PROCESSES

CHIPS = Form(ChipGraph, PROCESSES)
EITHER: tuple[Form[Graph | ChipGraph], ...] = (GRAPHS, CHIPS)
"""What a text or a file may hold."""


def parse(text: str, arrays: Mapping[str, Array] | None = None) -> ChipGraph:
    """The chip graph whose text form this is.

    Args:
        text: what `to_text` printed, or what a hand wrote.
        arrays: the arrays that the text names by hash, as `arrays_of` gives them.
    """
    return read(text, arrays or {}, (CHIPS,))


def load(path: str | os.PathLike[str]) -> Graph | ChipGraph:
    """Read a graph or a chip graph from a file that `save` wrote: the file says which."""
    return load_any(path, EITHER)
