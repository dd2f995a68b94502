"""A whole run as one Scan over the steps: what is remembered starts inside, readouts gather as the steps go by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from ..graph import Graph
from ..graph.nodes import Output
from .memory import Memory
from .parts import Block, Op, Sheet, Value
from .step import AFTER, BEFORE, Step, step_of

START, END, GATHERED = "start.", "end.", "gathered."
"""How what is remembered is called before the first step and after the last, and what a readout has gathered."""
STEPS, BATCH = "steps", "batch"
WIDE = np.dtype(np.float64)
"""Sums over steps are made in float64, as the simulation makes them."""


@dataclass(frozen=True)
class Tap:
    """Something that is handed out for every step.

    Args:
        name: what it is called outside.
        node: the node.
        what: sent, voltage or current.
    """

    name: str
    node: str
    what: str


def run_block(graph: Graph, sheet: Sheet, kept: Sequence[Memory], taps: Sequence[Tap] | None = None) -> Block:
    """The block of a run.

    Args:
        graph: the network, without sub-graphs.
        sheet: where constants go.
        kept: what the network remembers.
        taps: what to hand out in place of the readouts, for a run that a backend carries on: then what is remembered
            comes in from outside.
    """
    step = step_of(graph, sheet, kept, lambda name: _inside(graph, name))
    readouts = {name: cast(Output, graph.nodes[name]).readout for name in graph.outputs}
    outs = taps if taps is not None else [Tap(n, n, "sent") for n, r in readouts.items() if r == "steps"]
    sums = {} if taps is not None else {name: READOUTS[how] for name, how in readouts.items() if how != "steps"}
    body = _body(graph, sheet, step, kept, (sums, outs))
    first = graph.inputs[0]
    size = Op("Shape", f"{STEPS}/{first}/{BATCH}", (first,), (f"{STEPS}/{first}/{BATCH}",), {"start": 1, "end": 2})
    starts = [] if taps is not None else [op for each in kept for op in _started(each, sheet, size)]
    starts += [op for name, how in sums.items() for op in how.start(name, graph, sheet, size)]
    made = [START + each.name for each in kept] + [f"{START}{GATHERED}{name}" for name in sums]
    ends = [END + each.name for each in kept] + [f"{END}{GATHERED}{name}" for name in sums]
    settings = {"body": body, "num_scan_inputs": len(graph.inputs)}
    scan = Op("Scan", STEPS, (*made, *graph.inputs), (*ends, *(tap.name for tap in outs)), settings)
    answers = [op for name, how in sums.items() for op in how.end(name, first, sheet)]
    ops = (*([size] if starts else []), *starts, scan, *answers)
    values = [Value(name, sheet.dtype, (STEPS, BATCH, *graph.signals[name].shape)) for name in graph.inputs]
    carried = [_value(START, each, sheet) for each in kept] if taps is not None else []
    found = _answers(graph, sheet, readouts) if taps is None else [_tapped(tap, graph, sheet) for tap in taps]
    return Block(graph.name, (*values, *carried), (*found, *(_value(END, each, sheet) for each in kept)), ops)


def _inside(graph: Graph, name: str) -> str:
    """Inputs and outputs are called by their own names outside, where there is an axis of steps."""
    return f"{name}/step" if name in (*graph.inputs, *graph.outputs) else name


def _value(prefix: str, each: Memory, sheet: Sheet) -> Value:
    return Value(prefix + each.name, sheet.dtype, (BATCH, *each.shape))


def _tapped(tap: Tap, graph: Graph, sheet: Sheet) -> Value:
    return Value(tap.name, sheet.dtype, (STEPS, BATCH, *graph.signals[tap.node].shape))


def _answers(graph: Graph, sheet: Sheet, readouts: Mapping[str, str]) -> list[Value]:
    shapes = {name: graph.signals[name].shape for name in readouts}
    return [
        Value(name, sheet.dtype, (STEPS, BATCH, *shapes[name]) if how == "steps" else (BATCH, *shapes[name]))
        for name, how in readouts.items()
    ]


def _started(each: Memory, sheet: Sheet, size: Op) -> list[Op]:
    """What is remembered before the first step, for every sample."""
    name = START + each.name
    first = sheet.number(0)
    if each.start.any():
        field = f"{each.node}/{each.key}_start"
        held = sheet.large(field, each.start) if each.start.size > 8 else sheet.small(field, each.start)
        first = sheet.prepare("Cast", f"{held}/cast", held, to=sheet.dtype) if each.start.dtype != sheet.dtype else held
    return _expanded(name, first, each.shape, sheet, size)


def _expanded(name: str, first: str, shape: tuple[int, ...], sheet: Sheet, size: Op) -> list[Op]:
    whole = f"{name}/shape"
    sizes = Op("Concat", whole, (size.outputs[0], sheet.ints(shape)), (whole,), {"axis": 0})
    return [sizes, Op("Expand", name, (first, whole), (name,), {})]


@dataclass(frozen=True)
class Gather:
    """How a readout gathers.

    Args:
        wide: whether in float64.
        first: what it has gathered before the first step.
        gather: the operation on what it has and what comes; none: what comes replaces it.
        mean: whether it is divided by the number of steps at the end.
    """

    wide: bool
    first: float
    gather: str = ""
    mean: bool = False

    def dtype(self, sheet: Sheet) -> np.dtype[np.generic]:
        """What it gathers in."""
        return WIDE if self.wide else sheet.dtype

    def start(self, name: str, graph: Graph, sheet: Sheet, size: Op) -> list[Op]:
        """What it has before the first step."""
        kind = self.dtype(sheet)
        first = sheet.small(f"{kind.name}/{self.first}", np.array(self.first, kind))
        return _expanded(f"{START}{GATHERED}{name}", first, graph.signals[name].shape, sheet, size)

    def step(self, name: str, value: str, sheet: Sheet) -> list[Op]:
        """One step."""
        before, after = f"{BEFORE}{GATHERED}{name}", f"{AFTER}{GATHERED}{name}"
        if not self.gather:
            return [Op("Identity", f"{name}/{GATHERED}", (value,), (after,), {})]
        ops = []
        if self.wide and sheet.dtype != WIDE:
            ops.append(Op("Cast", f"{name}/wide", (value,), (f"{name}/wide",), {"to": WIDE}))
            value = f"{name}/wide"
        return [*ops, Op(self.gather, f"{name}/{GATHERED}", (before, value), (after,), {})]

    def end(self, name: str, first: str, sheet: Sheet) -> list[Op]:
        """The answer."""
        value, ops = f"{END}{GATHERED}{name}", []
        if self.mean:
            count, wide, mean = (f"{name}/{part}" for part in ("steps", "steps_wide", "mean"))
            ops.append(Op("Shape", count, (first,), (count,), {"start": 0, "end": 1}))
            ops.append(Op("Cast", wide, (count,), (wide,), {"to": WIDE}))
            ops.append(Op("Div", mean, (value, wide), (mean,), {}))
            value = mean
        last = ("Cast", {"to": sheet.dtype}) if self.wide else ("Identity", {})
        return [*ops, Op(last[0], name, (value,), (name,), last[1])]


READOUTS: Mapping[str, Gather] = {
    "last": Gather(False, 0.0),
    "sum": Gather(True, 0.0, "Add"),
    "mean": Gather(True, 0.0, "Add", mean=True),
    "max": Gather(False, -np.inf, "Max"),
}
"""Every readout but `steps`."""


def _body(
    graph: Graph,
    sheet: Sheet,
    step: Step,
    kept: Sequence[Memory],
    ends: tuple[Mapping[str, Gather], Sequence[Tap]],
) -> Block:
    """What Scan runs in every step."""
    sums, outs = ends

    def gathered(prefix: str, name: str, how: Gather) -> Value:
        return Value(f"{prefix}{GATHERED}{name}", how.dtype(sheet), (BATCH, *graph.signals[name].shape))

    inputs = [
        *(_value(BEFORE, each, sheet) for each in kept),
        *(gathered(BEFORE, name, how) for name, how in sums.items()),
        *(Value(step.sent[name], sheet.dtype, (BATCH, *graph.signals[name].shape)) for name in graph.inputs),
    ]
    handed = {tap.name: f"{tap.node}/{tap.what}/out" for tap in outs}
    outputs = [
        *(_value(AFTER, each, sheet) for each in kept),
        *(gathered(AFTER, name, how) for name, how in sums.items()),
        *(Value(handed[tap.name], sheet.dtype, (BATCH, *graph.signals[tap.node].shape)) for tap in outs),
    ]
    ops = list(step.ops)
    for name, how in sums.items():
        ops += how.step(name, step.sent[name], sheet)
    for tap in outs:
        value = handed[tap.name]
        ops.append(Op("Identity", value, (_tap(tap, step, kept),), (value,), {}))
    return Block(f"{graph.name}.step", tuple(inputs), tuple(outputs), tuple(ops))


def _tap(tap: Tap, step: Step, kept: Sequence[Memory]) -> str:
    """The value of a step that a tap hands out: u of a neuron without a current is what comes in."""
    if tap.what == "sent":
        return step.sent[tap.node]
    key = {"voltage": "v", "current": "u"}[tap.what]
    held = any(each.node == tap.node and each.key == key for each in kept)
    return f"{AFTER}{tap.node}.{key}" if held else step.received[tap.node][0]
