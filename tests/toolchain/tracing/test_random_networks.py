"""200 random networks of Norse, snnTorch, SpikingJelly and our own neurons: the traced graph spikes as they do."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from spikeport.toolchain.tracing import trace
from support.dialects import Wide, arrays, same
from support.random_networks import FORMS, random_network

SEEDS = range(50)
RATE = 0.05


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("framework", FORMS)
def test_a_random_network_spikes_as_its_framework_does(framework: str, seed: int):
    forms = FORMS[framework]
    form = forms[seed % len(forms)]
    network, x = random_network(1000 + seed, framework, form)
    network.fresh()
    one_step = "step" in form
    graph = trace(network, x[0] if one_step else x[:4], time_axis=None if one_step else 0, check=False)
    with torch.no_grad(), Wide():
        wanted = arrays(copy.deepcopy(network).double().run(x.double()))
    rates = {name: float((spikes != 0).mean()) for name, spikes in wanted.items()}
    assert np.mean(list(rates.values())) > RATE, f"nothing happens: {rates}"
    same(graph, x, wanted)
