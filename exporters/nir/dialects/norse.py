"""Norse 1.1: Euler steps whose length its importer is told, gains that it takes for granted, and a first v of v_leak.

    exported   LIFBox   v̂ = v + dt/τ·(v_leak − v + x)                       LIF, LI; the file's τ is dt·τ (issue 411)
               LIFCell  i += x;  v̂ = v + dt/τ·(v_leak − v + i);  i decays   CubaLIF, although w_in is 1 in the file
               IAF      v̂ = v + x                                           IF
    imported   LIF      LIFBox; r and v_reset are dropped: r is 1, v_reset 0
               CubaLIF  i += dt/τ_syn·(v_leak − i + w_in·x);  v̂ = v + dt/τ_mem·(v_leak − v + r·i);  v_reset is 0
               IF       IAF; r and v_reset are dropped, and dt is not used: v̂ = v + x

v starts at v_leak, and i of an imported CubaLIF as well, so that i is v_leak more than its input makes it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ....toolchain.errors import GraphError
from ....toolchain.graph import Graph
from ....toolchain.graph.nodes import IF, LIF, Array, AveragePool, CubaLIF, Firing, Integrating
from ....toolchain.graph.nodes.base import need
from ..tree import Leaf, Tree
from . import ode
from .base import Dialect, Told
from .chains import every, learned, neurons
from .depth_first import runnable
from .ode import decay_of, number
from .preparing import (
    Prepared,
    biases_moved,
    in_order,
    loops_without_bias,
    padded,
    pools_as_convolutions,
    reset_to_zero,
    ungrouped,
    with_gain,
)

STEP = 1e-3
"""The step that its importer, its exporter and its neurons take where they are not told another."""


TINY = 1e-4
"""Time constants that nobody means in seconds."""
SCALED = 0.8
"""How sure it is that a trained network with time constants as short as that is Norse's."""


def exported(leaf: Leaf, told: Told) -> Integrating:
    """Its own neurons. A τ below the step has been multiplied by it, as to_nir(dt=0.001) does."""
    node = ode.decode(_unscaled(leaf, told.dt), told)
    if isinstance(node, IF):
        return replace(node, gain=1.0)
    leak = 1 - np.asarray(node.decays[1])
    fields: dict[str, Any] = {"v_start": number(leaf, "v_leak")}
    if node.decays[0] is not None:
        fields["gain"] = leak * number(leaf, "r") * number(leaf, "w_in")
    return replace(node, **fields)


def _unscaled(leaf: Leaf, dt: float) -> Leaf:
    names = [name for name in ("tau", "tau_syn", "tau_mem") if name in leaf.values]
    small = any((number(leaf, name) < dt).any() for name in names)
    return Leaf(leaf.kind, {**leaf.values, **{name: number(leaf, name) / dt for name in names}}) if small else leaf


def imported(leaf: Leaf, told: Told) -> Integrating:
    """The neuron that `from_nir(graph, dt=dt)` makes."""
    need(leaf.kind in ("IF", "LIF", "CubaLIF"), "kind", leaf.kind, "IF, LIF or CubaLIF: its importer has no others")
    fire: dict[str, Any] = {"threshold": number(leaf, "v_threshold"), "reset": "value", "when": "now"}
    if leaf.kind == "IF":
        return IF(**fire)
    cuba = leaf.kind == "CubaLIF"
    euler = replace(told, rule="euler")
    beta, rest = decay_of(number(leaf, "tau_mem" if cuba else "tau"), euler), number(leaf, "v_leak")
    membrane: dict[str, Any] = {"beta": beta, "v_start": rest, "rule": told.rule}
    if not cuba:
        return LIF(gain=1 - beta, bias=rest * (1 - beta), **membrane, **fire)
    alpha, r = decay_of(number(leaf, "tau_syn"), euler), number(leaf, "r")
    gain = r * (1 - beta) * number(leaf, "w_in") * (1 - alpha)
    return CubaLIF(alpha=alpha, gain=gain, bias=rest * (1 + r) * (1 - beta), **membrane, **fire)


def encode(node: Integrating, shape: tuple[int, ...], told: Told) -> Leaf:
    """r = 1; of a CubaLIF w_in = g/((1 − α)·(1 − β))."""
    if not isinstance(node, (IF, LIF, CubaLIF)):
        raise GraphError("kind", node.kind, "IF, LIF or CubaLIF: its importer has no others")
    _refuse(node)
    told = replace(told, rule="euler")
    alpha, beta = node.decays
    values: dict[str, Array] = {"v_threshold": node.threshold, "v_reset": np.zeros(()), "r": np.ones(())}
    if beta is not None:
        values |= {"tau" if alpha is None else "tau_mem": ode.tau_of(beta, told, "beta"), "v_leak": node.v_start}
    if alpha is not None and beta is not None:
        values |= {"tau_syn": ode.tau_of(alpha, told, "alpha"), "w_in": node.gain / ((1 - alpha) * (1 - beta))}
    return Leaf(ode.KINDS[type(node)], {name: ode.full(value, shape, node) for name, value in values.items()})


def _refuse(node: Firing) -> None:
    alpha, beta = node.decays
    found = f"{node.reset} · {node.when}"
    need(node.reset == "value" and node.when == "now", "reset", found, "value · now: what its importer makes")
    need(not node.v_reset.any(), "v_reset", "another value than 0", "0: its importer drops v_reset")
    need(not node.at_least, "at_least", "true", "false: it fires above θ")
    rest = np.zeros(()) if beta is None or alpha is not None else node.v_start
    leak = np.zeros(()) if beta is None else 1 - beta
    starts = "0" if beta is None or alpha is not None else "bias/(1 − beta)"
    fits = np.allclose(node.v_start, rest, 1e-6, 1e-9) and np.allclose(node.bias, rest * leak, 1e-6, 1e-9)
    need(bool(fits), "bias", "one that v_start does not go with", f"v_start = {starts}, where its neurons start")
    if alpha is None:
        ones = np.allclose(node.gain, 1.0 if beta is None else leak, 1e-6, 0)
        need(bool(ones), "gain", "another value", "1 − beta, or 1 of an IF: its importer drops r")


def _gain(node: Firing) -> Array | float | None:
    alpha, beta = node.decays
    if alpha is not None or beta is None:
        return None if alpha is not None else 1.0
    return np.asarray(1 - beta)


def _rest(node: Integrating) -> Array | float:
    """What is left of a bias: what keeps v where it starts."""
    beta = node.decays[1]
    return 0.0 if beta is None else (1 - beta) * node.v_start


def prepare(graph: Graph) -> Prepared:
    """Resets to 0, gains of 1 − β, no other bias in a neuron than its rest, none in a loop, no groups, no averages."""
    return in_order(
        graph,
        reset_to_zero,
        lambda it: with_gain(it, _gain, "voltages scaled, so that the gain is 1 − beta, or 1 of an IF"),
        lambda it: biases_moved(it, _rest),
        loops_without_bias,
        lambda it: pools_as_convolutions(it, lambda pool: isinstance(pool, AveragePool) or padded(pool)),
        ungrouped,
    )


def warns(tree: Tree) -> tuple[str, ...]:
    """The step, which its importer has to be told where it is not its own."""
    dt = tree.metadata.get("dt")
    own = dt is None or isinstance(dt, str) or float(dt) == STEP
    return () if own else (f"norse.torch.from_nir has to be told dt={float(np.asarray(dt))!r}",)


def step_of(tree: Tree) -> float | None:
    """The step that to_nir multiplies time constants by, where they are shorter than it; nobody tells it another."""
    return STEP if known(tree) is not None and any((tau < STEP).any() for tau in _taus(tree)) else None


def _taus(tree: Tree) -> list[Array]:
    names = ("tau", "tau_mem", "tau_syn")
    return [number(leaf, name) for leaf in neurons(tree) for name in names if name in leaf.values]


def known(tree: Tree) -> tuple[float, str] | None:
    """r = 1 and v_reset = 0 in every neuron; time constants in millionths of a second; w_in = 1 of a CubaLIF."""
    found = neurons(tree)
    if not found or not all(_looks_own(leaf) for leaf in found):
        return None
    taus = _taus(tree)
    if any((tau < STEP).any() for tau in taus):
        tiny = learned(tree) and all((tau < TINY).all() for tau in taus)
        said = "r is 1, and time constants are shorter than a step of 0.001 s, as to_nir multiplies them by it"
        return (SCALED if tiny else 0.3), said
    if any(leaf.kind == "CubaLIF" for leaf in found):
        return 0.3, "r and w_in are 1 in every neuron, and v_reset is 0"
    pooled = any(leaf.kind in ("Flatten", "SumPool2d", "AvgPool2d") for leaf in every(tree))
    # its exporter writes neither pools nor a Flatten; sinabs writes an IF like this too, and is no surer
    return None if taus or pooled else (0.2, "r is 1 and v_reset is 0 in every IF")


def _looks_own(leaf: Leaf) -> bool:
    try:
        ones = [number(leaf, name) for name in ("r", "w_in") if name in leaf.values]
        return all((one == 1).all() for one in ones) and not np.asarray(leaf.values.get("v_reset", 0.0)).any()
    except (GraphError, TypeError):
        return False


DIALECT = Dialect(
    name="norse",
    about="Norse 1.1: gains taken for granted, v starts at v_leak; its exporter multiplies time constants by the step",
    told=Told(0.0, "euler", "value", "now"),
    exported=exported,
    imported=imported,
    encode=encode,
    takes=frozenset({"Input", "Output", "Affine", "Linear", "Conv2d", "Flatten", "SumPool2d", "NIRGraph"})
    | {"IF", "LIF", "CubaLIF"},
    loops="subgraph",
    finish=runnable,
    warns=warns,
    step_of=step_of,
    prepare=prepare,
    batched=True,
    known=known,
)
