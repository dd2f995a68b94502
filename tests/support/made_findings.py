"""Findings made by hand: a spiking network of four convolutions, its ANN twin, six rules, 200 samples of ten classes.

The numbers are drawn, the sums are true: every energy is the sum of its lines.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from spikeport.benchmarks.break_even import BreakEven
from spikeport.benchmarks.conventions import Figure
from spikeport.benchmarks.energy import Energy, Line
from spikeport.benchmarks.findings import Billed, Findings, Network, Spikes, Statistics, WhatIf
from spikeport.benchmarks.operations import Facts, LayerCount, OpCount, Ops, Pairs, Uncounted
from spikeport.benchmarks.profile import Constant

SAMPLES, STEPS, CLASSES = 200, 16, 10
HOROWITZ = "M. Horowitz, Computing's energy problem (and what we can do about it), ISSCC 2014, pp. 10–14"
DAVIES = "M. Davies et al., Loihi: a neuromorphic manycore processor with on-chip learning, IEEE Micro 38(1), 2018"
LEMAIRE = "E. Lemaire et al., An analytical estimation of spiking neural networks energy efficiency, ICONIP 2022"
CMOS = {
    name: Constant(name, pj, "45 nm, 0.9 V", 2014, HOROWITZ, note)
    for name, pj, note in (
        ("mac", 4.6, "3.7 pJ for the multiplication and 0.9 pJ for the addition, 32-bit floating point"),
        ("ac", 0.9, "one addition, 32-bit floating point"),
        ("add", 0.9, ""),
        ("multiply", 3.7, ""),
        ("sram_32k", 10.0, "half of a 64-bit access to 32 KiB"),
    )
}
LOIHI = {
    name: Constant(name, pj, "14 nm FinFET", 2018, DAVIES, note)
    for name, pj, note in (
        ("synaptic_event", 23.6, "per synaptic spike operation"),
        ("neuron_active", 81.0, "neuron update, active"),
        ("neuron_idle", 52.0, "neuron update, idle"),
        ("hop", 3.0, "within the mesh, east–west"),
    )
}
CONVS = ((2, 32, 64, 64, 0.031), (32, 64, 64, 32, 0.112), (64, 64, 32, 16, 0.064), (64, 128, 16, 8, 0.043))
"""Channels in and out, side in and out, and the share of input values that are not 0."""


def _conv(index: int, spiking: bool) -> LayerCount:
    low, high, side, out, rate = CONVS[index]
    steps = STEPS * SAMPLES
    dense = high * low * (3 * out - 2) ** 2 * steps
    padded = high * low * 9 * out * out * steps
    effective = int(dense * (rate if spiking else 0.63 if index else rate))
    pairs = Pairs(dense, padded, effective, effective, effective if spiking else 0)
    received = low * side * side * steps
    facts = Facts(
        "Conv", "synapses", ("spikes",) if spiking else ("graded",), (3, 3), (1 + (index > 0),) * 2, 1, (low, high),
        low * side * side, high * out * out, high * low * 9, high, index == 0,
    )  # fmt: skip
    kind = "acs" if spiking else "macs"
    ops = Ops(received=received, events=int(received * rate), bias_adds=high * out * out * steps)
    return LayerCount(facts, replace(ops, **{kind: pairs}))


def _neurons(size: int, rate: float, spiking: bool) -> LayerCount:
    updates = size * STEPS * SAMPLES
    facts = Facts(
        "LIF" if spiking else "ReLU", "neurons" if spiking else "elementwise", ("graded",), n_in=size, n_out=size
    )
    if not spiking:
        return LayerCount(facts, Ops(comparisons=updates, received=updates, events=updates))
    sent = int(updates * rate)
    return LayerCount(
        facts,
        Ops(received=updates, events=int(updates * 0.9), sent=updates, sent_events=sent, updates={"LIF": updates},
            active=int(updates * 0.9), comparisons=updates, resets=sent),
    )  # fmt: skip


def counts(spiking: bool = True) -> OpCount:
    layers: dict[str, LayerCount] = {}
    rates = [*(conv[4] for conv in CONVS[1:]), 0.052]
    for index, (_, high, _, side, _) in enumerate(CONVS):
        layers[f"conv{index + 1}"] = _conv(index, spiking)
        layers[f"neuron{index + 1}"] = _neurons(high * side * side, rates[index], spiking)
    steps = STEPS * SAMPLES
    dense = 8192 * 10 * steps
    effective = int(dense * (0.052 if spiking else 0.58))
    pairs = Pairs(dense, dense, effective, effective, effective if spiking else 0)
    facts = Facts(
        "Affine", "synapses", ("spikes",) if spiking else ("graded",), (), (), 1, (8192, 10), 8192, 10, 81920, 10
    )
    ops = Ops(received=8192 * steps, events=int(8192 * steps * 0.052), bias_adds=10 * steps)
    layers["readout"] = LayerCount(facts, replace(ops, **{"acs" if spiking else "macs": pairs}))
    uncounted = (
        Uncounted("aten::cumsum", "head.smooth", 200, 32_000, 0.0021),
        Uncounted("aten::topk", "head", 200, 2_000, 0.0004),
    )
    return OpCount(
        "event_convnet", "graph", layers, SAMPLES, steps, uncounted if spiking else (), 3.2,
        ("Padding connects nothing: only synapses that a spike reaches are counted.",),
    )  # fmt: skip


def _line(layer: str, kind: str, what: str, count: float, constant: Constant) -> list[Line]:
    return [Line(layer, kind, what, count, constant)] if count else []


def _simple(name: str, each: LayerCount, rule: str) -> list[Line]:
    ops, first = each.ops, each.facts.first
    mac = ops.macs.dense + (ops.acs.dense if rule == "paper" and first else 0)
    ac = 0.0 if rule == "paper" and first else float(ops.acs.effective)
    lines = _line(name, "synapses", "MAC", mac, CMOS["mac"]) + _line(name, "synapses", "AC", ac, CMOS["ac"])
    if rule in ("events", "lemaire"):
        lines += _line(name, "neurons", "neuron update", sum(ops.updates.values()), CMOS["mac"])
        lines += _line(name, "bias", "bias add", ops.bias_adds, CMOS["add"])
        lines += _line(name, "reset", "reset", ops.resets, CMOS["add"])
        lines += _line(name, "elementwise", "comparison", 0 if ops.updates else ops.comparisons, CMOS["add"])
    if rule == "lemaire":
        reads = ops.pairs.effective + 2 * sum(ops.updates.values())
        lines += _line(name, "memory", "weight and potential access", reads, CMOS["sram_32k"])
        lines += _line(name, "addressing", "address", ops.pairs.effective, CMOS["add"])
    return lines


def _loihi(name: str, each: LayerCount) -> list[Line]:
    ops = each.ops
    updates = sum(ops.updates.values()) or (ops.comparisons if each.facts.kind == "ReLU" else 0)
    active = ops.active or updates
    return [
        *_line(name, "synapses", "synaptic event", ops.pairs.effective, LOIHI["synaptic_event"]),
        *_line(name, "neurons", "neuron update, active", active, LOIHI["neuron_active"]),
        *_line(name, "neurons", "neuron update, idle", updates - active, LOIHI["neuron_idle"]),
        *_line(name, "hops", "spike hop", ops.sent_events, LOIHI["hop"]),
    ]


def energy(of: OpCount, rule: str) -> Energy:
    if rule == "chip:loihi1":
        lines = [line for name, each in of.layers.items() for line in _loihi(name, each)]
        return Energy(rule, "loihi1", tuple(lines), of.samples, ("bias: on Loihi a part of the neuron update",))
    lines = [line for name, each in of.layers.items() for line in _simple(name, each, rule)]
    unbilled = ("neuron updates", "bias adds", "resets") if rule in ("paper", "strict", "neurobench") else ()
    return Energy(rule, "45nm-fp32", tuple(lines), of.samples, unbilled)


def _statistics(values: np.ndarray) -> Statistics:
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    half = 1.96 * sd / len(values) ** 0.5
    return Statistics(len(values), mean, sd, mean - half, mean + half, float(values.min()), float(values.max()))


def _billed(of: OpCount, rule: str, sway: float, rng: np.random.Generator) -> Billed:
    made = energy(of, rule)
    labels = np.repeat(np.arange(CLASSES), SAMPLES // CLASSES)
    factors = 1 + sway * (0.6 * rng.normal(size=SAMPLES) + np.sin(labels))
    values = made.pj * factors / factors.mean()
    classes = {name: _statistics(values[labels == label]) for label, name in enumerate(CLASS_NAMES)}
    return Billed(made, _statistics(values), classes)


CLASS_NAMES = (
    "circle left", "circle right", "square left", "square right", "cross left", "cross right", "bar up", "bar down",
    "spiral", "noise",
)  # fmt: skip
RULES = {
    "strict": (
        "Accumulates only where the input carries spikes; small integers n accumulate n times; real numbers multiply.",
        "E = E_AC · AC + E_AC · Σ|n| + E_MAC · MAC",
        "the rule that reviewers ask for; S. Yan et al., arXiv 2409.08290, discuss why",
    ),
    "paper": (
        "The first layer multiplies, every other accumulates at the rate of its input.",
        "E = E_MAC · FLOPs₁ + E_AC · Σ rate · FLOPs",
        "as in most papers on deep spiking networks since 2019",
    ),
    "neurobench": (
        "Effective operations on non-zero weights; nothing for neurons and biases.",
        "E = E_MAC · effective MACs + E_AC · effective ACs",
        "J. Yik et al., NeuroBench, 2023; the counts are theirs, the constants ours",
    ),
    "events": (
        "Exact fan-out of every spike, and what neurons, biases and resets cost.",
        "E = E_AC · (fan-out + bias + reset) + E_MAC · updates",
        "this tool",
    ),
    "lemaire": (
        "Operations, memory and addressing of an analytical accelerator.",
        "E = E_ops + E_mem + E_addr",
        LEMAIRE,
    ),
    "chip:loihi1": (
        "Synaptic events, neuron updates and hops of Loihi 1.",
        "E = 23.6 · events + 81 · active + 52 · idle + 3 · hops",
        DAVIES,
    ),
}


def _spikes(rng: np.random.Generator) -> tuple[Spikes, ...]:
    made = []
    rates = [*(conv[4] for conv in CONVS[1:]), 0.052]
    for index, (_, high, _, side, _) in enumerate(CONVS):
        y, x = np.mgrid[:side, :side] / side - 0.5
        place = np.exp(-((x - 0.12 * index + 0.1) ** 2 + (y + 0.05 * index) ** 2) * (18 + 6 * index))
        chance = place * rng.gamma(0.8, size=(high, 1, 1))
        chance = np.minimum(chance * rates[index] / chance.mean(), 0.9)
        wave = 1 + 0.8 * np.sin(np.arange(STEPS) * 2 * np.pi / 8 - index)
        sent = rng.random((STEPS, high, side, side)) < wave[:, None, None, None] * chance
        times, neurons = np.nonzero(sent.reshape(STEPS, -1))
        made.append(Spikes(f"neuron{index + 1}", (high, side, side), STEPS, times, neurons, sent.mean(0)))
    return tuple(made)


def _break_even() -> tuple[BreakEven, ...]:
    rows = (("conv1", 0.031, 0.057, 0.012), ("conv2", 0.112, 0.061, 0.049), ("conv3", 0.064, 0.066, 0.061),
            ("conv4", 0.043, 0.062, 0.060), ("readout", 0.052, 0.171, math.inf))  # fmt: skip
    return tuple(
        BreakEven(layer, rate, below, with_neurons, 5, float(STEPS), rate < below, rate < with_neurons)
        for layer, rate, below, with_neurons in rows
    )


def _figures() -> tuple[Figure, ...]:
    rows = (
        ("mmcv", "eval", {"FLOPs": 160_334_000}, "MAC of convolutions and bias adds, BN 2 × values, ReLU 1 × values"),
        ("fvcore-train", "train", {"FLOPs": 161_720_320}, "MAC of conv, linear, matmul and einsum; BN 5 × values"),
        ("fvcore-eval", "eval", {"FLOPs": 159_900_000}, "MAC of conv, linear, matmul and einsum; BN 2 × values"),
        ("thop", "eval", {"MACs": 158_990_000, "params": 194_954}, "MAC of modules; nothing functional"),
        ("torch", "eval", {"FLOPs": 317_980_672}, "2 × MAC of conv and mm"),
        ("syops", "eval", {"ACs": 12_418_000, "MACs": 4_214_000}, "rate × MAC where values happen to be 0 and 1"),
        ("neurobench", "eval", {"ACs": 11_902_118, "MACs": 0, "Dense": 152_874_000}, "non-zero pairs"),
    )
    return tuple(
        Figure(name, mode, values, what, 1, True, 2 if name == "neurobench" else 1,
               ("aten::cumsum in head",) if name in ("mmcv", "thop") else (), "160.33 MFLOPs" if name == "mmcv" else "",
               f"{name}, its version")
        for name, mode, values, what in rows
    )  # fmt: skip


def made(seed: int = 0, against: bool = True, samples: bool = True) -> Findings:
    rng = np.random.default_rng(seed)
    networks = [
        _network("event_convnet", "subject", counts(True), 0.11, rng, "a checkpoint of the zoo, 4 convolutions")
    ]
    if against:
        about = "the twin: the same layers, ReLU for neurons, real numbers everywhere, one pass for every step"
        networks.append(_network("its ANN twin", "against", counts(False), 0.0008, rng, about))
    if not samples:
        plain = (replace(each, over=None, classes={}) for each in networks[0].billed)
        networks[0] = replace(networks[0], billed=tuple(plain))
    return Findings(
        command="spikeport energy event_convnet.safetensors --data moving_shapes:200 --rule strict --rule paper "
        "--rule neurobench --rule events --rule lemaire --rule chip:loihi1 --against twin -o report/",
        version="0.1.0",
        source="event_convnet.safetensors",
        data="200 samples of moving_shapes, part test, 16 steps of 2×64×64",
        data_identity="9f2c" * 16,
        networks=tuple(networks),
        constants={"45nm-fp32": tuple(CMOS.values()), "loihi1": tuple(LOIHI.values())},
        rules=RULES,
        break_even=_break_even(),
        what_if=tuple(what_if(networks, pj) for pj in (0.03, 0.1, 0.4, 0.9, 1.8)),
        figures=_figures(),
        spikes=_spikes(rng),
        notes=("conv1 reads events of two polarities: its input carries spikes.", "Weights are counted as 32-bit."),
    )


def _network(title: str, role: str, of: OpCount, sway: float, rng: np.random.Generator, about: str) -> Network:
    return Network(title, role, of, tuple(_billed(of, rule, sway, rng) for rule in RULES), about)


def what_if(networks: list[Network], pj: float, name: str = "ac", rule: str = "strict") -> WhatIf:
    """The totals with another value of one constant, line by line."""
    totals = {}
    for network in networks:
        (energy,) = (each.energy for each in network.billed if each.energy.rule == rule)
        lines = (line.count * (pj if line.constant.name == name else line.constant.pj) for line in energy.lines)
        totals[network.title] = sum(lines) / energy.samples
    return WhatIf(name, pj, rule, energy.profile, totals)


HOSTILE = "<script>alert(1)</script>"
PROFILE = "</script><script>alert(2)</script>.toml"
FORMULA = "=cmd|' /C calc'!A0"
LATEX = r"\input{/etc/passwd} $x_1^2$ 50% #1 & {a~b} µ 日本"


def hostile() -> Findings:
    """The same with names that HTML, LaTeX and spreadsheets would run, if they were let."""
    base = made()
    names = {"conv1": HOSTILE, "conv2": FORMULA, "conv3": LATEX, "neuron1": "[bold]a\"b'c`\x07\u202e\n$\\frac12$"}
    networks = tuple(_renamed(network, names) for network in base.networks)
    spikes = tuple(replace(each, layer=names.get(each.layer, each.layer)) for each in base.spikes)
    odd = f"{HOSTILE} {LATEX} \udcff -->]]></title></style>"
    return replace(
        base, networks=networks, spikes=spikes, command=odd, source=odd, data=odd, notes=(odd,),
        break_even=tuple(replace(each, layer=names.get(each.layer, each.layer)) for each in base.break_even),
        what_if=tuple(what_if(list(networks), pj) for pj in (0.1, 0.9)),
        constants={PROFILE: base.constants["45nm-fp32"], "loihi1": base.constants["loihi1"]},
    )  # fmt: skip


def _renamed(network: Network, names: dict[str, str]) -> Network:
    layers = {names.get(name, name): each for name, each in network.counts.layers.items()}
    billed = tuple(
        replace(
            each,
            energy=replace(
                each.energy,
                profile=PROFILE if each.energy.profile == "45nm-fp32" else each.energy.profile,
                lines=tuple(replace(line, layer=names.get(line.layer, line.layer)) for line in each.energy.lines),
            ),
            classes={HOSTILE: next(iter(each.classes.values())), FORMULA: next(iter(each.classes.values()))},
        )
        for each in network.billed
    )
    title = HOSTILE if network.role == "subject" else LATEX
    return replace(network, title=title, counts=replace(network.counts, layers=layers), billed=billed)
