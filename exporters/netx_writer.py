"""From a chip graph to the layers of a netx file, and those to HDF5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ..toolchain.errors import GraphError, Refused, SpikeportError
from ..toolchain.loihi.chip_graph import ChipGraph
from ..toolchain.loihi.processes import LIF, ChipInput, ChipOutput, Delta, LIFReset, Sigma, SigmaDelta
from ..toolchain.loihi.processes.synapses import Synapse
from ..toolchain.writing import written_whole
from .netx_chain import Block, chain_of, image
from .netx_loading import KEY, Kept, Loading
from .netx_read_neurons import MESSAGE_BITS
from .netx_reader import INPUT, OUTPUT
from .netx_write_layers import LayerWriter
from .netx_write_neurons import Site, neuron_keys

Keys = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class NetxFile:
    """What will be written.

    Args:
        layers: the keys of each layer; those of a group are a mapping.
        kept: what is kept beside them.
        remarks: what whoever loads the file has to know.
    """

    layers: Sequence[Keys]
    kept: Kept
    remarks: tuple[str, ...]


def netx_file(chip: ChipGraph) -> NetxFile:
    """The layers of a chip graph.

    Raises:
        Refused: when lava-dl's loader cannot be made to build the same network, with every reason.
    """
    blocks = chain_of(chip)
    reasons: list[SpikeportError] = []
    loading = _loading(chip, blocks, reasons)
    writer = LayerWriter(chip, loading.input_message_bits)
    layers: list[Keys] = []
    names: dict[str, str] = {chip.inputs[0]: INPUT, chip.outputs[0]: OUTPUT}
    if blocks[0].parts:
        layers.append({"type": "input", "shape": chip.signals[chip.inputs[0]].shape})
        reasons += _input_shape(chip)
    for block in blocks:
        try:
            layers += _layers(chip, block, writer, loading)
        except GraphError as error:
            reasons.append(error)
        names |= _names(block, len(layers) - 1)
        coding = (Delta, SigmaDelta, Sigma)
        writer.bits = MESSAGE_BITS if isinstance(chip.nodes[block.neuron], coding) else 0
    if reasons:
        raise Refused(f"{chip.name} as a netx file", reasons)
    remarks = [*_calls(loading), *writer.remarks, *_voltages(chip)]
    return NetxFile(layers, _kept(chip, names, loading), tuple(remarks))


def _input_shape(chip: ChipGraph) -> list[SpikeportError]:
    try:
        image(chip, chip.inputs[0])
    except GraphError as error:
        return [error]
    return []


def _layers(chip: ChipGraph, block: Block, writer: LayerWriter, loading: Loading) -> list[Keys]:
    """The layer of a block, with a flatten layer before it where it needs one."""
    shape = image(chip, block.neuron)
    site = Site(block.neuron, shape, loading.spike_exp, first=not block.parts)
    found: list[Keys] = []
    if block.flat:
        found.append({"type": "flatten", "shape": (*chip.signals[block.flat].shape, 1, 1)})
    if not block.parts:
        keys, _ = neuron_keys(chip.nodes[block.neuron], site)
        return [{"type": "input", "shape": shape, **_transform(chip), "neuron": keys}]
    kind, layer = writer.keys(block)
    keys, bias = neuron_keys(chip.nodes[block.neuron], site)
    if kind != "conv":
        matrix = layer["weight" if "weight" in layer else "weight/real"]
        layer |= {"inFeatures": matrix.shape[1], "outFeatures": matrix.shape[0]}
    layer |= {} if bias is None else {"bias": bias.astype(np.int32)}
    return [*found, {"type": kind, "shape": shape, **layer, "neuron": keys}]


def _transform(chip: ChipGraph) -> Keys:
    """What shall become of the input before it is fed, from the notes."""
    found = {}
    for key in ("weight", "bias"):
        text = chip.notes.get(f"netx.input.{key}", "")
        if text.removeprefix("-").isdigit():
            found[key] = np.array([int(text)], np.int64)
    return found


def _loading(chip: ChipGraph, blocks: Sequence[Block], reasons: list[SpikeportError]) -> Loading:
    """How the loader has to be called."""
    bits = 0
    low, high = chip.signals[chip.inputs[0]].carries.bounds
    if blocks[0].parts and not (low >= 0 and high <= 1):
        first = chip.nodes[next(iter(blocks[0].parts.values()))]
        bits = first.message_bits if isinstance(first, Synapse) else 0
    exponents = [
        (n.spike_exponent, isinstance(n, Delta)) for n in chip.nodes.values() if isinstance(n, (Delta, SigmaDelta))
    ]
    first_one = [exponent for exponent, delta in exponents if delta] or [min((e for e, _ in exponents), default=6)]
    interval, offset = _resets(chip, blocks, reasons)
    return Loading(bits, interval, offset, first_one[0])


def _resets(chip: ChipGraph, blocks: Sequence[Block], reasons: list[SpikeportError]) -> tuple[int | None, int]:
    """The interval and the offset of all resets: each layer is reset a step after the one before it."""
    clocks = [
        (node.interval, (node.offset - 1 - index) % node.interval, node.offset) if isinstance(node, LIFReset) else None
        for index, block in enumerate(blocks)
        if isinstance(node := chip.nodes[block.neuron], (LIF, LIFReset))
    ]
    if not any(clocks):
        return None, 0
    lifs = [b.neuron for b in blocks if isinstance(chip.nodes[b.neuron], (LIF, LIFReset))]
    first = next(clock for clock in clocks if clock)
    for name, clock in zip(lifs, clocks, strict=True):
        if clock is None:
            reasons.append(GraphError(name, "no reset, beside layers that are reset", "resets for all LIF layers"))
        elif clock[:2] != first[:2]:
            found = f"a reset every {clock[0]} steps" if clock[0] != first[0] else f"offset {clock[2]}"
            expected = f"every {first[0]} steps, each layer one step after the one before it"
            reasons.append(GraphError(name, found, expected))
    return first[0], first[1]


def _calls(loading: Loading) -> list[str]:
    text = loading.text()
    return [f"lava-dl's loader has to be called with {text}"] if text else []


def _voltages(chip: ChipGraph) -> list[str]:
    return [
        f"{name}: its voltage is read from the process' variable v; what the loader's network sends are its spikes"
        for name, node in chip.nodes.items()
        if isinstance(node, (LIF, LIFReset)) and node.emit == "voltage"
    ]


def _names(block: Block, index: int) -> dict[str, str]:
    """What the reader will call the nodes of a block, by their own names."""
    layer = f"layer{index}"
    found = {block.neuron: layer, **{name: f"{layer}.{part}" for part, name in block.parts.items()}}
    return (
        found
        | ({block.port: f"{layer}.port"} if block.port else {})
        | ({block.flat: f"{layer}.flat"} if block.flat else {})
    )


def _kept(chip: ChipGraph, names: Mapping[str, str], loading: Loading) -> Kept:
    entry, end = chip.nodes[chip.inputs[0]], chip.nodes[chip.outputs[0]]
    carries = entry.carries if isinstance(entry, ChipInput) else ""
    output = (end.readout, end.after) if isinstance(end, ChipOutput) else ("steps", 0)
    lifs = [n for n, node in chip.nodes.items() if isinstance(node, (LIF, LIFReset)) and node.emit == "voltage"]
    own = {read: name for name, read in names.items() if read != name}
    emits = tuple(names[name] for name in lifs)
    return Kept(chip.name, chip.dt, carries, output, dict(chip.notes), own, tuple(chip.nodes), loading, emits)


def write_file(file: NetxFile, path: str | Path) -> None:
    """Writes HDF5 that is the same, byte for byte, for the same network.

    Raises:
        FileError: when it cannot be written.
    """
    with written_whole(path) as draft, h5py.File(draft, "w", libver=("earliest", "v110")) as root:
        root.create_dataset(KEY, data=np.bytes_(file.kept.text()), track_times=False)
        for index, layer in enumerate(file.layers):
            group = root.create_group(f"layer/{index}", track_order=False)
            for key, value in layer.items():
                if key == "neuron":
                    for name, held in value.items():
                        _put(group, f"neuron/{name}", np.bytes_(held) if isinstance(held, str) else held)
                else:
                    _put(group, key, np.array([value.encode()], "S10") if key == "type" else value)


def _put(group: Any, key: str, value: Any) -> None:
    held = np.asarray(value)
    if held.dtype.kind == "i" and held.ndim == 0:
        held = held.astype(np.int64)
    elif held.dtype == np.int16:  # as the chip graph holds weights; widened here, one layer at a time
        held = held.astype(np.int32)
    group.create_dataset(key, data=held, track_times=False)
