"""A chip graph as the chain of layers that a netx file holds, and why it may not be one.

A block is what a layer with neurons becomes: neurons, and the synapses that feed them, which all read one source.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..toolchain.errors import GraphError, Refused, SpikeportError
from ..toolchain.graph.nodes.base import shown
from ..toolchain.loihi.chip_graph import ChipGraph
from ..toolchain.loihi.processes import RF, RF_IZ, ChipInput, ChipOutput, Port, Shaped
from ..toolchain.loihi.processes.synapses import Matrix, Synapse

NAMED = 3
"""How many layers of a sum a message names."""
PARTS = "cut the network into several files: convert --to netx-parts, or write_parts"


@dataclass(frozen=True)
class Block:
    """One layer with neurons, by the names of its nodes.

    Args:
        neuron: the neurons.
        parts: the synapses by what they are to the layer: synapse, recurrent, real, imaginary; none for an input.
        source: what the synapses, or the neurons of an input, read.
        port: what adds the recurrent synapse; empty where there is none.
        flat: what flattens the source before; empty where nothing does.
    """

    neuron: str
    parts: Mapping[str, str]
    source: str
    port: str = ""
    flat: str = ""

    @property
    def nodes(self) -> tuple[str, ...]:
        """All its nodes."""
        return tuple(name for name in (self.flat, *self.parts.values(), self.port, self.neuron) if name)


def block_of(chip: ChipGraph, neuron: str) -> Block:
    """The block of some neurons.

    Raises:
        GraphError: when what feeds them is no layer of a netx file.
    """
    feeds = [wire.source for wire in chip.wires[neuron]]
    if isinstance(chip.nodes[neuron], (RF, RF_IZ)):
        return _complex_block(chip, neuron, feeds)
    if len(feeds) > 1:
        raise GraphError(neuron, f"{len(feeds)} inputs", "one")
    feed = chip.nodes[feeds[0]]
    if isinstance(feed, ChipInput):
        return Block(neuron, {}, feeds[0])
    if isinstance(feed, Synapse):
        return _with_source(chip, Block(neuron, {"synapse": feeds[0]}, ""))
    if isinstance(feed, Port):
        return _with_source(chip, Block(neuron, _recurrent_parts(chip, neuron, feeds[0]), "", feeds[0]))
    raise GraphError(neuron, f"an input from the {feed.kind} '{feeds[0]}'", "a synapse before it")


def _complex_block(chip: ChipGraph, neuron: str, feeds: Sequence[str]) -> Block:
    kinds = [chip.nodes[feed] for feed in feeds]
    if len(feeds) != 2 or feeds[0] == feeds[1] or not all(isinstance(kind, Matrix) for kind in kinds):
        found = " and ".join(f"the {kind.kind} '{feed}'" for kind, feed in zip(kinds, feeds, strict=True))
        raise GraphError(neuron, f"inputs from {found}", "two Dense, for the real and the imaginary part")
    sources = [chip.wires[feed][0].source for feed in feeds]
    if sources[0] != sources[1]:
        raise GraphError(neuron, f"synapses that read '{sources[0]}' and '{sources[1]}'", "one source for both")
    return _with_source(chip, Block(neuron, {"real": feeds[0], "imaginary": feeds[1]}, ""))


def _recurrent_parts(chip: ChipGraph, neuron: str, port: str) -> Mapping[str, str]:
    """The forward and the recurrent synapse that a port adds."""
    feeds = [wire.source for wire in chip.wires[port]]
    back = [feed for feed in feeds if chip.wires[feed] and chip.wires[feed][0].source == neuron]
    forward = [feed for feed in feeds if feed not in back]
    matrices = all(isinstance(chip.nodes[feed], Matrix) for feed in feeds)
    if len(back) != 1 or len(forward) != 1 or not matrices:
        more = f" and {len(feeds) - NAMED} more" if len(feeds) > NAMED else ""
        found = f"a sum of {', '.join(repr(feed) for feed in feeds[:NAMED])}{more}"
        raise GraphError(port, found, "one Dense from the layer before and one from the neurons themselves", PARTS)
    return {"synapse": forward[0], "recurrent": back[0]}


def _with_source(chip: ChipGraph, block: Block) -> Block:
    """The block with what its synapses read, behind a flattening."""
    first = next(iter(block.parts.values()))
    source = chip.wires[first][0].source
    if is_flat(chip, source) and reads_alone(chip, source, block.parts.values()):
        return Block(block.neuron, block.parts, chip.wires[source][0].source, block.port, source)
    return Block(block.neuron, block.parts, source, block.port)


def reads_alone(chip: ChipGraph, name: str, readers: Iterable[str]) -> bool:
    """Whether nobody else reads a node."""
    allowed = set(readers)
    return all(reader in allowed for reader, wires in chip.wires.items() for wire in wires if wire.source == name)


def is_flat(chip: ChipGraph, name: str) -> bool:
    """Whether a Shaped is what a flatten layer does."""
    node = chip.nodes[name]
    if not isinstance(node, Shaped):
        return False
    before = chip.signals[chip.wires[name][0].source].shape
    as_is = node.axes is None or tuple(node.axes) == tuple(range(len(before)))
    from_input = isinstance(chip.nodes[chip.wires[name][0].source], ChipInput)
    return as_is and node.shape == (math.prod(before),) and (len(before) == 3 or (from_input and len(before) == 2))


def readers(chip: ChipGraph) -> dict[str, list[str]]:
    """Who reads each node."""
    found: dict[str, list[str]] = {name: [] for name in chip.nodes}
    for name, wires in chip.wires.items():
        for wire in wires:
            found[wire.source].append(name)
    return found


def chain_of(chip: ChipGraph) -> tuple[Block, ...]:
    """The blocks of a chip graph that is a chain, from the input to the output.

    Raises:
        Refused: when it is none, with every reason.
    """
    reasons: list[SpikeportError] = []
    for names, what in ((chip.inputs, "inputs"), (chip.outputs, "outputs")):
        if len(names) > 1:
            reasons.append(GraphError(names[1], f"one of {len(names)} {what}", "one", PARTS))
    blocks: dict[str, Block] = {}
    for name in chip.neurons:
        try:
            blocks[name] = block_of(chip, name)
        except GraphError as error:
            reasons.append(error)
    reasons += [] if reasons else _loose(chip, blocks)
    reasons += [] if reasons else _branches(chip, blocks)
    if reasons:
        raise Refused(f"{chip.name} as a netx file", reasons)
    return _in_order(chip, blocks)


def _loose(chip: ChipGraph, blocks: Mapping[str, Block]) -> list[SpikeportError]:
    """The nodes that are in no block."""
    held = {name for block in blocks.values() for name in block.nodes}
    ends = (ChipInput, ChipOutput)
    reasons: list[SpikeportError] = [
        GraphError(
            name, f"a {node.kind} that is no part of a layer", "synapses, neurons and flattening in a chain", PARTS
        )
        for name, node in chip.nodes.items()
        if name not in held and not isinstance(node, ends)
    ]
    for block in blocks.values():
        source = chip.nodes[block.source]
        if not (source.role == "neuron" or isinstance(source, ChipInput)):
            reasons.append(
                GraphError(block.neuron, f"a layer that reads the {source.kind} '{block.source}'", "neurons")
            )
    end = chip.wires[chip.outputs[0]][0].source
    if chip.nodes[end].role != "neuron":
        reasons.append(GraphError(chip.outputs[0], f"an output of the {chip.nodes[end].kind} '{end}'", "of neurons"))
    return reasons


def _branches(chip: ChipGraph, blocks: Mapping[str, Block]) -> list[SpikeportError]:
    """The nodes that more than one layer reads."""
    reasons: list[SpikeportError] = []
    read = readers(chip)
    for name in (*chip.inputs, *blocks):
        own = set(blocks[name].parts.values()) if name in blocks else set()
        after = {_owner(blocks, reader) for reader in read[name] if reader not in own}
        if len(after) > 1:
            found = f"it is read by {', '.join(repr(each) for each in sorted(after))}"
            reasons.append(GraphError(name, found, "one layer after it: a netx file is a chain", PARTS))
        if not after:
            reasons.append(GraphError(name, "nobody reads it", "a chain up to the output", "leave it out"))
    return reasons


def _owner(blocks: Mapping[str, Block], name: str) -> str:
    """The layer that a node is in, or the node itself."""
    return next((block.neuron for block in blocks.values() if name in block.nodes), name)


def _in_order(chip: ChipGraph, blocks: Mapping[str, Block]) -> tuple[Block, ...]:
    after = {block.source: block for block in blocks.values()}
    found = [after[chip.inputs[0]]]
    while found[-1].neuron in after:
        found.append(after[found[-1].neuron])
    return tuple(found)


def image(chip: ChipGraph, name: str) -> tuple[int, ...]:
    """The shape of what a node sends, as a layer of a file can have it.

    Raises:
        GraphError: when it has more than three axes.
    """
    shape = chip.signals[name].shape
    if not 1 <= len(shape) <= 3:
        raise GraphError(name, f"shape {shown(shape)}", "one to three axes")
    return shape
