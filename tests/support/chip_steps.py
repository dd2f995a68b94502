"""The plain definition of a chip graph's run, with the states after every step, and where numbers left their range."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import numpy as np
import pytest
from spikeport.toolchain.loihi import arithmetic
from spikeport.toolchain.loihi.chip_graph import ChipGraph

MODULES = ("adaptive", "delta", "ends", "graded", "neurons", "synapses")
RULES = ("int32", "wrap24", "modulo24", "saturate24")
Values = dict[str, np.ndarray]


class Definition:
    """A run.

    Attributes:
        sent: what every node sends in every step, [T, B, *shape].
        states: NAME.STATE after every step, [T, B, *shape].
        left: how many numbers each rule has changed, by (kind of process, rule).
    """

    def __init__(self, graph: ChipGraph, inputs: Values) -> None:
        self.sent: Values = {}
        self.states: Values = {}
        self.left: Counter[tuple[str, str]] = Counter()
        with _watched() as self._seen:
            self._run(graph, inputs)

    def _run(self, graph: ChipGraph, inputs: Values) -> None:
        steps, batch = next(iter(inputs.values())).shape[:2]
        self.sent = {n: np.zeros((steps, batch, *graph.signals[n].shape), np.int64) for n in graph.nodes}
        states = {
            name: node.start((graph.received(name) or (graph.signals[name],))[0].shape, batch, np.int64)
            for name, node in graph.nodes.items()
        }
        for name, state in states.items():
            for key, value in state.items():
                if key not in ("coming", "t"):
                    self.states[f"{name}.{key}"] = np.zeros((steps, *value.shape), np.int64)
        for t in range(steps):
            for name in graph.order:
                node = graph.nodes[name]
                handed = [inputs[name][t]] if name in graph.inputs else self._handed(graph, name, t)
                self._seen.clear()
                self.sent[name][t], states[name] = node.step(states[name], *handed)
                self.left.update({(node.kind, rule): count for rule, count in self._seen.items()})
                for key, value in states[name].items():
                    if f"{name}.{key}" in self.states:
                        self.states[f"{name}.{key}"][t] = value

    def _handed(self, graph: ChipGraph, name: str, t: int) -> list[np.ndarray]:
        nothing = {wire.source: np.zeros_like(self.sent[wire.source][0]) for wire in graph.wires[name]}
        return [
            self.sent[wire.source][t - wire.delayed] if t >= wire.delayed else nothing[wire.source]
            for wire in graph.wires[name]
        ]


@contextmanager
def _watched() -> Iterator[Counter[str]]:
    """Counts the numbers that a rule of the arithmetic changes, wherever a process uses it."""
    seen: Counter[str] = Counter()
    with pytest.MonkeyPatch.context() as patch:
        for name in MODULES:
            module = import_module(f"spikeport.toolchain.loihi.processes.{name}")
            for rule in set(RULES) & set(vars(module)):
                patch.setattr(module, rule, _counting(rule, seen))
        yield seen


def _counting(rule: str, seen: Counter[str]):
    plain = getattr(arithmetic, rule)

    def counted(x: object) -> np.ndarray:
        found = plain(x)
        seen[rule] += int(np.count_nonzero(found != np.asarray(x, np.int64)))
        return found

    return counted
