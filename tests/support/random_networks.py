"""Random networks of each framework: layers and neurons with random options, put together at random.

A network is a list of operations on the values so far. What differs between the frameworks is how a neuron is called and
who turns the loop over time; both are the network's `form`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import norse.torch as norse
import numpy as np
import snntorch
import torch
from norse.torch.functional.reset import reset_subtract
from spikingjelly.activation_based import functional, layer, neuron
from torch import Tensor, nn

from spikeport.models import neurons
from spikeport.models.recurrent import RecurrentCubaLIF

Shape = tuple[int, ...]
STEPS, BATCH = 12, 2
LIVELY = 0.05
"""Part of the neurons that spike in a step; inputs are made stronger until they do."""
FORMS = {
    "norse": ("loop", "step", "sequence"),
    "snntorch": ("loop", "hidden loop", "hidden step"),
    "spikingjelly": ("multi", "loop", "step"),
    "ours": ("multi",),
}


@dataclass
class Plan:
    """A network on its way: operations, what they are made of, and the shape of each value.

    Args:
        rng: where the randomness comes from.
        framework: whose neurons.
        form: how it is called.
        shapes: the shape of each value.
        operations: (what, place of its module, values it reads).
        layers: layers without a state.
        neurons: neurons, and how strong an input they need.
    """

    rng: np.random.Generator
    framework: str
    form: str
    shapes: list[Shape]
    dt: float = 1e-3
    operations: list[tuple[str, int, tuple[int, ...]]] = field(default_factory=list)
    layers: list[nn.Module] = field(default_factory=list)
    neurons: list[nn.Module] = field(default_factory=list)
    drives: list[float] = field(default_factory=list)

    @property
    def shape(self) -> Shape:
        """The shape of the last value."""
        return self.shapes[-1]

    @property
    def last(self) -> int:
        """The place of the last value."""
        return len(self.shapes) - 1

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def pick(self, *choices: Any) -> Any:
        return choices[self.rng.integers(len(choices))]

    def real(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def each(self, low: float, high: float) -> Tensor:
        """A parameter: one number, or one for each neuron or channel."""
        shape = self.pick((), (), self.shape, (self.shape[0], *[1] * (len(self.shape) - 1)))
        return torch.from_numpy(self.rng.uniform(low, high, shape).astype(np.float32))

    def add(self, what: str, place: int, reads: tuple[int, ...], shape: Shape) -> None:
        self.operations.append((what, place, reads))
        self.shapes.append(shape)

    def layer(self, made: nn.Module) -> None:
        """A layer behind the last value."""
        made = settled(made, self.rng)
        with torch.no_grad():
            shape = tuple(made(torch.zeros(2, *self.shape)).shape[1:])
        self.layers.append(made)
        self.add("layer", len(self.layers) - 1, (self.last,), shape)

    def fire(self) -> None:
        """A neuron behind the last value."""
        made, drive, shape = NEURONS[self.framework](self)
        self.neurons.append(made)
        self.drives.append(drive)
        self.add("neuron", len(self.neurons) - 1, (self.last,), shape)


def settled(module: nn.Module, rng: np.random.Generator) -> nn.Module:
    """With a batch norm that has seen something."""
    if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
        module.running_mean.uniform_(-0.3, 0.3)  # type: ignore[union-attr]
        module.running_var.uniform_(0.5, 2.0)  # type: ignore[union-attr]
    return module.eval()


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
    plan.fire()
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
    """What a plan says. It answers with the spikes of every neuron, [T, B, ...], or [B, ...] where it takes one step."""

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


# One neuron of a framework with random options: (the neuron, the input it needs, the shape of its spikes).
Made = tuple[nn.Module, float, Shape]


def _norse(plan: Plan) -> Made:
    over_time = plan.form == "sequence"
    firing: dict[str, Any] = {"v_th": plan.each(0.5, 1.5), "v_reset": plan.each(-0.3, 0.3)}
    firing["method"] = plan.pick("super", "heaviside", "tanh", "triangle", "circ", "heavi_erfc")
    leak = torch.tensor(plan.real(-0.2, 0.3)) if over_time else plan.each(-0.2, 0.3)
    membrane = {"tau_mem_inv": plan.each(100, 300), "v_leak": leak}
    current = {"tau_syn_inv": plan.each(100, 400), **membrane}
    options = ["LIF", "LIF", "IAF", "LSNN"] + ([] if over_time else ["LIFBox", "LIFBox"])
    kind = plan.pick(*options, *(["LIFRecurrent", "LSNNRecurrent"] if len(plan.shape) == 1 else []))
    if kind == "IAF":
        return (norse.IAF if over_time else norse.IAFCell)(norse.IAFParameters(**firing), plan.dt), 0.8, plan.shape
    if kind == "LIFBox":
        more = {"reset_method": reset_subtract} if plan.chance(0.4) else {}
        p = norse.LIFBoxParameters(**firing, **membrane, **more)
        return norse.LIFBoxCell(p, dt=plan.dt), 3e-3 * 3 / plan.dt, plan.shape
    made = getattr(norse, kind if over_time else f"{kind}Cell")
    if "LSNN" in kind:
        current |= {"v_leak": torch.tensor(0.1), "tau_syn_inv": torch.tensor(200.0)}
        adapt = {"beta": torch.tensor(plan.real(0, 0.5)), "tau_adapt_inv": torch.tensor(plan.real(5, 100))}
        p = norse.LSNNParameters(**{**firing, "v_th": torch.tensor(plan.real(0.5, 1.2))}, **current, **adapt)
    else:
        current |= {"v_leak": torch.tensor(0.1)} if "Recurrent" in kind else {}
        p = norse.LIFParameters(**{**firing, **current})
    drive = 2e-3 * 2 / plan.dt
    if "Recurrent" not in kind:
        return made(p=p, dt=plan.dt), drive, plan.shape
    size = int(plan.rng.integers(3, 8))
    p = p._replace(v_th=torch.tensor(0.8), v_reset=torch.tensor(0.05), tau_mem_inv=torch.tensor(150.0))
    p = p._replace(tau_syn_inv=torch.tensor(300.0))
    return made(plan.shape[0], size, p=p, autapses=plan.chance(0.5), dt=plan.dt), drive, (size,)


def _snntorch(plan: Plan) -> Made:
    kind = plan.pick(snntorch.Leaky, snntorch.Leaky, snntorch.Synaptic, snntorch.Lapicque, snntorch.RLeaky, snntorch.RSynaptic)
    given: dict[str, Any] = {"beta": plan.each(0.3, 0.95), "threshold": plan.each(0.5, 1.5)}
    given["reset_mechanism"] = plan.pick("subtract", "subtract", "zero", "zero", "none")
    if kind is snntorch.Lapicque:
        given["beta"] = plan.real(0.4, 0.9)
    elif kind is not snntorch.RSynaptic:
        given["reset_delay"] = plan.chance(0.5)
    if kind in (snntorch.Synaptic, snntorch.RSynaptic):
        given["alpha"] = plan.each(0.1, 0.9)
    if kind in (snntorch.RLeaky, snntorch.RSynaptic):
        given |= _recurrent(plan)
    if kind is snntorch.Leaky and plan.chance(0.3):
        given["graded_spikes_factor"] = plan.real(0.3, 2.0)
    if plan.form.startswith("hidden"):
        given |= {"init_hidden": True, "output": plan.chance(0.5)}
    return kind(**given), 5.0 if kind is snntorch.Lapicque else 1.2, plan.shape


def _recurrent(plan: Plan) -> dict[str, Any]:
    if plan.chance(0.3):
        return {"all_to_all": False, "V": plan.real(-1, 0.5), "learn_recurrent": plan.chance(0.5)}
    if len(plan.shape) == 1:
        return {"linear_features": plan.shape[0]}
    return {"conv2d_channels": plan.shape[0], "kernel_size": plan.pick(1, 3)}


def _spikingjelly(plan: Plan) -> Made:
    mode = "m" if plan.form == "multi" else "s"
    given: dict[str, Any] = {"v_threshold": plan.real(0.5, 1.5), "v_reset": plan.pick(None, 0.0, plan.real(-0.3, 0.3))}
    leaky = {**given, "decay_input": plan.chance(0.5)}
    tau = plan.real(1.2, 5.0)
    kind = plan.pick("if", "lif", "lif", "plif", "cuba", "half", "recurrent" if mode == "m" else "if")
    made: nn.Module
    if kind == "lif":
        made = neuron.LIFNode(tau, **leaky)
    elif kind == "plif":
        made = neuron.ParametricLIFNode(tau, **leaky)
    elif kind == "cuba":
        made = neuron.CUBALIFNode(plan.real(0.1, 0.8), plan.real(0.3, 0.9), **given)
    elif kind == "half":
        made = neuron.HalfThresholdIFNode(given["v_threshold"])
    elif kind == "recurrent" and len(plan.shape) == 1:
        size = plan.shape[0]
        inner = nn.Sequential(nn.Linear(size, 4), neuron.LIFNode(tau, **leaky))
        return layer.LinearRecurrentContainer(inner, size, 4, plan.chance(0.5), "m"), 3.0, (4,)
    elif kind == "recurrent":
        inner = neuron.IFNode(**given)
        return layer.ElementWiseRecurrentContainer(inner, lambda y, x: x - 0.4 * y, "m"), 1.0, plan.shape
    else:
        made = neuron.IFNode(**given)
    made.step_mode = mode
    return made, 2.0, plan.shape


def _ours(plan: Plan) -> Made:
    reset, when = plan.pick(
        ("value", "now"), ("value", "next"), ("subtract", "now"), ("subtract", "next"), ("subtract", "guarded"), ("none", "now")
    )
    given: dict[str, Any] = {"reset": reset, "when": when, "inclusive": plan.chance(0.4), "dt": plan.dt}
    given |= {"threshold": plan.each(0.5, 1.5), "v_init": plan.each(-0.3, 0.3)}
    if reset == "value":
        given["v_reset"] = plan.each(-0.3, 0.3)
    membrane = {"beta": plan.each(0.3, 0.95), "gain": plan.each(0.5, 1.5), "bias": plan.each(-0.1, 0.2)}
    kind = plan.pick("if", "lif", "cuba", "recurrent" if len(plan.shape) == 1 else "lif")
    if kind == "if":
        return neurons.IF(**given), 1.0, plan.shape
    if kind == "lif":
        return neurons.LIF(**membrane, **given), 1.2, plan.shape
    if kind == "cuba":
        return neurons.CubaLIF(plan.each(0.1, 0.8), **membrane, **given), 1.0, plan.shape
    single = {**given, "threshold": 0.9, "v_init": 0.1, **({"v_reset": 0.05} if reset == "value" else {})}
    size = int(plan.rng.integers(3, 8))
    return RecurrentCubaLIF(plan.shape[0], size, 0.6, 0.8, **single), 1.2, (size,)


NEURONS: dict[str, Callable[[Plan], Made]] = {
    "norse": _norse,
    "snntorch": _snntorch,
    "spikingjelly": _spikingjelly,
    "ours": _ours,
}
