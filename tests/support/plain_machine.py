"""A machine that keeps nothing between two operations: it computes a network word by word, out of memories that count.

It runs on events (a value that is 0 is not delivered to a weight, or to a pool of spikes) or on every value. What it
sends is the network's own answer, so that an access that it forgot would be seen.
"""

import itertools
from collections import Counter
from collections.abc import Iterator

import numpy as np
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.graph import nodes as n


class Memory:
    """Words that count how often they are read and written."""

    def __init__(self, words) -> None:
        self.words, self.reads, self.writes = [float(word) for word in np.ravel(words)], 0, 0

    def __getitem__(self, place: int) -> float:
        self.reads += 1
        return self.words[place]

    def __setitem__(self, place: int, word: float) -> None:
        self.writes += 1
        self.words[place] = word


class Machine:
    """A chain of layers, one sample."""

    def __init__(self, graph: Graph, *, dense: bool) -> None:
        self.graph, self.dense = graph, dense
        self.states = {name: {} for name in graph.nodes}
        self.accesses = {name: Counter() for name in graph.nodes}

    def step(self, x: np.ndarray) -> np.ndarray:
        """One step through every layer."""
        for name in self.graph.order:
            node = self.graph.nodes[name]
            if isinstance(node, n.Affine | n.Conv | n.AveragePool | n.SumPool):
                x = self.sums(name, node, x, self.graph.signals[name].shape)
            elif isinstance(node, n.LIF | n.CubaLIF):
                x = self.neurons(name, node, x)
            elif isinstance(node, n.BatchNorm | n.Activation):
                x = self.values(name, node, x)
            elif isinstance(node, n.Flatten):
                x = x.ravel()
        return x

    def delivered(self, name: str, x: np.ndarray) -> Iterator[tuple[int, float]]:
        """What comes over the wire: events, or every value."""
        memory, (signal,) = Memory(x), self.graph.received(name)
        events = isinstance(self.graph.nodes[name], n.Affine | n.Conv) or not signal.carries.graded
        for place, word in enumerate(memory.words):
            if self.dense or not events or word != 0:
                yield place, memory[place]
        self.accesses[name]["input_reads"] += memory.reads

    def sums(self, name: str, node: n.Node, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Every pair reads its weight, and the sum that it adds to, and writes it."""
        sums, weights = Memory(np.zeros(shape)), Memory(getattr(node, "weight", 1.0))
        pairs = list(pairs_of(node, x.shape, shape))
        for place, word in self.delivered(name, x):
            for _, out, weight in (pair for pair in pairs if pair[0] == place):
                sums[out] = sums[out] + (word if weight is None else weights[weight] * word)
        bias = Memory(() if getattr(node, "bias", None) is None else node.bias)
        if bias.words:
            for out in range(len(sums.words)):
                sums[out] = sums[out] + bias[out * len(bias.words) // len(sums.words)]
        if isinstance(node, n.AveragePool):
            for out in range(len(sums.words)):
                sums[out] = sums[out] / np.prod(node.window)
        self.accesses[name].update(
            parameter_reads=weights.reads + bias.reads, state_reads=sums.reads, state_writes=sums.writes
        )
        return np.reshape(sums.words, shape)

    def neurons(self, name: str, node: n.Node, x: np.ndarray) -> np.ndarray:
        """Every neuron reads and writes each of its states; what is not 0 is sent."""
        state = self.states[name] or {each: Memory(np.zeros(x.size)) for each in ("u", "v")}
        self.states[name], sent, before = state, Memory(np.zeros(x.size)), [(m.reads, m.writes) for m in state.values()]
        for place, drive in enumerate(x.ravel()):
            if isinstance(node, n.CubaLIF):
                state["u"][place] = drive = float(node.alpha) * state["u"][place] + drive
            v = float(node.beta) * state["v"][place] + drive
            spikes = v > float(node.threshold)
            state["v"][place] = 0.0 if spikes else v
            if spikes or self.dense:
                sent[place] = float(spikes)
        for memory, (reads, writes) in zip(state.values(), before, strict=True):
            self.accesses[name].update(state_reads=memory.reads - reads, state_writes=memory.writes - writes)
        self.accesses[name]["output_writes"] += sent.writes
        return np.reshape(sent.words, x.shape)

    def values(self, name: str, node: n.Node, x: np.ndarray) -> np.ndarray:
        """One value at a time."""
        given, read = Memory(np.zeros(x.shape)), Memory(x)
        scale, shift = (Memory(part) for part in folded(node))
        for place in range(x.size):
            word = read[place]
            if isinstance(node, n.BatchNorm):
                channel = place * len(scale.words) // x.size
                word = scale[channel] * word + shift[channel]
            given[place] = word if isinstance(node, n.BatchNorm) else max(word, 0.0)
        self.accesses[name].update(
            input_reads=read.reads, parameter_reads=scale.reads + shift.reads, output_writes=given.writes
        )
        return np.reshape(given.words, x.shape)


def folded(node: n.Node) -> tuple[np.ndarray, np.ndarray]:
    """The factor and the shift of each channel of a normalisation; none of another layer."""
    if not isinstance(node, n.BatchNorm):
        return np.empty(0), np.empty(0)
    scale = node.weight / np.sqrt(node.variance + node.epsilon)
    return scale, node.bias - scale * node.mean


def pairs_of(node: n.Node, shape: tuple[int, ...], out: tuple[int, ...]) -> Iterator[tuple[int, int, int | None]]:
    """(input, output, weight) of every pair there is; no weight in a pool."""
    if isinstance(node, n.Affine):
        yield from ((i, o, o * shape[0] + i) for o in range(out[0]) for i in range(shape[0]))
        return
    pool = not isinstance(node, n.Conv)
    window = node.window if pool else node.kernel
    width = 1 if pool else node.weight.shape[1]
    for o, *at in np.ndindex(*out):
        for c, *k in itertools.product(range(width), *map(range, window)):
            source = o if pool else o // (out[0] // node.groups) * width + c
            from_ = [a * s + j - p for a, s, j, (p, _) in zip(at, node.stride, k, node.padding, strict=True)]
            if all(0 <= a < side for a, side in zip(from_, shape[1:], strict=True)):
                weight = None if pool else int(np.ravel_multi_index((o, c, *k), node.weight.shape))
                yield (
                    int(np.ravel_multi_index((source, *from_), shape)),
                    int(np.ravel_multi_index((o, *at), out)),
                    weight,
                )
