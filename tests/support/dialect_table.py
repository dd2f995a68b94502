"""docs/dialects.md, made of the tables and of what the cases of the tests are traced to.

cd tests && ../.venv/bin/python -m support.dialect_table > ../docs/dialects.md
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.graph.nodes import Firing, Input, Node, Output
from spikeport.toolchain.graph.nodes.neurons import Integrating
from spikeport.toolchain.tracing import trace
from spikeport.toolchain.tracing.dialects import norse, ours, snntorch, spikingjelly
from support import norse_cases, our_cases, snntorch_cases, spikingjelly_cases
from support.dialects import DISTANCE, STEPS, Case

COMMAND = "cd tests && ../.venv/bin/python -m support.dialect_table > ../docs/dialects.md"
TESTS = Path(__file__).parents[1] / "toolchain/tracing/dialects"
BUGS, OPTIONS = TESTS / "test_framework_bugs.py", TESTS / "test_refused_options.py"
FRAMEWORKS = {
    "Norse 1.1": (norse, norse_cases.cases),
    "snnTorch 1.0": (snntorch, snntorch_cases.cases),
    "SpikingJelly 2.0": (spikingjelly, spikingjelly_cases.cases),
    "Our own neurons": (ours, our_cases.cases),
}
TITLES = {"norse": "Norse", "snntorch": "snnTorch", "spikingjelly": "SpikingJelly"}
HEAD = f"""# Dialects

What each neuron of each framework becomes in a graph. This page is printed from the tables of
`toolchain/tracing/dialects` and from what their tests are traced to; a test compares it with them:

    {COMMAND}

Every line is a set of options that was run by the framework itself in float64 over {STEPS} steps and compared with the
traced graph: the spikes are the same in every step and neuron, voltages to 1e-9. In the framework's own float32 they
are the same until v̂ comes closer to θ than {DISTANCE:g} (times the largest |v̂|, where that is above 1).

- **node**: what the module becomes; in brackets what stands in front of it or behind it. `↺` reads what the neuron sent
  in the step before.
- **fires**: how v̂ is compared with θ.
- **reset**: what a spike does, and when: now, in the next step, or guarded (see `toolchain/graph/nodes/neurons.py`).
- **gain**: what the input is multiplied by: 1, r = 1 − β, or a number of its own.

A caller's own rows, `trace(..., rows={{MyNeuron: make_node}})`, come before these tables. A subclass counts as its base
while it defines nothing but a constructor; with methods of its own it is refused by its name.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for title, (dialect, cases) in FRAMEWORKS.items():
        parts.append(f"\n## {title}\n\n{_table(list(cases()))}")
        reasons = getattr(dialect, "REASONS", {})
        if reasons:
            parts.append(f"\nRefused by name, with what descends from it:\n\n{_reasons(reasons)}")
    parts.append(f"\n## Options that are refused\n\n{_listed(refused_options())}")
    parts.append(f"\n## What the frameworks get wrong\n\nEach is pinned by a test.\n\n{_listed(bugs())}")
    return "".join(parts)


def _table(cases: list[Case]) -> str:
    """One line for each module and each node that it becomes."""
    lines: dict[tuple[str, ...], dict[str, None]] = {}
    for case in cases:
        lines.setdefault((case.row, *described(_traced(case))), {})[case.options or "as it is"] = None
    rows = ["| module | options | node | fires | reset | gain |", "|---|---|---|---|---|---|"]
    last, modules = "", list(dict.fromkeys(module for module, *_ in lines))
    for (module, *columns), options in sorted(lines.items(), key=lambda line: modules.index(line[0][0])):
        shown = f"`{module}`" if module != last else ""
        rows.append(f"| {shown} | {' · '.join(options)} | {' | '.join(columns)} |")
        last = module
    return "\n".join(rows) + "\n"


def _traced(case: Case) -> Graph:
    module = case.module()
    x = torch.rand(4, 2, *case.shape, generator=torch.Generator().manual_seed(1))
    return trace(module, x, time_axis=0, check=False)


def described(graph: Graph) -> tuple[str, str, str, str]:
    """Node, compare, reset and gain of the neuron in a graph."""
    inner = {name: node for name, node in graph.nodes.items() if not isinstance(node, (Input, Output))}
    senders = {
        name: node for name, node in inner.items() if isinstance(node, Integrating) and not _is_twin(node, inner)
    }
    if not senders:
        return (", ".join(node.kind for node in inner.values()) or "nothing") + _readout(graph), "", "", ""
    name, neuron = next(iter(senders.items()))
    return _node(graph, name, inner) + _readout(graph), _fires(neuron), _reset(neuron), _gain(neuron)


def _readout(graph: Graph) -> str:
    """What of a run the spikes are, where that is not every step."""
    (output,) = (node for name, node in graph.nodes.items() if isinstance(node, Output) and name == "spikes")
    return "" if output.readout == "steps" else f", read out as {output.readout}"


def _is_twin(node: Node, inner: dict[str, Node]) -> bool:
    spiking = any(isinstance(each, Firing) and each.emit == "spikes" for each in inner.values())
    return spiking and not (isinstance(node, Firing) and node.emit == "spikes")


def _node(graph: Graph, name: str, inner: dict[str, Node]) -> str:
    order = [each for each in graph.order if each in inner and not isinstance(inner[each], Integrating)]
    front, behind = [], []
    for each in order:
        mark = "↺" if any(wire.delayed for wire in graph.wires[each]) else ""
        late = any(wire.source == name and not wire.delayed for wire in graph.wires[each])
        (behind if late else front).append(inner[each].kind + mark)
    kind = inner[name].kind
    return (
        kind
        + (f" [{', '.join(front)} in front]" if front else "")
        + (f" [{', '.join(behind)} behind]" if behind else "")
    )


def _fires(neuron: Any) -> str:
    return "" if not isinstance(neuron, Firing) else "≥ θ" if neuron.at_least else "> θ"


def _reset(neuron: Any) -> str:
    if not isinstance(neuron, Firing) or neuron.reset == "none":
        return "none" if isinstance(neuron, Firing) else ""
    what = "−θ" if neuron.reset == "subtract" else "to 0" if not neuron.v_reset.any() else "to v_reset"
    return f"{what}, {neuron.when}"


def _gain(neuron: Any) -> str:
    if (neuron.gain == 1).all():
        return "1"
    _, beta = neuron.decays
    return "r" if beta is not None and abs(neuron.gain - (1 - beta)).max() < 1e-12 else "its own"


def _reasons(reasons: dict[str, str]) -> str:
    """Modules by the reason they share."""
    shared: dict[str, list[str]] = {}
    for name, why in reasons.items():
        shared.setdefault(why, []).append(f"`{name.rsplit('.', 1)[1]}`")
    rows = [f"| {', '.join(names)} | {why} |" for why, names in shared.items()]
    return "\n".join(["| module | why |", "|---|---|", *rows]) + "\n"


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines) + "\n"


def refused_options() -> Iterator[str]:
    """What the messages of refused options say, from the table of their tests."""
    for each in ast.walk(ast.parse(OPTIONS.read_text(encoding="utf-8"))):
        if (
            isinstance(each, ast.AnnAssign)
            and isinstance(each.value, ast.Dict)
            and ast.unparse(each.target) == "REFUSALS"
        ):
            for key, value in zip(each.value.keys, each.value.values, strict=True):
                yield f"{TITLES[ast.literal_eval(key).split()[0]]}: {ast.literal_eval(value.elts[1])}"  # type: ignore[attr-defined, arg-type]


def bugs() -> Iterator[str]:
    """The first lines of the docstrings of the tests that pin what a framework gets wrong."""
    for each in ast.parse(BUGS.read_text(encoding="utf-8")).body:
        if isinstance(each, ast.FunctionDef) and each.name.startswith("test_"):
            yield (ast.get_docstring(each) or "").splitlines()[0]


if __name__ == "__main__":
    sys.stdout.write(page())
