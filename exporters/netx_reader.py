"""From the contents of a netx file to the chip graph that lava-dl's loader would build, with the same integers.

Nodes are called after their layer: `layer2` are the neurons of layer 2, `layer2.synapse` what feeds them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from ..toolchain.errors import FileError, GraphError
from ..toolchain.graph.graph import Wire, later
from ..toolchain.graph.nodes.base import shown
from ..toolchain.loihi.chip_graph import ChipGraph
from ..toolchain.loihi.processes import LIF, ChipInput, ChipOutput, LIFReset, Port, Process, Shaped
from ..toolchain.loihi.processes.ends import Readout
from .netx_layer import Layer
from .netx_loading import DEFAULT, Kept, Loading, kept_in
from .netx_open import EXPECTED, Contents
from .netx_read_layers import READ, Shape, conv_of, dense_of, remark_unread, shape_of, width_of
from .netx_read_neurons import Place, neuron_of, silent_accumulator

UNKNOWN = ("pool", "convT", "unpool", "average", "concat")
"""Layers that slayer writes and the loader refuses."""
MOST_LAYERS = 10_000
WIDE = 65535
"""The largest payload that an input can promise."""
INPUT, OUTPUT = "input", "output"


@dataclass
class Chain:
    """The chip graph as it grows, layer by layer.

    Args:
        contents: of the file.
        loading: how the loader is called.
        remarks: what there is to say about the file.
        shape: of what the next layer receives, channels first; None where the file has not said yet.
        bits: of the messages that the next layer receives.
        last: the node that the next layer reads.
        blocks: how many layers with neurons there are.
        flat: the layer that flattens what the next dense layer reads.
        ours: whether Spikeport wrote the file, which then says what its input is.
    """

    contents: Contents
    loading: Loading
    remarks: list[str] = field(default_factory=list)
    nodes: dict[str, Process] = field(default_factory=dict)
    wires: dict[str, tuple[Wire, ...]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    shape: Shape | None = None
    bits: int = 0
    last: str = ""
    blocks: int = 0
    flat: str = ""
    ours: bool = False

    def add(self, name: str, node: Process, *wires: Wire) -> str:
        """One more node."""
        self.nodes[name], self.wires[name] = node, wires
        return name

    def read(self, index: int) -> None:
        """One more layer."""
        layer = Layer(self.contents, f"/layer/{index}", f"layer {index}", self.remarks)
        kind = layer.text("type")
        match kind:
            case "input":
                self._input(layer, index)
            case "conv" | "dense" | "dense_rec":
                self._block(layer, kind, index)
            case "flatten":
                self.flat = layer.label
            case "dense_comp":
                raise layer.crash("type", f"'{kind}'", "conv, dense, dense_rec, flatten or input")
            case _ if kind in UNKNOWN:
                fix = f"read the layers before it alone, as the loader does with num_layers={index}"
                found = f"'{kind}', which lava-dl's loader does not know"
                raise layer.error("type", found, "conv, dense, dense_rec, flatten or input", fix)
            case _ if index == 0:
                raise layer.crash("type", f"'{kind}'"[:60], "conv, dense, dense_rec, flatten or input")
            case _:
                layer.remark("type", f"'{kind}' is not known to the loader, which leaves the layer out"[:200])
                return
        if kind in READ:
            remark_unread(layer, kind)

    def _input(self, layer: Layer, index: int) -> None:
        if layer.has("neuron"):
            if self.last:
                raise layer.error("type", "an input after other layers, which the loader leaves unconnected")
            shape = shape_of(layer)
            node, self.bits = neuron_of(layer, Place(shape, self.blocks, self.loading, first=True))
            self.add(INPUT, ChipInput(shape, f"int[{-WIDE},{WIDE}]"))
            self.last = self.add(f"layer{index}", node, Wire(INPUT))
            self.shape = shape
            self.blocks += 1
            self._transform(layer, isinstance(node, (LIF, LIFReset)))
        elif layer.has("shape"):
            self.shape = shape_of(layer) if not self.last else self.shape

    def _transform(self, layer: Layer, spiking: bool) -> None:
        """The loader only keeps what shall become of the input; whoever feeds the network has to do it."""
        pair = {}
        for key, default in (("weight", 64), ("bias", 0)):
            value = layer.whole(key) if layer.has(key) else None
            if value is not None and value.size != 1:
                raise layer.crash(key, f"{value.size} values", "one")
            pair[key] = default if value is None else int(value.ravel()[0])
            if value is not None:
                self.notes[f"netx.input.{key}"] = str(pair[key])
        told = f"x·{pair['weight']} + {pair['bias']} is the caller's to compute: the loader feeds nothing"
        if spiking:
            told += (
                "; here it comes in as current, where lava-dl's examples set bias_mant, the same for iDecay 4096 alone"
            )
        if pair != {"weight": 64, "bias": 0} or (spiking and not self.ours):
            layer.remark("weight and bias", told)

    def _block(self, layer: Layer, kind: str, index: int) -> None:
        own = f"layer{index}"
        parts: Mapping[str, Process]
        if kind == "conv":
            shape = shape_of(layer)
            if self.shape is None:
                fix = "say it with input_shape, as the loader wants it"
                raise layer.error("", "a convolution whose input has no known shape", "an input layer before it", fix)
            parts = {"synapse": conv_of(layer, shape, self.shape, self.bits)}
            source = self._source(self.shape)
        else:
            shape = (width_of(layer),)
            parts = dense_of(layer, kind, self.bits)
            matrix = next(iter(parts.values())).arrays()["weight"]
            source = self._flat_source(layer, index, int(matrix.shape[1]))
        place = Place(shape, self.blocks, self.loading, complex="imaginary" in parts)
        if layer.has("neuron"):
            neuron, bits = neuron_of(layer, place)
        elif kind == "conv":
            raise layer.crash("neuron", "missing", "a group")
        else:
            neuron, bits = silent_accumulator(layer, place)
        self._connect(own, parts, source, neuron)
        self.shape, self.bits, self.last = shape, bits, own
        self.blocks += 1

    def _connect(self, own: str, parts: Mapping[str, Process], source: str, neuron: Process) -> None:
        names = {part: f"{own}.{part}" for part in parts}
        for part, node in parts.items():
            self.add(names[part], node, later(own if part == "recurrent" else source))
        feeds = tuple(Wire(name) for name in names.values())
        if "recurrent" in parts:
            feeds = (Wire(self.add(f"{own}.port", Port(), *feeds)),)
        self.add(own, neuron, *feeds)

    def _source(self, shape: Shape) -> str:
        """The node that the next layer reads; the first one reads the input."""
        if not self.last:
            bits = self.loading.input_message_bits
            most = min((1 << bits) - 1, WIDE)
            self.add(INPUT, ChipInput(shape, f"int[{-most},{most}]" if bits else "spikes"))
            self.last = INPUT
        return self.last

    def _flat_source(self, layer: Layer, index: int, width: int) -> str:
        """The node that a dense layer reads, flattened before where a flatten layer says so."""
        flat, self.flat = self.flat, ""
        if not self.last:
            given = self.shape
            if given is None or math.prod(given) != width:
                given = (width,)
            elif given != (width,) and not flat:
                given = (width,)
                layer.remark("", f"it takes {width} values: the shape of the input layer before it means nothing here")
            source = self._source(given)
            if given == (width,):
                return source
            if not self.ours:
                layer.remark("", f"the loader's network takes the input flattened, channels first, as {width} values")
            return self.add(f"layer{index}.flat", Shaped((width,)), Wire(source))
        shape = self.shape or ()
        if flat:
            if len(shape) != 3:
                raise layer.crash("", f"it reads {shown(shape)} flattened by {flat}", "three axes")
            if math.prod(shape) != width:
                raise layer.crash("weight", f"{width} inputs", f"{math.prod(shape)}")
            return self.add(f"layer{index}.flat", Shaped((width,)), Wire(self.last))
        if shape != (width,):
            fix = " with a flatten layer before it" if len(shape) > 1 else ""
            raise layer.crash("weight", f"{width} inputs, from a layer of shape {shown(shape)}", f"{shown(shape)}{fix}")
        return self.last

    def finish(self) -> None:
        """The output."""
        if not self.blocks:
            raise FileError(self.contents.name, "no layer with neurons", EXPECTED)
        source = self.last
        if self.flat:
            self.remarks.append(
                f"{self.flat}: nothing follows it, so that the loader ignores it; the output is not flat"
            )
        self.add(OUTPUT, ChipOutput(), Wire(source))


def chip_of(contents: Contents, loading: Loading | None = None) -> tuple[ChipGraph, tuple[str, ...]]:
    """The chip graph of a file, and what there is to say about it.

    Raises:
        FileError: when the loader would fail on the file, or build what no chip graph can be.
    """
    kept = kept_in(contents)
    called = loading if loading is not None else kept.loading if kept else DEFAULT
    chain = Chain(contents, called, bits=called.input_message_bits, ours=kept is not None)
    if called.input_shape is not None:
        chain.shape = tuple(reversed(called.input_shape))
    count = _count(contents, called)
    try:
        for index in range(count):
            chain.read(index)
        chain.finish()
        return _graph(chain, kept), tuple(chain.remarks)
    except GraphError as error:
        raise FileError(f"{contents.name}, {error.where}", error.found, error.expected, error.fix) from error


def _count(contents: Contents, loading: Loading) -> int:
    names = contents.below("/layer")
    if not names:
        raise FileError(contents.name, "no layers", EXPECTED)
    count = len(names)
    if set(names) != {str(index) for index in range(count)}:
        odd = next(name for name in names if not (re.fullmatch("0|[1-9][0-9]*", name) and int(name) < count))
        raise FileError(f"{contents.name}, /layer", f"a layer '{odd[:40]}' among {count}", f"0 to {count - 1}")
    if count > MOST_LAYERS:
        raise FileError(f"{contents.name}, /layer", f"{count} layers", f"at most {MOST_LAYERS}")
    return count if loading.num_layers is None else min(count, max(loading.num_layers, 0))


def _graph(chain: Chain, kept: Kept | None) -> ChipGraph:
    """The chip graph, with the names and notes of ours where the file has them."""
    if kept is None:
        return ChipGraph(chain.nodes, chain.wires, notes=chain.notes)
    return restored(chain.nodes, chain.wires, chain.notes, kept)


def restored(
    nodes: Mapping[str, Process], wires: Mapping[str, tuple[Wire, ...]], notes: Mapping[str, str], kept: Kept
) -> ChipGraph:
    """The graph under its own names, in its own order."""
    named = {name: kept.names.get(name, name) for name in nodes}
    if len(set(named.values())) < len(named):
        raise GraphError("names", "one name for two nodes", "a name for each")
    given = dict(nodes)
    for name, node in nodes.items():
        if isinstance(node, ChipInput):
            given[name] = ChipInput(node.shape, kept.carries)
        if isinstance(node, ChipOutput):
            given[name] = ChipOutput(cast(Readout, kept.output[0]), kept.output[1])
        if isinstance(node, (LIF, LIFReset)):
            given[name] = replace(node, emit="voltage" if name in kept.emits else "spikes")
    order = {name: place for place, name in enumerate(kept.order)}
    sequence = sorted(nodes, key=lambda name: order.get(named[name], len(order)))
    turned = {named[name]: tuple(Wire(named[wire.source], wire.delayed) for wire in wires[name]) for name in sequence}
    return ChipGraph({named[n]: given[n] for n in sequence}, turned, kept.dt, kept.name, {**notes, **kept.notes})
