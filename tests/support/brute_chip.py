"""Operations of a chip graph, synapse by synapse and neuron by neuron, from what every process' `step` sends."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from spikeport.toolchain.loihi import processes as p
from spikeport.toolchain.loihi.chip_graph import ChipGraph

JOINS = ("ChipInput", "ChipOutput", "Port", "Shaped", "Joined")


def brute_chip(graph: ChipGraph, sent: dict[str, np.ndarray]) -> list[dict[str, Counter]]:
    """For each sample, for each layer, its operations by name, as `brute_count` gives them."""
    batch = sent[graph.inputs[0]].shape[1]
    names = [name for name, node in graph.nodes.items() if node.kind not in JOINS]
    return [{name: +_layer(graph, name, sent, sample) for name in names} for sample in range(batch)]


def _layer(graph: ChipGraph, name: str, sent: dict[str, np.ndarray], sample: int) -> Counter:
    node, given = graph.nodes[name], []
    for wire in graph.wires[name]:
        rows = sent[wire.source][:, sample].astype(np.int64)
        given.append(np.concatenate([0 * rows[:1], rows[:-1]]) if wire.delayed else rows)
    ops = Counter()
    for value in (value for rows in given for value in rows.ravel().tolist()):
        ops["received"] += 1
        ops["events"] += value != 0
    if node.role == "synapse":
        _synapses(ops, node, given[0], graph.received(name)[0].carries)
    else:
        _neurons(ops, node, given, sent[name][:, sample])
    return ops


def _synapses(ops: Counter, node: p.Process, rows: np.ndarray, carries) -> None:
    spikes = not node.message_bits or carries.binary
    kind = "acs" if spikes else "macs" if carries.graded else "integer_acs"
    every = list(_pairs(node, rows.shape[1:]))
    for row in rows:
        for place, weight in every:
            value = int(row[place]) if place is not None else 0
            ops[f"{kind}.padded"] += 1
            ops[f"{kind}.dense"] += place is not None
            ops[f"{kind}.effective"] += value != 0
            ops[f"{kind}.weighted"] += value != 0 and weight != 0
            ops[f"{kind}.spikes"] += value != 0 if spikes else 0 if carries.graded else abs(value)


def _pairs(node: p.Process, shape: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...] | None, int]]:
    """Every synapse as the place that it reads, none in the padding, and its weight."""
    if isinstance(node, p.Conv):
        yield from _windows(node, shape)
    elif isinstance(node, p.ConvInTime):
        for k, o, i in np.ndindex(*node.weight.shape):
            yield (i,), node.weight[k, o, i]
    else:
        for o, i in np.ndindex(*node.weight.shape):
            yield (i,), node.held[o, i]


def _windows(node: p.Conv, shape: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...] | None, int]]:
    outs, inner, *kernel = node.weight.shape
    axes = [
        (n + 2 * before - d * (k - 1) - 1) // s + 1
        for n, k, s, before, d in zip(shape[1:], kernel, node.stride, node.padding, node.dilation, strict=True)
    ]
    for o, y, x, i, ky, kx in np.ndindex(outs, *axes, inner, *kernel):
        channel = o // (outs // node.groups) * inner + i
        spot = [
            at * s + k * d - before
            for at, k, s, before, d in zip((y, x), (ky, kx), node.stride, node.padding, node.dilation, strict=True)
        ]
        inside = all(0 <= at < n for at, n in zip(spot, shape[1:], strict=True))
        yield (channel, *spot) if inside else None, node.weight[o, i, ky, kx]


def _neurons(ops: Counter, node: p.Process, given: list[np.ndarray], sent: np.ndarray) -> None:
    voltage = getattr(node, "emit", "") == "voltage"
    square = getattr(node, "sends", "") == "square"
    for into in zip(*(rows.ravel().tolist() for rows in given), strict=True):
        ops[f"updates.{node.kind}"] += 1
        ops["active"] += any(into)
        ops["comparisons"] += node.kind not in ("Sigma", "InvSqrt") and not square
    spikes = sent
    if voltage:
        twin, spikes = replace(node, emit="spikes"), np.zeros_like(sent)
        state = twin.start(given[0].shape[1:], 1, np.int64)
        for t, row in enumerate(given[0]):
            answer, state = twin.step(state, row[None])
            spikes[t] = answer[0]
    for value in spikes.ravel().tolist():
        ops["sent"] += not voltage
        ops["sent_events"] += value != 0 and not voltage
        ops["resets"] += value != 0 and node.kind in ("LIF", "LIFReset", "TernaryLIF", "RF_IZ")
