"""Memory accesses in words, by what is read or written: input, parameters, state, output; dense and effective.

Nothing is kept between two operations, as in Lemaire et al. 2022: an addition reads the sum that it adds to and writes
it back. For P pairs, E input values, B bias additions and U updates of neurons with s words of state:

input         reads   E
parameters    reads   P + B              one weight for each pair, one bias for each addition of one
state         reads   P + B + s·U        sums, and what neurons remember; as many writes
output        writes  what neurons send; what a layer that works value by value gives

`effective` is driven by events: a value that is 0 is not read and none of its pairs is touched, a neuron writes what is
not 0, and every neuron is still updated in every step. `dense` is the same run with nothing left out. A spike at a
border touches the weights and the sums that it reaches, no others. An integer n is one access, and its weight is read
once. Work without pairs (value by value, pools of real numbers, maxima) is done for every value, 0 or not.

A weight that is 0 has to be read to be known. Sums of a layer of synapses or of a pool lie where the next layer finds
them, so they are no output. A pool reads and writes its sums once more to divide them. What normalises or scales reads
its parameters for every value. Decays and thresholds are constants of the hardware. Functions (softmax …) read what
comes in and write what goes out; what they keep between is not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from .operations import LayerCount, OpCount, Ops, Road
from .rules.neuron_costs import updates

KINDS = ("input_reads", "parameter_reads", "state_reads", "state_writes", "output_writes")
"""The fields of `Accesses`, in order."""


@dataclass(frozen=True)
class Accesses:
    """Words read and written.

    Args:
        input_reads: input values.
        parameter_reads: weights and biases.
        state_reads: sums and states of neurons.
        state_writes: the same, written back.
        output_writes: what is handed on.
    """

    input_reads: int = 0
    parameter_reads: int = 0
    state_reads: int = 0
    state_writes: int = 0
    output_writes: int = 0

    def __add__(self, other: Accesses) -> Accesses:
        return Accesses(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def total(self) -> int:
        """Reads and writes of every kind."""
        return sum(getattr(self, each.name) for each in fields(self))


@dataclass(frozen=True)
class Memory:
    """Accesses of a layer, or of several.

    Args:
        dense: as if no value were 0.
        effective: those that were needed.
    """

    dense: Accesses = Accesses()
    effective: Accesses = Accesses()

    def __add__(self, other: Memory) -> Memory:
        return Memory(self.dense + other.dense, self.effective + other.effective)


def memory_accesses(counts: OpCount) -> Mapping[str, Memory]:
    """The accesses of every layer, in the order of the network.

    Kinds of neurons that `rules.neuron_costs` has no entry for have no words of state here; `unknown` there lists them.
    """
    return {name: layer_memory(each, counts.road) for name, each in counts.layers.items()}


def together(memories: Iterable[Memory]) -> Memory:
    """The sum of layers."""
    return sum(memories, Memory())


def layer_memory(each: LayerCount, road: Road) -> Memory:
    """The accesses of one layer."""
    ops, pairs = each.ops, each.ops.pairs
    if each.facts.role == "neurons":
        words = sum(count * cost.states for count, cost in updates(ops, road))
        return Memory(Accesses(0, 0, words, words, ops.sent), Accesses(0, 0, words, words, ops.sent_events))
    if each.facts.role == "elementwise":
        read = ops.multiplies + ops.adds if each.facts.weights else 0
        every = Accesses(ops.received, read, 0, 0, _given(each))
        return Memory(every, every)
    arrived = ops.events if pairs.dense else ops.received
    return Memory(_summed(each, ops.received, pairs.dense), _summed(each, arrived, pairs.effective))


def _summed(each: LayerCount, values: int, pairs: int) -> Accesses:
    """Synapses, products and pools: everything goes into a sum."""
    sums = pairs + _beside(each.ops)
    weights = pairs + each.ops.bias_adds if each.facts.role == "synapses" else 0
    return Accesses(values, weights, sums, sums, 0)


def _beside(ops: Ops) -> int:
    """What moves a sum beside its pairs: biases, sums of real numbers in a pool, its comparisons and divisions."""
    return ops.bias_adds + ops.adds + ops.comparisons + ops.multiplies


def _given(each: LayerCount) -> int:
    """Output values of a layer without pairs and neurons: as many for each run as the facts say."""
    return each.ops.received // each.facts.n_in * each.facts.n_out if each.facts.n_in else 0
