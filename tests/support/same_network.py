"""Two networks that have to be the same, to the last bit of their arrays."""

import numpy as np
from spikeport.toolchain.graph import digest, to_text
from spikeport.toolchain.graph.network import Network


def same(a: Network, b: Network) -> None:
    assert type(a) is type(b)
    assert (to_text(a), digest(a), a.notes, a.dt) == (to_text(b), digest(b), b.notes, b.dt)
    for name, node in a.nodes.items():
        for field, array in node.arrays().items():
            other = b.nodes[name].arrays()[field]
            assert (array.dtype, array.shape) == (other.dtype, other.shape)
            assert np.array_equal(array, other)
