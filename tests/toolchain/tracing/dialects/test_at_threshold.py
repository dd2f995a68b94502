"""v̂ = θ exactly, in numbers that float64 holds exactly: what fires at the threshold, and what only above it."""

from __future__ import annotations

from typing import Any

import norse.torch as norse
import numpy as np
import pytest
import snntorch
import torch
from spikeport.models import neurons
from spikeport.models.recurrent import RecurrentCubaLIF
from spikeport.toolchain.tracing import trace
from spikeport.toolchain.tracing.dialects import TABLES
from spikingjelly.activation_based import neuron
from support import norse_cases, our_cases, snntorch_cases, spikingjelly_cases
from support.dialects import in_float64, same
from torch import nn

HALF = torch.as_tensor(500.0)
"""1/τ for which dt/τ is one half."""


def weighted(made: Any) -> Any:
    """With an input that goes straight through, and no recurrent one."""
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if "recurrent" in name:
                weight.zero_()
            elif weight.ndim == 2:
                weight.copy_(torch.eye(*weight.shape))
    return made


NORSE: dict[Any, Any] = {
    **dict.fromkeys((norse.LIFCell, norse.LIF), norse.LIFParameters(tau_mem_inv=HALF)),
    **dict.fromkeys((norse.LIFRecurrentCell, norse.LIFRecurrent), norse.LIFParameters(tau_mem_inv=HALF)),
    **dict.fromkeys((norse.LSNNCell, norse.LSNN), norse.LSNNParameters(tau_mem_inv=HALF, tau_syn_inv=HALF)),
    **dict.fromkeys(
        (norse.LSNNRecurrentCell, norse.LSNNRecurrent), norse.LSNNParameters(tau_mem_inv=HALF, tau_syn_inv=HALF)
    ),
    **dict.fromkeys((norse.IAFCell, norse.IAF), norse.IAFParameters()),
    norse.LIFBoxCell: norse.LIFBoxParameters(tau_mem_inv=HALF),
}


def _cases() -> dict[str, tuple[nn.Module, float, bool]]:
    """(the module, the input that puts v̂ to θ, whether it fires then)."""
    found: dict[str, tuple[nn.Module, float, bool]] = {}
    for kind, p in NORSE.items():
        sizes = (3, 3) if "Recurrent" in kind.__name__ else ()
        wrap = norse_cases.Loop if "Cell" in kind.__name__ else norse_cases.Layer
        found[kind.__name__] = (wrap(weighted(kind(*sizes, p=p))), 1.0 if "IAF" in kind.__name__ else 2.0, False)
    given: dict[Any, tuple[dict[str, Any], float]] = {
        snntorch.Leaky: ({"beta": 0.5}, 1.0),
        snntorch.Synaptic: ({"alpha": 0.5, "beta": 0.5}, 1.0),
        snntorch.Lapicque: ({"beta": False, "R": 1.0, "C": 2.0}, 2.0),
        snntorch.RLeaky: ({"beta": 0.5, "linear_features": 3}, 1.0),
        snntorch.RSynaptic: ({"alpha": 0.5, "beta": 0.5, "linear_features": 3}, 1.0),
    }
    for kind, (options, x) in given.items():
        found[f"snntorch {kind.__name__}"] = (snntorch_cases.Loop(weighted(kind(**options))), x, False)
    jelly: dict[Any, tuple[dict[str, Any], float]] = {
        neuron.IFNode: ({}, 1.0),
        neuron.SimpleIFNode: ({}, 1.0),
        neuron.HalfThresholdIFNode: ({}, 0.5),
        neuron.LIFNode: ({}, 2.0),
        neuron.SimpleLIFNode: ({"tau": 2.0, "decay_input": True}, 2.0),
        neuron.OTTTLIFNode: ({}, 1.0),
        neuron.SLTTLIFNode: ({}, 2.0),
        neuron.ParametricLIFNode: ({}, 2.0),
        neuron.CUBALIFNode: ({}, 0.5),
    }
    for kind, (options, x) in jelly.items():
        found[kind.__name__] = (spikingjelly_cases.Loop(kind(**options)), x, True)
    for inclusive in (False, True):
        fire: dict[str, Any] = {"inclusive": inclusive}
        ours = [neurons.IF(**fire), neurons.LIF(0.5, **fire), neurons.CubaLIF(0.5, 0.5, **fire)]
        for made in (*ours, weighted(RecurrentCubaLIF(3, 3, 0.5, 0.5, **fire))):
            found[f"our {type(made).__name__}, inclusive={inclusive}"] = (our_cases.Named(made), 1.0, inclusive)
    return found


CASES = _cases()
SILENT = {"LI", "MovingAverage", "LICell", "LIBoxCell", "LILinearCell", "NonSpikingIFNode", "NonSpikingLIFNode"}
NO_NEURON = {
    *("Change", "Dropout", "Dropout2d", "Delay"),
    *("ElementWiseRecurrentContainer", "LinearRecurrentContainer", "RecurrentSequential"),
}


@pytest.mark.parametrize("name", CASES)
def test_at_the_threshold(name: str):
    module, x, fires = CASES[name]
    module.eval()
    late = 1 if "LSNN" in name else 0
    steps = torch.tensor([x, 0.0, 0.0, 0.25 * x, 1.5 * x, 0.0]).double().view(-1, 1, 1).expand(-1, 2, 3)
    wanted = in_float64(module, steps)
    assert bool(wanted["spikes"][late].all()) == fires
    assert bool(wanted["spikes"][late].any()) == fires
    assert np.any(wanted["spikes"])
    same(trace(module, steps.float(), time_axis=0), steps, wanted)


def test_every_row_that_fires_is_tested():
    rows = {name.rsplit(".", 1)[1] for name in TABLES} - SILENT - NO_NEURON
    tested = {name.removeprefix("snntorch ").removeprefix("our ").split(",")[0] for name in CASES}
    assert tested == rows
