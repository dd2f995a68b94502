"""Lava by the NIR repository's scripts: nir_to_lava.py in, lava_to_nir.py out. Lava itself reads and writes no NIR.

The reader builds blocks of lava-dl (slayer) for everything but a single LIF neuron:

    IF       v̂ = v + x                          fires above r·θ, cut to 1/4096
    CubaLIF  c ← α·c + x;  v̂ = β·v + c          fires above θ, cut to 1/64;  α and β are dt/τ rounded to 1/4096
             only with r = tau_mem/dt, w_in = tau_syn/dt, v_leak = 0, one of each for a layer, and a signal of one axis
    LIF      v̂ = (1 − dt/τ)·v + (dt/τ)·x        one neuron; r is not looked at

All reset to 0. States are kept to 1/4096 of a unit, cut towards 0 in every step: a potential that comes nearer than
that to its threshold may fire otherwise. A leak without a current is a CubaLIF whose current lasts one step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ....toolchain.errors import GraphError
from ....toolchain.graph import Graph, replace_graph
from ....toolchain.graph.nodes import IF, LIF, Array, AveragePool, CubaLIF, Firing, Input, Integrating, Output, SumPool
from ....toolchain.graph.nodes.base import need
from ..tree import Leaf, Tree
from .base import Dialect, Told
from .ode import full, number
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

NEAR: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-8}
"""How near to each other the script wants numbers that have to be the same."""
DECAYS = 4096
"""Steps of a decay from 0 to 1."""
THRESHOLDS: Mapping[str, int] = {"CubaLIF": 64, "IF": 4096}
"""Steps of a threshold in one unit."""
WEIGHTS = 64
"""Steps of a weight in one unit, in a network of lava-dl that was written to a file."""
ENDS = ("Input", "Output")
LAYER = "one for the whole layer: the script's blocks have no parameters of their own"


def exported(leaf: Leaf, told: Told) -> Integrating:
    """CUBA neurons with their decays as they are; a time constant without end is no leak."""
    need(leaf.kind == "CubaLIF", "type", leaf.kind, "CubaLIF, the only neuron that lava_to_nir.py writes")
    alpha, beta = (1 - told.dt / number(leaf, name) for name in ("tau_syn", "tau_mem"))
    return CubaLIF(alpha=alpha, beta=beta, threshold=number(leaf, "v_threshold"), rule="euler")


def imported(leaf: Leaf, told: Told) -> Integrating:
    """The neuron that nir_to_lava.py makes of this one."""
    if leaf.kind == "IF":
        return IF(threshold=_cut(_one(leaf, "v_threshold") * _one(leaf, "r"), "IF"))
    if leaf.kind == "LIF":
        size = number(leaf, "tau").size
        need(size == 1, "type", f"a LIF of {size} neurons", "one neuron, or CubaLIF with tau_syn = dt")
        rate = told.dt / number(leaf, "tau")
        return LIF(beta=1 - rate, gain=rate, threshold=number(leaf, "v_threshold"), rule="euler")
    need(leaf.kind == "CubaLIF", "type", leaf.kind, "IF, LIF or CubaLIF, which nir_to_lava.py reads")
    _agree(leaf, "r", "tau_mem", told)
    _agree(leaf, "w_in", "tau_syn", told)
    leaks = _one(leaf, "v_leak")
    need(bool(np.isclose(leaks, 0.0, **NEAR)), "v_leak", f"{leaks:g}", "0: lava-dl's neurons have no bias")
    alpha, beta = (_decay(told.dt / _one(leaf, name)) for name in ("tau_syn", "tau_mem"))
    fires: dict[str, Any] = {"threshold": _cut(_one(leaf, "v_threshold"), "CubaLIF"), "rule": "euler"}
    return LIF(beta=beta, **fires) if alpha == 0 else CubaLIF(alpha=alpha, beta=beta, **fires)


def _one(leaf: Leaf, name: str) -> float:
    values = np.unique(number(leaf, name))
    need(values.size == 1, name, f"{values.size} different numbers", LAYER)
    return float(values[0])


def _agree(leaf: Leaf, name: str, tau: str, told: Told) -> None:
    found, wanted = _one(leaf, name), _one(leaf, tau) / told.dt
    if not np.isclose(found, wanted, **NEAR):
        fix = f"--dt, which is {told.dt:g} s now"
        raise GraphError(name, f"{found:g}", f"{tau}/dt = {wanted:g}: the script takes no other", fix)


def _decay(rate: float) -> float:
    return float(1 - min(max(np.rint(DECAYS * rate), 0), DECAYS) / DECAYS)


def _cut(threshold: float, kind: str) -> float:
    return float(np.trunc(threshold * THRESHOLDS[kind]) / THRESHOLDS[kind])


def encode(node: Integrating, shape: tuple[int, ...], told: Told) -> Leaf:
    """The numbers from which the script makes this neuron."""
    if not isinstance(node, IF | LIF | CubaLIF):
        raise GraphError("kind", node.kind, "IF, LIF or CubaLIF, which nir_to_lava.py reads")
    kind = "IF" if isinstance(node, IF) else "CubaLIF"
    for name, value in node.arrays().items():
        need(np.unique(value).size == 1, name, "different from neuron to neuron", LAYER)
    values = _fires(node, kind)
    if isinstance(node, IF):
        values["r"] = np.ones(())
    else:
        fits = len(shape) == 1
        need(fits, "shape", f"{len(shape)} axes", "one: the script makes a dense block of the first alone")
        alpha = node.alpha if isinstance(node, CubaLIF) else np.zeros(())
        values |= _currents(alpha, node.beta, told)
    return Leaf(kind, {name: full(value, shape, node) for name, value in values.items()})


def _fires(node: Firing, kind: str) -> dict[str, Array]:
    """What all of them have in common."""
    need(bool((node.gain == 1).all()), "gain", f"{float(node.gain.flat[0]):g}", "1: what comes in is added as it is")
    need(not node.bias.any(), "bias", f"{float(node.bias.flat[0]):g}", "0: the script's neurons have none")
    need(node.reset == "value" and not node.v_reset.any(), "reset", "another than to 0", "to 0, as Loihi resets")
    need(node.when == "now", "when", f"'{node.when}'", "in the step of the spike")
    need(not node.at_least, "at_least", "v ≥ θ fires", "v > θ, as on Loihi")
    need(not node.v_start.any(), "v_start", f"{float(node.v_start.flat[0]):g}", "0")
    level = float(node.threshold.flat[0])
    _on_grid("threshold", level, _nearest(level, THRESHOLDS[kind]))
    return {"v_threshold": node.threshold, "v_reset": node.v_reset}


def _currents(alpha: Array, beta: Array, told: Told) -> dict[str, Array]:
    for name, decay in (("alpha", float(alpha.flat[0])), ("beta", float(beta.flat[0]))):
        need(0 <= decay < 1, name, f"{decay:g}", "from 0 to less than 1: a time constant that is finite")
        _on_grid(name, decay, _nearest(decay, DECAYS))
    values = {"tau_syn": told.dt / (1 - alpha), "tau_mem": told.dt / (1 - beta), "v_leak": np.zeros(())}
    return {**values, "w_in": 1 / (1 - alpha), "r": 1 / (1 - beta)}


def _nearest(value: float, steps: int) -> float:
    return float(np.rint(value * steps) / steps)


def _on_grid(name: str, found: float, nearest: float) -> None:
    """A number that Lava can hold, but for rounding."""
    if abs(found - nearest) > 1e-6 * max(1.0, abs(found)):
        fix = f"{nearest!r} is the nearest one; train with it, or try it with spikeport verify"
        raise GraphError(name, f"{found!r}", "a number on the grid that Lava has for it", fix)


def prepare(graph: Graph) -> Prepared:
    """Potentials that count from the reset, with a gain of 1; no groups, no averages, no bias in a neuron or a loop."""
    return in_order(
        graph,
        _ends_named,
        _pools,
        ungrouped,
        loops_without_bias,
        reset_to_zero,
        lambda it: biases_moved(it, lambda _: 0.0),
        lambda it: with_gain(it, lambda _: 1.0, "voltages scaled so that the gain is 1"),
    )


def _pools(graph: Graph) -> Prepared:
    """Averages, padded sums and sums that leave a rest, which lava-dl would sum too, as convolutions."""
    rests = [id(node) for name, node in graph.nodes.items() if isinstance(node, SumPool) and _rests(graph, name, node)]
    return pools_as_convolutions(graph, lambda pool: isinstance(pool, AveragePool) or padded(pool) or id(pool) in rests)


def _rests(graph: Graph, name: str, pool: SumPool) -> bool:
    sides = graph.received(name)[0].shape[1:]
    return any((side - width) % step for side, width, step in zip(sides, pool.window, pool.stride, strict=True))


def _ends_named(graph: Graph) -> Prepared:
    """The one input called input and the one output called output: the script knows them by these names."""
    called = {name: node.kind.lower() for name, node in graph.nodes.items() if isinstance(node, Input | Output)}
    others = {name: new for name, new in called.items() if name != new and new not in graph.nodes}
    if sorted(called.values()) != ["input", "output"] or not others:
        return graph, ()
    wires = {
        others.get(name, name): tuple(replace(wire, source=others.get(wire.source, wire.source)) for wire in read)
        for name, read in graph.wires.items()
    }
    nodes = {others.get(name, name): node for name, node in graph.nodes.items()}
    return replace_graph(graph, nodes=nodes, wires=wires), tuple(f"{a}: called {b}" for a, b in others.items())


def finish(tree: Tree) -> Tree:
    """A Linear as an Affine, a Flatten up to axis -1; a GraphError for what the script drops or cannot build."""
    ends = {name: node.kind for name, node in tree.nodes.items() if isinstance(node, Leaf) and node.kind in ENDS}
    need(ends == {"input": "Input", "output": "Output"}, "ends", ", ".join(ends), "one input and one output, so called")
    for name, node in tree.nodes.items():
        for here, words in ((0, "reads from"), (1, "feeds")):
            count = sum(edge[1 - here] == name for edge in tree.edges)
            need(count < 2, f"'{name}'", f"{words} {count} nodes", "one: the script builds a chain")
        if isinstance(node, Leaf) and node.kind == "Conv2d":
            need(not number(node, "bias").any(), f"bias of '{name}'", "another than 0", "0: the script refuses it")
    nodes = {k: _leaf(_single(node, k)) if isinstance(node, Leaf) else _layer(node) for k, node in tree.nodes.items()}
    return replace(tree, nodes=nodes)


def _single(node: Leaf, name: str) -> Leaf:
    """Weights in float32, where that holds them."""
    held = {key: np.asarray(number(node, key), np.float32) for key in ("weight", "bias") if key in node.values}
    exact = all(np.array_equal(value, number(node, key)) for key, value in held.items())
    need(exact, f"weights of '{name}'", "in float64", "in float32, in which lava-dl computes")
    return replace(node, values={**node.values, **held}) if held else node


def _leaf(node: Leaf) -> Leaf:
    """A Linear with a bias of 0; a Flatten up to the last axis, whose number the script would count with the batch."""
    if node.kind == "Flatten":
        last, axes = int(number(node, "end_dim")), number(node, "input_type").size
        need(last in (-1, axes - 1), "end_dim", str(last), "the last axis: the script counts others with the batch")
        return replace(node, values={**node.values, "end_dim": np.asarray(-1)})
    if node.kind != "Linear":
        return node
    weight = number(node, "weight")
    return replace(node, kind="Affine", values={**node.values, "bias": np.zeros(weight.shape[-2], weight.dtype)})


def _layer(tree: Tree) -> Tree:
    """A sub-graph of an input, an output, a CubaLIF and the dense layer that leads back to it."""
    leaves = [node for node in tree.nodes.values() if isinstance(node, Leaf)]
    kinds = sorted(leaf.kind for leaf in leaves)
    known = kinds in (["Affine", "CubaLIF", "Input", "Output"], ["CubaLIF", "Input", "Linear", "Output"])
    need(known and len(tree.nodes) == 4, "sub-graph", ", ".join(kinds), "one CubaLIF and one dense layer behind it")
    biased = any("bias" in leaf.values and bool(number(leaf, "bias").any()) for leaf in leaves)
    need(not biased, "bias in a loop", "another than 0", "0: lava-dl drops it", "put it on the layer in front")
    return tree


def known(tree: Tree) -> tuple[float, str] | None:
    """Every decay, threshold and weight on Loihi's grid, and gains of 1."""
    leaves = [leaf for leaf in tree.nodes.values() if isinstance(leaf, Leaf)]
    neurons = [leaf for leaf in leaves if leaf.kind == "CubaLIF"]
    dense = [leaf for leaf in leaves if leaf.kind in ("Linear", "Affine")]
    others = {leaf.kind for leaf in leaves} - {"CubaLIF", "Linear", "Affine", "Conv2d", "Flatten", "Input", "Output"}
    if not neurons or not dense or others or not all(map(_of_loihi, neurons)):
        return None
    if not all(_whole(number(leaf, "weight") * WEIGHTS) for leaf in dense):
        return None
    return 0.85, "decays in 4096ths at dt = 1e-4 s, thresholds and weights in 64ths"


def _of_loihi(leaf: Leaf) -> bool:
    with np.errstate(divide="ignore"):
        decays = [DECAYS * DT / number(leaf, name) for name in ("tau_syn", "tau_mem")]
        gains = [DT * number(leaf, r) / number(leaf, tau) for r, tau in (("r", "tau_mem"), ("w_in", "tau_syn"))]
    grids = [*decays, number(leaf, "v_threshold") * WEIGHTS]
    ones = all(bool(np.isclose(gain, 1, **NEAR).all()) for gain in gains if np.isfinite(gain).all())
    return ones and all(map(_whole, grids)) and not number(leaf, "v_leak").any()


def _whole(values: Array) -> bool:
    return bool(np.isclose(values, np.rint(values), rtol=1e-6, atol=1e-6).all())


DT = 1e-4
DIALECT = Dialect(
    name="lava",
    about="lava-dl 0.6, which reads no NIR itself: what nir_to_lava.py in the docs of the NIR repository builds of a "
    "file, and what lava_to_nir.py writes; dt = 1e-4 s, 12-bit decays, reset to 0; on the chip every layer answers one "
    "step later",
    told=Told(dt=DT),
    exported=exported,
    imported=imported,
    encode=encode,
    takes=frozenset(
        {"Input", "Output", "Affine", "Linear", "Conv2d", "SumPool2d", "Flatten", "IF", "CubaLIF", "NIRGraph"}
    ),
    prepare=prepare,
    finish=finish,
    warns=lambda _: ("lava: states are kept to 1/4096, cut towards 0: a potential that near to θ may fire otherwise",),
    known=known,
)
