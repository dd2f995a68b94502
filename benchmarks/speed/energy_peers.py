"""The peers' counters on a network of the bench, each called as its users call it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .. import real_counters
from .networks import Network


def spikingjelly(network: Network) -> object:
    """SpikingJelly's simple energy."""
    network.fresh(network.module)
    return real_counters.spikingjelly(network.module, network.inputs)


def neurobench(network: Network) -> object:
    """NeuroBench's synaptic operations."""
    network.fresh(network.module)
    return real_counters.neurobench(network.module, network.inputs)


PEERS: Mapping[str, Callable[[Network], object]] = {
    "SpikingJelly": spikingjelly,
    "NeuroBench": neurobench,
}
