"""The real counters that papers use, each called as its own documentation calls it.

Two need a shim to load beside a current torch, and no more than to load:

- mmcv 1.7 imports OpenCV, torchvision and yapf for its image and configuration code; its counter uses none of them, so
  stand-ins take their places while it is imported.
- syops 0.0.5 asks for the neurons of SpikingJelly ≤ 0.0.0.0.12 by the names of `spikingjelly.clock_driven`. That module
  is made here of SpikingJelly 2's neurons; the multi-step classes of old, which are gone, are empty.
"""

import sys
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from copy import deepcopy
from functools import cache
from io import StringIO
from unittest.mock import MagicMock


@contextmanager
def quietly() -> Iterator[None]:
    """Imports and calls that warn of what is old in them: none of it is ours."""
    with warnings.catch_warnings(), redirect_stdout(StringIO()):
        warnings.simplefilter("ignore")
        yield


@cache
def _mmcv():
    asked = ("cv2", "torchvision", "yapf", "yapf.yapflib", "yapf.yapflib.yapf_api")
    stand_ins = [name for name in asked if name not in sys.modules]
    sys.modules.update({name: MagicMock() for name in stand_ins})
    try:
        with quietly():
            from mmcv.cnn.utils import flops_counter
    finally:
        for name in stand_ins:
            del sys.modules[name]
    return flops_counter


def mmcv(module, inputs):
    """FLOPs of one sample, as mmcv divides."""
    given = inputs if isinstance(inputs, tuple) else (inputs,)

    counter = _mmcv()
    model = counter.add_flops_counting_methods(deepcopy(module)).eval()
    model.start_flops_count()
    with quietly():
        model(*given)
    return model.compute_average_flops_cost()[0]


def fvcore(module, inputs, train=False):
    with quietly():
        from fvcore.nn import FlopCountAnalysis

        given = inputs if isinstance(inputs, tuple) else (inputs,)
        counted = FlopCountAnalysis(deepcopy(module).train(train), given)
        counted.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
        return counted.total()


def thop(module, inputs):
    with quietly():
        from thop import profile

        given = inputs if isinstance(inputs, tuple) else (inputs,)
        return profile(deepcopy(module), inputs=given, verbose=False)[0]


def torch_flops(module, inputs):
    from torch.utils.flop_counter import FlopCounterMode

    given = inputs if isinstance(inputs, tuple) else (inputs,)
    with FlopCounterMode(display=False) as counter:
        deepcopy(module).eval()(*given)
    return counter.get_total_flops()


@cache
def _syops():
    from spikingjelly.activation_based import functional, neuron, surrogate

    old, neurons = types.ModuleType("spikingjelly.clock_driven"), types.ModuleType("spikingjelly.clock_driven.neuron")
    for name in ("IFNode", "LIFNode", "ParametricLIFNode"):
        setattr(neurons, name, getattr(neuron, name))
        setattr(neurons, f"MultiStep{name}", type(f"MultiStep{name}", (), {}))
    vars(old).update(neuron=neurons, functional=functional, surrogate=surrogate)
    names = {old.__name__: old, neurons.__name__: neurons}
    sys.modules.update(names)
    try:
        with quietly():
            import syops
    finally:
        for name in names:
            del sys.modules[name]
    return syops


def syops(module, inputs):
    """Operations, ACs and MACs of one sample, as syops divides."""
    with quietly():
        found, _ = _syops().get_model_complexity_info(
            deepcopy(module), tuple(inputs.shape[1:]), [(inputs, None)], as_strings=False, print_per_layer_stat=False
        )
    return found[:3]
