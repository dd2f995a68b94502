"""What `inspect` shows of a chip graph: its synapses and its neurons in a table each, as a chip would hold them."""

from __future__ import annotations

import math
from dataclasses import MISSING, fields
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from .console import Result
from .graph.nodes.base import Array
from .graph.text import digest, is_default, to_text
from .loihi.chip_graph import ChipGraph
from .loihi.limits import LOIHI2
from .loihi.processes import Conv, DelayDense, DelaySparse
from .loihi.processes.synapses import Matrix, Synapse
from .loihi.summary import ChipRow, summarise, weights
from .tables import by, count, number, table

SHORT = {
    "current_decay": "du",
    "voltage_decay": "dv",
    "threshold_decay": "dθ",
    "refractory_decay": "dr",
    "threshold": "θ",
    "threshold_step": "Δθ",
    "high": "θ+",
    "low": "θ-",
    "bias": "b",
    "bias_exponent": "be",
    "spike_exponent": "se",
    "state_exponent": "xe",
}
"""What the table calls the fields of neurons; all others go by their names."""
LONG = 2**20
"""Powers of two from here on are shown as such."""


def inspected_chip(chip: ChipGraph, *, text: bool) -> Result:
    """What a chip graph is made of, for people and for programs."""
    rows = summarise(chip)
    data = {
        "name": chip.name,
        "dt": chip.dt,
        "inputs": list(chip.inputs),
        "outputs": list(chip.outputs),
        "notes": dict(chip.notes),
        "nodes": [_row_data(row) for row in rows],
        "neurons": sum(row.neurons for row in rows),
        "synapses": sum(row.synapses or 0 for row in rows),
        "digest": digest(chip),
        "text": to_text(chip),
    }
    whole = Text(to_text(chip).rstrip("\n"), no_wrap=True, overflow="ignore")
    parts: list[RenderableType] = [] if text else [Text(), _synapses(rows), Text(), _neurons(rows), *_warnings(rows)]
    return Result(data, Group(whole, *parts))


def _synapses(rows: tuple[ChipRow, ...]) -> RenderableType:
    columns = ("synapses", "kind", "from", ">weights", ">bits", "options", ">number")
    made = table(columns, [_synapse(row, row.node) for row in rows if isinstance(row.node, Synapse)])
    made.add_section()
    made.add_row("total", *[""] * 5, count(sum(row.synapses or 0 for row in rows)), style="bold")
    return made


def _synapse(row: ChipRow, node: Synapse) -> tuple[str, ...]:
    source, bits = row.sources[0].removeprefix("~"), row.weight_bits or f"over {LOIHI2.weight_bits}"
    return (
        row.name,
        node.kind,
        source,
        _range(weights(node)),
        f"{bits}",
        ", ".join(_options(node)),
        count(row.synapses),
    )


def _options(node: Any) -> list[str]:
    """What there is to say about a synapse beside its weights."""
    found = [f"×2^{node.exponent}"] if isinstance(node, Matrix) and node.exponent else []
    if isinstance(node, Conv):
        found.append(by(node.kernel))
        sizes = {"stride": (node.stride, 1), "pad": (node.padding, 0), "dilation": (node.dilation, 1)}
        found += [f"{name} {_both(pair)}" for name, (pair, usual) in sizes.items() if set(pair) != {usual}]
        found += [f"groups {node.groups}"] if node.groups > 1 else []
    if isinstance(node, (DelayDense, DelaySparse)):
        found.append(f"delay {_range(node.delay)}")
    return [*found, f"payload {node.message_bits} bits"] if node.message_bits else found


def _both(pair: tuple[int, int]) -> str:
    return f"{pair[0]}" if pair[0] == pair[1] else by(pair)


def _neurons(rows: tuple[ChipRow, ...]) -> RenderableType:
    columns = ("neurons", "kind", "shape", "parameters", ">number", ">worst sum", ">of 24 bits")
    made = table(columns, [_neuron(row) for row in rows if row.neurons])
    made.add_section()
    made.add_row("total", *[""] * 3, count(sum(row.neurons for row in rows)), style="bold")
    return made


def _neuron(row: ChipRow) -> tuple[str, ...]:
    worst = "" if row.sum is None else f"{row.sum.magnitude:,}"
    shape, parameters = by(row.sends.shape), _parameters(row.node)
    return (row.name, row.node.kind, shape, parameters, count(row.neurons), worst, _share(row.filled))


def _parameters(node: Any) -> str:
    """Every field that is not at its default, short; of arrays the smallest and the largest value."""
    said = []
    for each in fields(node):
        value = getattr(node, each.name)
        if each.default is MISSING or not is_default(value, each):
            shown = _range(value) if isinstance(value, np.ndarray) else _short(value)
            said.append(f"{SHORT.get(each.name, each.name)} {shown}")
    return ", ".join(said)


def _short(value: object) -> str:
    """A value; large powers of two, as an interval without end is one, as such."""
    if isinstance(value, int) and value >= LONG and value & (value - 1) == 0:
        return f"2^{value.bit_length() - 1}"
    return f"{value}"


def _range(values: Array) -> str:
    low, high = int(values.min()), int(values.max())
    return f"{low}" if low == high else f"{low}..{high}"


def _share(filled: float | None) -> str:
    if filled is None:
        return ""
    return f"{number(100 * filled, 3)} %" if math.isfinite(filled) else "no limit"


def _warnings(rows: tuple[ChipRow, ...]) -> list[RenderableType]:
    """What the last columns mean, and which neurons they should make one look at."""
    filled = {row.name: row.filled for row in rows if row.filled is not None}
    if not filled:
        return []
    over = [name for name, share in filled.items() if share > 1]
    says = "no current can leave its 24 bits" if not over else f"the current of {', '.join(over)} could wrap"
    return [Text(f"\nWorst sum: all that pushes one way comes at once. Then {says}.")]


def _row_data(row: ChipRow) -> dict[str, object]:
    filled = row.filled if row.filled is None or math.isfinite(row.filled) else "unbounded"
    return {
        "name": row.name,
        "kind": row.node.kind,
        "role": row.node.role,
        "sources": list(row.sources),
        "shape": list(row.sends.shape),
        "carries": str(row.sends.carries),
        "neurons": row.neurons,
        "synapses": row.synapses,
        "weight_bits": row.weight_bits,
        "worst_sum": None if row.sum is None else [row.sum.least, row.sum.most],
        "filled": filled,
    }
