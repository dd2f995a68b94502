"""The peers' counters, each called as its users call it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .networks import Network


def spikingjelly(network: Network) -> object:
    """SpikingJelly's simple energy."""
    from spikingjelly.activation_based.op_counter import estimate_simple_energy

    network.fresh(network.module)
    return estimate_simple_energy(network.module, network.inputs)


def neurobench(network: Network) -> object:
    """NeuroBench's benchmark with its metric of synaptic operations, on the same batch."""
    from neurobench.benchmarks import Benchmark
    from neurobench.metrics.workload import SynapticOperations
    from neurobench.models import TorchModel

    network.fresh(network.module)
    batch = (network.inputs, network.inputs.new_zeros(network.inputs.shape[1]))
    return Benchmark(TorchModel(network.module), [batch], [], [], [[], [SynapticOperations]]).run(
        verbose=False, quiet=True
    )


PEERS: Mapping[str, Callable[[Network], object]] = {
    "SpikingJelly simple energy": spikingjelly,
    "NeuroBench": neurobench,
}
