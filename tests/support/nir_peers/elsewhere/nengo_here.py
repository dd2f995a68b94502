"""What the NIR repository's script nir_to_nengo.py makes of a file, in Nengo. Runs where Nengo is.

The script is `paper/03_rnn/nir_to_nengo.py` at commit 7232ada. What is here is not its text: the same objects of Nengo
for each node, with the same demands on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import nengo
import nir
import numpy as np
from serving import serve

AT_REST = {"initial_state": {"voltage": nengo.dists.Choice([0])}}
FILTERS = ("CubaLIF", "LI")


class IntegrateAndFire(nengo.SpikingRectifiedLinear):
    """Fires once in a step, resets to 0, and takes negative currents."""

    def step(self, dt: float, J: Any, output: Any, voltage: Any) -> None:
        """v ← v + J·dt."""
        voltage += J * dt
        spikes = voltage > 1
        output[:] = spikes * (self.amplitude / dt)
        voltage[spikes] = 0


def answer(ask: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """What a file answers to x [T, B, …], without the steps by which it is late; or whether a fault is there."""
    if ask["what"] == "version":
        return nengo.__version__
    if ask["what"] == "fault":
        return potentials_stay_above_zero()
    file, x, dt = nir.read(ask["path"]), arrays["x"], ask["dt"]
    late = sum(type(node).__name__ in FILTERS for node in file.nodes.values())
    padded = np.concatenate([x, np.zeros((late, *x.shape[1:]))])
    return np.stack([run(file, padded[:, each].reshape(len(padded), -1), dt) for each in range(x.shape[1])], 1)[late:]


def run(file: Any, x: np.ndarray, dt: float) -> np.ndarray:
    """The answers to x [T, n]."""
    with nengo.Network() as network:
        objects = {name: made(node, dt) for name, node in file.nodes.items()}
        for source, target in file.edges:
            nengo.Connection(objects[source], objects[target], synapse=filter_of(file.nodes[target], dt))
        (start,) = (name for name, node in file.nodes.items() if isinstance(node, nir.Input))
        (end,) = (name for name, node in file.nodes.items() if isinstance(node, nir.Output))
        stimulus = nengo.Node(nengo.processes.PresentInput(x, presentation_time=dt))
        nengo.Connection(stimulus, objects[start], synapse=None)
        probe = nengo.Probe(objects[end])
    with nengo.Simulator(network, dt=dt, progress_bar=False) as simulator:
        simulator.run_steps(len(x))
    found: np.ndarray = simulator.data[probe]
    return found


def made(node: Any, dt: float) -> Any:
    """What stands for a node: a Node of Nengo, or the neurons of an Ensemble."""
    if isinstance(node, (nir.Input, nir.Output, nir.LI)):
        shape = node.tau.shape if isinstance(node, nir.LI) else next(iter(node.input_type.values()))
        return nengo.Node(None, size_in=int(np.prod(shape)))
    if isinstance(node, (nir.Linear, nir.Affine)):
        bias = node.bias if isinstance(node, nir.Affine) else 0.0
        out, into = node.weight.shape
        return nengo.Node(lambda _, x: node.weight @ x + bias, size_in=into, size_out=out)
    size = node.v_threshold.size
    kind, gain = neurons(node, dt)
    return nengo.Ensemble(size, 1, neuron_type=kind, gain=gain * np.ones(size), bias=np.zeros(size)).neurons


def neurons(node: Any, dt: float) -> tuple[Any, Any]:
    """The kind of neuron and its gain; potentials count in thresholds."""
    if isinstance(node, nir.IF):
        demand(node.r == 1)
        return IntegrateAndFire(amplitude=dt, **AT_REST), 1 / node.v_threshold.reshape(-1) / dt
    if not isinstance(node, (nir.LIF, nir.CubaLIF)):
        raise TypeError(f"{type(node).__name__} is no node that the script knows")
    demand(node.v_leak == 0)
    if isinstance(node, nir.LIF):
        demand(node.r == 1)
        return nengo.LIF(tau_rc=node.tau[0], tau_ref=0, **AT_REST), 1 / node.v_threshold
    for values in (node.r, node.v_threshold, node.tau_syn, node.tau_mem):
        demand(values == values[0])
    kind = nengo.LIF(tau_rc=node.tau_mem[0], tau_ref=0, amplitude=dt, **AT_REST)
    return kind, node.w_in * node.r[0] / node.v_threshold


def demand(given: np.ndarray) -> None:
    """What the script asserts."""
    if not given.all():
        raise ValueError("the script asserts that all neurons have the same numbers, r = 1 or v_leak = 0")


def filter_of(node: Any, dt: float) -> Any:
    """The filter on everything that goes to a node."""
    if isinstance(node, nir.LI):
        return nengo.synapses.Lowpass(node.tau[0])
    if not isinstance(node, nir.CubaLIF):
        return None
    with np.errstate(divide="ignore"):  # a current that lasts one step
        return nengo.synapses.Lowpass(-dt / np.log(1 - dt / node.tau_syn[0]))


def potentials_stay_above_zero() -> bool:
    """What inhibits a LIF at rest is forgotten: after −50, 1.5 brings it to 1.5·(1 − 1/e)."""
    with nengo.Network() as network:
        stimulus = nengo.Node(nengo.processes.PresentInput([[-50.0], [1.5]], presentation_time=1e-3))
        kind = nengo.LIF(tau_rc=1e-3, tau_ref=0, **AT_REST)
        ensemble = nengo.Ensemble(1, 1, neuron_type=kind, gain=[1.0], bias=[0.0])
        nengo.Connection(stimulus, ensemble.neurons, synapse=None)
        probe = nengo.Probe(ensemble.neurons, "voltage")
    with nengo.Simulator(network, dt=1e-3, progress_bar=False) as simulator:
        simulator.run_steps(2)
    first, second = simulator.data[probe][:, 0]
    return bool(first == 0 and abs(second - 1.5 * (1 - np.exp(-1))) < 1e-12)


if __name__ == "__main__":
    serve(answer)
