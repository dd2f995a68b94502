"""Exact counts of any torch module while it runs: every operation is seen where torch dispatches it.

So functional calls, attention, einsum, recurrent cells and modules of one's own count, too. What a tensor carries
follows from what made it (`provenance`), never from its values, unless the caller asks for that. Only forward passes
are counted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as hooks
from torch.optim import optimizer

from ..operations import OpCount, Promise, merged
from .dispatched import Counting


class Found:
    """What `counting` gives: the counts so far.

    Args:
        mode: what counts.
    """

    def __init__(self, mode: Counting) -> None:
        self.mode = mode

    @property
    def count(self) -> OpCount:
        """The counts so far, of one sample in as many steps as its neurons took."""
        return counted(self.mode)


def counted(mode: Counting, steps: int | None = None, samples: int = 1) -> OpCount:
    """Everything that was counted so far.

    Args:
        mode: what counts.
        steps: steps of one sample; by default those that the neurons took.
        samples: how many samples ran.
    """
    mode.finish()
    each = steps if steps is not None else max(mode.neurons.steps.values(), default=1)
    notes = list(mode.book.notes)
    if steps is None and not mode.neurons.steps:
        notes.append("steps were not given, and no neuron tells them: counted as one step")
    return OpCount(
        type(mode.module).__name__, "module", mode.book.layers(max(each * samples, 1)), samples, each * samples,
        merged(mode.book.uncounted), mode.seconds, tuple(notes),
    )  # fmt: skip


@contextmanager
def counting(module: nn.Module, *, carries: Promise = "graded", infer_from_values: bool = False) -> Iterator[Found]:
    """Within, everything that runs in this thread is counted; what `counting` hands out has the `count`.

    Args:
        module: the network.
        carries: what its inputs promise to carry: graded, spikes or int[low,high]; or each by name.
        infer_from_values: tell what is not known by a look at the values; the notes say where.
    """
    mode = Counting(module, carries, infer_from_values=infer_from_values)
    with ExitStack() as stack:
        first = module.register_forward_pre_hook(lambda _, args, kwargs: mode.take(args, kwargs), with_kwargs=True)
        handles = [
            first,
            hooks.register_module_forward_pre_hook(mode.enter),
            hooks.register_module_forward_hook(mode.leave, with_kwargs=True, always_call=True),
        ]
        for handle in handles:
            stack.callback(handle.remove)
        fast = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
        stack.enter_context(_optimisers_unseen(mode))
        start = time.perf_counter()
        with mode:
            yield Found(mode)
            mode.finish()
        mode.seconds += time.perf_counter() - start


@contextmanager
def _optimisers_unseen(mode: Counting) -> Iterator[None]:
    """What an optimiser does is training, no forward pass."""

    def begin(*_: Any) -> None:
        mode.quiet += 1

    def end(*_: Any) -> None:
        mode.quiet -= 1

    handles = (
        optimizer.register_optimizer_step_pre_hook(begin),
        optimizer.register_optimizer_step_post_hook(end),
    )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def count_module(
    module: nn.Module,
    inputs: Any,
    *,
    carries: Promise = "graded",
    infer_from_values: bool = False,
    steps: int | None = None,
    samples: int = 1,
) -> OpCount:
    """What a module does on some inputs, in one forward pass.

    Args:
        module: the network, as it is: in training or in eval mode, in whatever state.
        inputs: a tensor; or a tuple of them; or a dictionary of them, which the module takes by name.
        carries: what the inputs promise to carry: graded, spikes or int[low,high].
        infer_from_values: tell what is not known by a look at the values; the notes say where.
        steps: steps of one sample; by default those that the neurons took.
        samples: how many samples the inputs hold.
    """
    with torch.no_grad(), counting(module, carries=carries, infer_from_values=infer_from_values) as found:
        if isinstance(inputs, Mapping):
            module(**inputs)
        elif isinstance(inputs, tuple | list):
            module(*inputs)
        else:
            module(inputs)
    return counted(found.mode, steps, samples)
