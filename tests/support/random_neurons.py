"""One maker for each kind of neuron: random options, parameters scaled so that it really spikes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from spikeport.toolchain.graph import nodes as n
from support.drafts import Draft, Made


def _integrating(d: Draft, source: str, kind: type[n.Node]) -> dict[str, object]:
    shape, rms = d.shape(source), d.rms(source)
    names = set(kind.__dataclass_fields__)
    fields: dict[str, object] = {"gain": d.parameter(shape, 0.5, 1.5) / rms, "bias": d.parameter(shape, -0.05, 0.25)}
    fields["rule"] = str(d.rng.choice(["given", "euler", "exact"]))
    if d.chance(0.3):
        fields["v_start"] = d.parameter(shape, -0.3, 0.3)
    if "alpha" in names:
        fields["alpha"] = d.parameter(shape, 0.2, 0.9)
    if "beta" in names:
        fields["beta"] = d.parameter(shape, 0.3, 0.97)
    return fields


def integrator_node(kind: type[n.Node]) -> Callable[[Draft], Made]:
    def make(d: Draft) -> Made:
        source = d.pick()
        return kind(**_integrating(d, source, kind)), [source]

    return make


def firing(d: Draft, source: str, kind: type[n.Node], emit: str | None = None) -> n.Node:
    """A spiking neuron with random options that reads from `source`."""
    shape = d.shape(source)
    fields = _integrating(d, source, kind)
    fields["threshold"] = d.parameter(shape, 0.35, 1.0)
    fields["at_least"] = d.chance(0.3)
    fields["reset"] = str(d.rng.choice(["value", "subtract", "subtract", "none"]))
    whens = ["now", "now", "next"]
    if fields["reset"] == "subtract" and kind is not n.AdaptiveLIF:
        whens.append("guarded")
    fields["when"] = str(d.rng.choice(whens))
    if fields["reset"] == "value" and d.chance(0.5):
        fields["v_reset"] = d.parameter(shape, -0.3, 0.2)
    fields["emit"] = emit or str(d.rng.choice(["spikes"] * 6 + ["voltage", "charge"]))
    if kind is n.AdaptiveLIF:
        fields["adapt_decay"] = d.parameter(shape, 0.4, 0.95)
        fields["adapt_step"] = d.parameter(shape, 0.05, 0.4)
        if d.chance(0.5):
            fields["refractory_decay"] = d.parameter(shape, 0.2, 0.7)
            fields["refractory_gain"] = d.parameter(shape, 0.1, 0.5)
    return kind(**fields)


def firing_node(kind: type[n.Node]) -> Callable[[Draft], Made]:
    def make(d: Draft) -> Made:
        source = d.pick()
        return firing(d, source, kind), [source]

    return make


def resonate_node(d: Draft) -> Made:
    source = d.pick()
    shape, rms = d.shape(source), d.rms(source)
    decay, turn = d.rng.uniform(0.6, 0.98), d.rng.uniform(0.5, 2.5, shape if d.chance(0.5) else ())
    spike = str(d.rng.choice(["phase", "izhikevich"]))
    cos, sin = (decay * np.cos(turn)).astype(d.dtype), (decay * np.sin(turn)).astype(d.dtype)
    second = [m for m in d.sample if d.shape(m) == shape]
    sources = [source, second[d.rng.integers(len(second))]] if d.chance(0.5) else [source]
    threshold = d.parameter(shape, 0.3, 0.8) * rms
    return n.ResonateFire(cos=cos, sin=sin, threshold=threshold, spike=spike, epsilon=0.01), sources


def sigma_node(d: Draft) -> Made:
    return n.Sigma(), [d.pick()]


def delta_node(d: Draft) -> Made:
    source = d.pick()
    return n.Delta(threshold=d.parameter(d.shape(source), 0.1, 0.6), cumulative=d.chance(0.3)), [source]


def sigma_delta_node(d: Draft) -> Made:
    source = d.pick()
    shape, activation = d.shape(source), str(d.rng.choice(["relu", "unit"]))
    threshold, bias = d.parameter(shape, 0.1, 0.6), d.parameter(shape, -0.3, 0.3)
    return n.SigmaDelta(threshold=threshold, bias=bias, activation=activation, cumulative=d.chance(0.3)), [source]
