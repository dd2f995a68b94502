"""One neuron of a framework with random options: (the neuron, the input it needs, the shape of its spikes)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import norse.torch as norse
import snntorch
import torch
from norse.torch.functional.reset import reset_subtract
from spikeport.models import neurons
from spikeport.models.recurrent import RecurrentCubaLIF
from spikingjelly.activation_based import layer, neuron
from support.network_plans import Plan, Shape
from torch import nn

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
    kind = plan.pick(
        snntorch.Leaky, snntorch.Leaky, snntorch.Synaptic, snntorch.Lapicque, snntorch.RLeaky, snntorch.RSynaptic
    )
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
        ("value", "now"),
        ("value", "next"),
        ("subtract", "now"),
        ("subtract", "next"),
        ("subtract", "guarded"),
        ("none", "now"),
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
