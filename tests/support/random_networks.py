"""Random networks of each framework: layers and neurons with random options, put together at random.

A network is a list of operations on the values so far. What differs between the frameworks is how a neuron is called
and who turns the loop over time; both are the network's `form`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import norse.torch as norse
import numpy as np
import snntorch
import torch
from spikingjelly.activation_based import functional
from support.network_neurons import NEURONS
from support.network_plans import Plan
from torch import Tensor, nn

STEPS, BATCH = 12, 2
LIVELY = 0.05
"""Part of the neurons that spike in a step; inputs are made stronger until they do."""
FORMS = {
    "norse": ("loop", "step", "sequence"),
    "snntorch": ("loop", "hidden loop", "hidden step"),
    "spikingjelly": ("multi", "loop", "step"),
    "ours": ("multi",),
}


def random_network(seed: int, framework: str, form: str) -> tuple[Network, Tensor]:
    """A network, and inputs [T, B, ...] that make it spike."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    shape = ((2, 6, 6), (2, 6, 6), (9,))[rng.integers(3)]
    plan = Plan(rng, framework, form, [shape], dt=float(rng.choice([1e-3, 5e-4, 2e-3])))
    sequence = form == "sequence"
    for _ in range(int(rng.integers(2, 5))):
        _block(plan, straight=sequence)
    network = Network(plan).eval()
    x = torch.from_numpy(rng.normal(0.4, 1.0, (STEPS, BATCH, *shape)).astype(np.float32))
    for boost in (1.0, 2.0, 4.0, 8.0):
        network.calibrate(x, boost)
        with torch.no_grad():
            rates = [float((spikes != 0).float().mean()) for spikes in network.run(x).values()]
        if sum(rates) / len(rates) > LIVELY:
            break
    return network, x


def _block(plan: Plan, *, straight: bool) -> None:
    """Layers and a neuron; sometimes around a residual or side by side with what came before."""
    start = plan.last
    if len(plan.shape) == 3 and plan.chance(0.65):
        _image_layers(plan)
    else:
        if len(plan.shape) == 3:
            plan.layer(nn.Flatten())
        plan.layer(nn.Linear(plan.shape[0], int(plan.rng.integers(3, 10)), bias=plan.chance(0.7)))
        if plan.chance(0.25):
            plan.layer(nn.BatchNorm1d(plan.shape[0], affine=plan.chance(0.5)))
    before = plan.last
    plan.fire(*NEURONS[plan.framework](plan))
    if straight:
        return
    _merge(plan, (start, before))


def _image_layers(plan: Plan) -> None:
    channels = plan.shape[0]
    groups = plan.pick(1, 1, 2) if channels % 2 == 0 else 1
    kernel = plan.pick(1, 3, (3, 1)) if min(plan.shape[1:]) >= 3 else 1
    stride = plan.pick(1, 1, 2)
    padding = plan.pick(0, 1) if kernel == 3 else 0
    plan.layer(nn.Conv2d(channels, plan.pick(2, 4), kernel, stride, padding, groups=groups, bias=plan.chance(0.6)))
    if plan.chance(0.4):
        plan.layer(nn.BatchNorm2d(plan.shape[0], affine=plan.chance(0.7)))
    if min(plan.shape[1:]) >= 2 and plan.chance(0.4):
        plan.layer(plan.pick(nn.AvgPool2d(2), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1)))


def _merge(plan: Plan, earlier: tuple[int, ...]) -> None:
    source = plan.pick(*earlier)
    dice = plan.rng.random()
    if plan.shapes[source] == plan.shape and dice < 0.4:
        plan.add("add", 0, (plan.last, source), plan.shape)
    elif plan.shapes[source][1:] == plan.shape[1:] and dice < 0.6:
        shape = (plan.shape[0] + plan.shapes[source][0], *plan.shape[1:])
        plan.add("cat", 0, (plan.last, source), shape)


class Network(nn.Module):
    """What a plan says. It answers with the spikes of every neuron, [T, B, ...], or [B, ...] of one step."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.operations, self.framework, self.form = plan.operations, plan.framework, plan.form
        self.layers, self.neurons = nn.ModuleList(plan.layers), nn.ModuleList(plan.neurons)
        self.drives, self.gains = plan.drives, [1.0] * len(plan.neurons)
        self.seen: dict[int, list[Tensor]] | None = None

    def forward(self, x: Tensor, states: Any = None) -> Any:
        if self.form == "multi":
            return self.body(x, self.called, folded=True)[0]
        if "step" in self.form:
            answers, states = self.body(x, self.called, states)
            return {**answers, "states": states} if self.framework == "norse" else answers
        if self.form == "sequence":
            return self.sequence(x)
        rows: list[dict[str, Tensor]] = []
        for step in x:
            answers, states = self.body(step, self.called, states)
            rows.append(answers)
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    def body(
        self, x: Tensor, call: Callable[..., Any], states: Any = None, *, folded: bool = False
    ) -> tuple[dict[str, Tensor], list[Any]]:
        """One step; or all of them, with time folded into the batch for the layers."""
        states = [None] * len(self.neurons) if states is None else states
        values, answers, after = [x], {}, list(states)
        for what, place, reads in self.operations:
            read = [values[each] for each in reads]
            if what == "layer":
                made = self.layers[place]
                values.append(made(read[0].flatten(0, 1)).unflatten(0, x.shape[:2]) if folded else made(read[0]))
            elif what == "neuron":
                driven = read[0] * self.gains[place]
                if self.seen is not None:
                    self.seen.setdefault(place, []).append(read[0].detach().as_subclass(Tensor))
                spikes, after[place] = call(self.neurons[place], driven, states[place])
                answers[f"n{place}"] = spikes
                values.append(spikes)
            else:
                values.append(read[0] + read[1] if what == "add" else torch.cat(read, 2 if folded else 1))
        return answers, after

    def called(self, each: Any, x: Tensor, state: Any) -> Any:
        """A neuron as its framework calls it: its spikes, and a state that the caller has to keep."""
        if self.framework == "norse":
            return each(x, state)
        if self.framework == "snntorch":
            answer = each(x) if each.init_hidden or state is None else each(x, *state)
            if each.init_hidden:
                return (answer[0] if isinstance(answer, tuple) else answer), None
            return answer[0], answer if hasattr(each, "recurrent") else answer[1:]
        return each(x), None

    def sequence(self, x: Tensor) -> dict[str, Tensor]:
        """Norse's own containers: layers lifted over time, neurons that take all steps, in a SequentialState."""
        hidden, _ = self.stack(x)
        return {f"n{i}": hidden[place] for i, place in enumerate(self.places)}

    def build_sequence(self) -> None:
        self.places, parts = [], []
        for what, place, _ in self.operations:
            if what == "neuron":
                parts.append(norse.Lift(Scaled(self.gains[place])))
                self.places.append(len(parts))
            parts.append(self.neurons[place] if what == "neuron" else norse.Lift(self.layers[place]))
        self.stack = norse.SequentialState(*parts, return_hidden=True)

    def calibrate(self, x: Tensor, boost: float) -> None:
        """Scale what each neuron receives, first to last, so that it spikes."""
        if self.form == "sequence":
            self.build_sequence()
        for place, drive in enumerate(self.drives):
            self.seen = {}
            with torch.no_grad():
                received = self.received(x, place)
            self.gains[place] = round(boost * drive / max(float(received.std()), 1e-3), 3) or drive
            if self.form == "sequence":
                self.build_sequence()
        self.seen = None

    def received(self, x: Tensor, place: int) -> Tensor:
        if self.form == "sequence":
            return self.stack(x)[0][self.places[place] - 1] / self.gains[place]
        self.run(x)
        assert self.seen is not None
        return torch.cat(self.seen[place])

    def run(self, x: Tensor) -> dict[str, Tensor]:
        """All steps, whoever turns the loop, from a fresh state."""
        self.fresh()
        if "step" not in self.form:
            answers: dict[str, Tensor] = self(x)
            return answers
        states, rows = None, []
        for step in x:
            row = self(step, states) if states is not None else self(step)
            states = row.pop("states", None)
            rows.append(row)
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    def fresh(self) -> None:
        for each in self.neurons:
            if isinstance(each, snntorch.SpikingNeuron):
                each.reset_mem()
        functional.reset_net(self)


class Scaled(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor
