"""Synapses as the keys of a layer, so that lava-dl's loader makes processes of them that send the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..toolchain.errors import GraphError
from ..toolchain.graph.nodes.base import Array
from ..toolchain.loihi.chip_graph import ChipGraph
from ..toolchain.loihi.limits import LOIHI2
from ..toolchain.loihi.processes import RF, RF_IZ, Conv, DelayDense, DelaySparse, Dense, Sparse
from ..toolchain.loihi.processes.synapses import Delayed, Matrix, Synapse
from .netx_chain import Block
from .netx_read_layers import BYTE
from .netx_read_neurons import STATE_EXPONENT
from .netx_weights import NotLoaded, file_weights, file_weights_of_pair, loaded

Keys = dict[str, Any]
PAYLOAD = (1 << (LOIHI2.message_bits - 1)) - 1
"""The largest payload of a graded spike."""


@dataclass
class LayerWriter:
    """Writes the synapses of blocks.

    Args:
        chip: the network.
        bits: of the messages that the next block's synapses will see in the loader's network.
        remarks: what there is to say about the file.
    """

    chip: ChipGraph
    bits: int
    remarks: list[str] = field(default_factory=list)

    def keys(self, block: Block) -> tuple[str, Keys]:
        """The type of the layer, and the keys of its synapses.

        Raises:
            GraphError: when the loader cannot be made to build them.
        """
        nodes = {part: self.chip.nodes[name] for part, name in block.parts.items()}
        for name in block.parts.values():
            self._check_messages(name)
        synapse = nodes.get("synapse")
        if isinstance(synapse, Conv):
            return "conv", self._conv(block.parts["synapse"], synapse)
        for part, node in nodes.items():
            if not isinstance(node, (Dense, Sparse, DelayDense, DelaySparse)):
                raise GraphError(block.parts[part], f"a {node.kind}", "Dense, DelayDense or Conv")
        matrices = {part: node for part, node in nodes.items() if isinstance(node, Matrix)}
        if "real" in matrices:
            return "dense", self._complex(block, matrices)
        if "recurrent" in matrices:
            return "dense_rec", self._recurrent(block, matrices)
        keys = {"weight": self._weights(block.parts["synapse"], matrices["synapse"])}
        return "dense", {**keys, **_delay(block.parts["synapse"], matrices["synapse"])}

    def _check_messages(self, name: str) -> None:
        """Payloads or plain spikes, as the loader decides by what stands before; for 0 and 1 it is all the same."""
        node, source = self.chip.nodes[name], self.chip.wires[name][0].source
        low, high = self.chip.signals[source].carries.bounds
        seen = isinstance(node, Synapse) and node.message_bits > 0
        if seen != (self.bits > 0) and not (low >= 0 and high <= 1):
            found = f"{'payloads' if seen else 'plain spikes'} of '{source}'"
            there = "payloads" if self.bits else "plain spikes"
            raise GraphError(f"{name}.message_bits", found, f"{there}, as the loader gives this layer")

    def _conv(self, name: str, node: Conv) -> Keys:
        if node.groups > BYTE:
            raise GraphError(f"{name}.groups", f"{node.groups}, which Lava keeps in 8 bits", f"at most {BYTE}")
        window = {key: np.array(getattr(node, key), np.int64) for key in ("stride", "padding", "dilation")}
        sizes = {"inChannels": node.weight.shape[1] * node.groups, "outChannels": node.weight.shape[0]}
        kernel = np.array(node.kernel, np.int64)
        return {"weight": _small(node.weight), **window, "groups": node.groups, **sizes, "kernelSize": kernel}

    def _weights(self, name: str, node: Matrix) -> Array:
        try:
            weight = file_weights(node)
        except NotLoaded as error:
            raise _refusal(name, error) from None
        self._remark_wrapping(name, node, weight)
        return _small(weight)

    def _complex(self, block: Block, nodes: Mapping[str, Matrix]) -> Keys:
        """Two matrices, at the state exponent that the loader takes."""
        neuron = self.chip.nodes[block.neuron]
        up = neuron.state_exponent - STATE_EXPONENT if isinstance(neuron, (RF, RF_IZ)) else 0
        keys: Keys = {}
        for part, key in (("real", "weight/real"), ("imaginary", "weight/imag")):
            if isinstance(nodes[part], Delayed):
                raise GraphError(block.parts[part], "delays", "none: the loader ignores those of complex weights")
            keys[key] = self._weights(block.parts[part], replace(nodes[part], exponent=nodes[part].exponent + up))
        return keys

    def _recurrent(self, block: Block, nodes: Mapping[str, Matrix]) -> Keys:
        name, back = block.parts["synapse"], block.parts["recurrent"]
        first, second = nodes["synapse"], nodes["recurrent"]
        delay = {key: _delay(key, node) for key, node in ((name, first), (back, second))}
        if not _equal(delay[name], delay[back]) or (delay[name] and first.weight.shape != second.weight.shape):
            found = "delays that differ from those of the forward weights, or a matrix of another shape with them"
            raise GraphError(back, found, "the same delays for both matrices, and both square: the loader takes one")
        try:
            pair = file_weights_of_pair(first, second, shifted=bool(delay[name]))
        except NotLoaded as error:
            raise _refusal(back, error) from None
        return {"weight": _small(pair[0]), "weight_rec": _small(pair[1]), **delay[name]}

    def _remark_wrapping(self, name: str, node: Matrix, weight: Array) -> None:
        """In the loader's form, larger numbers are added up and then shifted down; only their sum may wrap."""
        source = self.chip.wires[name][0].source
        low, high = self.chip.signals[source].carries.bounds
        most = min(max(abs(low), abs(high)), PAYLOAD)
        form = loaded(weight)
        sums = int(np.abs(form.held).sum(axis=1).max())
        if node.message_bits and form.exponent != node.exponent and sums * most >= 1 << 31:
            safe = ((1 << 31) - 1) // sums
            self.remarks.append(f"{name}: in the loader's form, payloads beyond {safe} can wrap 32 bits")


def _refusal(name: str, error: NotLoaded) -> GraphError:
    fix = "another scale of the layer's weights, threshold and bias may fit"
    return GraphError(name, str(error), "weights that lava-dl's loader hands on as they are", fix)


def _small(weight: Array) -> Array:
    return weight if weight.dtype == np.int16 else np.ascontiguousarray(weight, np.int32)


def _delay(name: str, node: Matrix) -> Keys:
    """The delays: one, one for each output or input, or one for each weight."""
    if not isinstance(node, Delayed):
        return {}
    delay = node.delay
    if np.any((delay > LOIHI2.delay) & (node.held != 0)):
        raise GraphError(f"{name}.delay", f"{int(delay.max())} steps", f"at most {LOIHI2.delay}")
    if delay.min() == delay.max():
        return {"delay": np.int64(delay.flat[0])}
    rows, columns = np.all(delay == delay[:, :1]), np.all(delay == delay[:1])
    if rows:
        return {"delay": delay[:, 0].astype(np.int64)}
    if columns and delay.shape[0] != delay.shape[1]:
        return {"delay": delay[0].astype(np.int64)}
    return {"delay": delay.astype(np.int64)}


def _equal(one: Keys, other: Keys) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)
