"""How a layer takes up a rescaling s · x + c of what it sends (behind) or of what it receives (ahead).

    behind:  s · (W x + b) + c = (s · W) x + (s · b + c)
    ahead:   W (s · x + c) + b = (W · s) x + (W c + b)

A neuron takes what is ahead into its gain and bias: g · (s · x + c) + b = (g · s) · x + (g · c + b). Everything is
computed in float64; the result is stored in the type that the layer's own arrays have, or in the one asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import GraphError
from ..graph import Node
from ..graph.nodes import (
    IF,
    LIF,
    AdaptiveLIF,
    Affine,
    Contract,
    Conv,
    ConvTranspose,
    CubaIntegrator,
    CubaLIF,
    Integrator,
    LeakyIntegrator,
    StateSpace,
    TemporalKernel,
)
from ..graph.nodes.base import Array
from .base import Stays
from .rescale import Rescale, Shape

Fields = dict[str, Array | None]
NO_BIAS = Stays("it has no bias to take up the shift")


def absorb(node: Node, shape: Shape, r: Rescale, *, ahead: bool, dtype: str | None) -> Node | Stays | None:
    """The node with r taken up; the reason where it cannot; nothing for a node that takes up no rescaling.

    Args:
        node: the layer.
        shape: of the signal that is rescaled: what the layer receives (ahead) or sends.
        r: the rescaling.
        ahead: whether r comes before the layer.
        dtype: the type to store the result in; the layer's own by default.
    """
    rule = (AHEAD if ahead else BEHIND).get(type(node))
    if rule is None:
        return None
    found = rule(node, shape, r)
    return found if isinstance(found, Stays) else stored(node, found, dtype)


def stored(node: Any, fields: Fields, dtype: str | None) -> Node | Stays:
    """The node with other arrays, each in the type of the array before it, or in that of the weight."""
    own = node.arrays()
    usual = next(iter(own.values())).dtype
    kept = {name: value for name, value in fields.items() if value is not None}
    with np.errstate(over="ignore"):
        cast = {name: value.astype(_type(own.get(name), usual, dtype, value)) for name, value in kept.items()}
    try:
        built: Node = replace(node, **cast)
    except GraphError:
        return Stays("its weights would no longer be finite")
    return built


def _type(own: Array | None, usual: Any, dtype: str | None, value: Array) -> Any:
    wanted = np.dtype(dtype) if dtype is not None else usual if own is None else own.dtype
    return np.result_type(wanted, np.complex64) if value.dtype.kind == "c" and wanted.kind != "c" else wanted


def _wide(values: Array) -> Array:
    return values.astype(np.complex128 if values.dtype.kind == "c" else np.float64)


def _bias(old: Array | None, scale: Array | float, shift: Array) -> Array | None:
    if old is None and not shift.any():
        return None
    return shift + 0.0 if old is None else scale * _wide(old) + shift


def _rows(weight: Array, scale: Array) -> Array:
    """W with its first axis scaled."""
    return np.asarray(_wide(weight) * scale.reshape(-1, *([1] * (weight.ndim - 1))))


def _affine_behind(node: Any, shape: Shape, r: Rescale) -> Fields | Stays:
    found = r.vectors(len(shape) - 1, shape[-1])
    if isinstance(found, Stays):
        return found
    return {"weight": _rows(node.weight, found[0]), "bias": _bias(node.bias, *found)}


def _affine_ahead(node: Any, shape: Shape, r: Rescale) -> Fields | Stays:
    found = r.vectors(len(shape) - 1, shape[-1])
    if isinstance(found, Stays):
        return found
    scale, shift = found
    return {"weight": _wide(node.weight) * scale, "bias": _bias(node.bias, 1.0, _wide(node.weight) @ shift)}


def _conv_behind(node: Any, shape: Shape, r: Rescale) -> Fields | Stays:
    found = r.vectors(0, shape[0])
    if isinstance(found, Stays):
        return found
    return {"weight": _rows(node.weight, found[0]), "bias": _bias(node.bias, *found)}


def _conv_ahead(node: Any, shape: Shape, r: Rescale) -> Fields | Stays:
    found = r.vectors(0, shape[0])
    if isinstance(found, Stays):
        return found
    if r.shifts and any(map(any, node.padding)):
        return Stays("its zero padding would miss the shift")
    scale, shift = (_to_groups(part, node) for part in found)
    weight = _wide(node.weight)
    over = tuple(range(1, weight.ndim))
    return {"weight": weight * scale, "bias": _bias(node.bias, 1.0, (weight * shift).sum(over))}


def _to_groups(vector: Array, node: Any) -> Array:
    """One value for each input channel of a Conv, put where its weight has them: (out, in/groups, 1, …)."""
    by_group = vector.reshape(node.groups, node.weight.shape[1])
    rows = np.repeat(by_group, node.weight.shape[0] // node.groups, axis=0)
    return rows.reshape(*rows.shape, *([1] * (node.weight.ndim - 2)))


def _transpose_behind(node: Any, shape: Shape, r: Rescale) -> Fields | Stays:
    found = r.vectors(0, shape[0])
    if isinstance(found, Stays):
        return found
    by_group = found[0].reshape(node.groups, node.weight.shape[1])
    rows = np.repeat(by_group, node.weight.shape[0] // node.groups, axis=0)
    sides = rows.reshape(*rows.shape, *([1] * (node.weight.ndim - 2)))
    return {"weight": _wide(node.weight) * sides, "bias": _bias(node.bias, *found)}


def _transpose_ahead(node: Any, shape: Shape, r: Rescale) -> Fields | Stays:
    found = r.vectors(0, shape[0])
    if isinstance(found, Stays):
        return found
    if r.shifts:
        return Stays("its kernels overlap less at the border, and would see another shift there")
    return {"weight": _rows(node.weight, found[0])}


def _kernel_behind(node: Any, shape: Shape, r: Rescale) -> Fields | Stays:
    found = r.vectors(0, shape[0])
    if isinstance(found, Stays):
        return found
    return {"weight": _wide(node.weight) * found[0][:, None], "bias": _bias(node.bias, *found)}


def _kernel_ahead(node: Any, shape: Shape, r: Rescale) -> Fields | Stays:
    found = r.vectors(0, shape[0])
    if isinstance(found, Stays):
        return found
    if r.shifts and len(node.weight) > 1:
        return Stays("the steps before the first would miss the shift")
    scale, shift = found
    return {"weight": _wide(node.weight) * scale, "bias": _bias(node.bias, 1.0, _wide(node.weight)[0] @ shift)}


def _contract(node: Any, r: Rescale, term: str) -> Fields | Stays:
    """Both sides of a Contract: s goes into M where M has the letters that s varies along."""
    constant = node.terms[1]
    foreign = [term[axis] for axis in sorted(r.varies()) if term[axis] not in constant]
    if foreign:
        return Stays(f"it varies along {foreign[0]}, which the constant of '{node.equation}' does not have")
    if r.shifts:
        return NO_BIAS
    squeezed = r.scale.squeeze(tuple(axis for axis, letter in enumerate(term) if letter not in constant))
    present = [letter for letter in term if letter in constant]
    order = np.argsort([constant.index(letter) for letter in present])
    sides = iter(squeezed.transpose(order).shape)
    lined = [next(sides) if letter in present else 1 for letter in constant]
    return {"constant": _wide(node.constant) * squeezed.transpose(order).reshape(lined)}


def _contract_behind(node: Any, _: Shape, r: Rescale) -> Fields | Stays:
    return _contract(node, r, node.terms[2])


def _contract_ahead(node: Any, _: Shape, r: Rescale) -> Fields | Stays:
    return _contract(node, r, node.terms[0])


def _state_space(node: Any, shape: Shape, r: Rescale, field: str) -> Fields | Stays:
    found = r.vectors(0, shape[0])
    if isinstance(found, Stays):
        return found
    if r.shifts:
        return NO_BIAS
    through = None if node.through is None else _wide(node.through) * found[0]
    return {field: _rows(getattr(node, field), found[0]), "through": through}


def _state_space_behind(node: Any, shape: Shape, r: Rescale) -> Fields | Stays:
    return _state_space(node, shape, r, "outward")


def _state_space_ahead(node: Any, shape: Shape, r: Rescale) -> Fields | Stays:
    return _state_space(node, shape, r, "inward")


def _neuron_ahead(node: Any, _: Shape, r: Rescale) -> Fields | Stays:
    current = node.decays[0]
    if r.shifts and current is not None and current.any():
        return Stays("its synaptic current would see the shift build up")
    gain = _wide(node.gain)
    scaled = gain * r.scale if r.scale.size > 1 else gain * r.scale.reshape(())
    if not r.shifts:
        return {"gain": scaled}
    shift = r.shift if r.shift.size > 1 else r.shift.reshape(())
    return {"gain": scaled, "bias": _wide(node.bias) + gain * shift}


_Rule = Callable[[Any, Shape, Rescale], Fields | Stays]

BEHIND: Mapping[type[Node], _Rule] = {
    Affine: _affine_behind,
    Conv: _conv_behind,
    ConvTranspose: _transpose_behind,
    TemporalKernel: _kernel_behind,
    Contract: _contract_behind,
    StateSpace: _state_space_behind,
}
"""The layers that take up what comes behind them."""

AHEAD: Mapping[type[Node], _Rule] = {
    Affine: _affine_ahead,
    Conv: _conv_ahead,
    ConvTranspose: _transpose_ahead,
    TemporalKernel: _kernel_ahead,
    Contract: _contract_ahead,
    StateSpace: _state_space_ahead,
    **dict.fromkeys((IF, LIF, CubaLIF, AdaptiveLIF, Integrator, LeakyIntegrator, CubaIntegrator), _neuron_ahead),
}
"""The layers and neurons that take up what comes ahead of them."""
