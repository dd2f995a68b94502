"""A network while it runs: every call of a module, or every operation that torch carries out.

The network that runs is a copy, so that state, statistics and random numbers of the one given stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode

from ...toolchain.errors import UsageError

Called = Callable[[nn.Module, tuple[Any, ...], Any], None]
"""A module has run: itself, its positional arguments, what it returned."""
Entered = Callable[[nn.Module, tuple[Any, ...]], None]
"""A module is about to run: itself, its positional arguments."""
Ran = Callable[[Any, tuple[Any, ...], dict[str, Any], Any], None]
"""An operation has run: its overload, its arguments, what it returned."""


def copied(module: nn.Module, train: bool) -> nn.Module:
    """A copy in train or eval mode."""
    try:
        return deepcopy(module).train(train)
    except RuntimeError as error:
        raise UsageError(
            "conventions", str(error).splitlines()[0], "a module that can be copied",
            "set its state back, or run it under torch.no_grad()",
        ) from error  # fmt: skip


def run(module: nn.Module, inputs: Any) -> Any:
    """Calls the module with a tensor, positional arguments, or arguments by name."""
    if isinstance(inputs, Mapping):
        return module(**inputs)
    return module(*inputs) if isinstance(inputs, tuple | list) else module(inputs)


def by_place(module: nn.Module, inputs: Any) -> tuple[Any, ...]:
    """The inputs as positional arguments."""
    if isinstance(inputs, Mapping):
        return signature(module.forward).bind(**inputs).args
    return tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)


def first_length(inputs: Any) -> int:
    """The length of the first input, which most counters take for the number of samples."""
    values = list(inputs.values()) if isinstance(inputs, Mapping) else inputs
    return len(values[0] if isinstance(values, tuple | list) else values)


@contextmanager
def undisturbed(*, grad: bool) -> Iterator[None]:
    """Gradients on or off as the counter has them, and random numbers as before at the end."""
    with torch.inference_mode(False), torch.set_grad_enabled(grad), torch.random.fork_rng(devices=[]):
        yield


def each_call(module: nn.Module, inputs: Any, called: Called, *, grad: bool, before: Entered | None = None) -> None:
    """Runs a copied module and reports every call of a module inside, at the time it returns."""
    with undisturbed(grad=grad), ExitStack() as hooks:
        for child in module.modules():
            if before is not None:
                hooks.enter_context(child.register_forward_pre_hook(before))
            hooks.enter_context(child.register_forward_hook(called))
        run(module, inputs)


def each_operation(module: nn.Module, inputs: Any, ran: Ran, *, grad: bool, called: Called | None = None) -> None:
    """Runs a copied module and reports every operation, after it was carried out; and calls too, where asked to.

    A hook can change what runs: torch's transformer layers go a shorter way without gradients and without hooks.
    """
    with undisturbed(grad=grad), ExitStack() as hooks, _Operations(ran) as operations:
        if called is not None:
            for child in module.modules():
                hooks.enter_context(child.register_forward_hook(operations.apart(called)))
        run(module, inputs)


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Hands on what torch carries out."""

    def __init__(self, ran: Ran) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.ran, self.listening = ran, True

    def apart(self, called: Called) -> Called:
        """A hook whose own operations are not handed on."""

        def hook(module: nn.Module, given: tuple[Any, ...], gave: Any) -> None:
            self.listening = False
            try:
                called(module, given, gave)
            finally:
                self.listening = True

        return hook

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Runs one operation and reports it."""
        gave = func(*args, **(kwargs or {}))
        if self.listening:
            self.ran(func, args, kwargs or {}, gave)
        return gave


@dataclass(frozen=True)
class Deed:
    """Operations of one name inside the same modules.

    Args:
        name: of the operation, as torch.ops.aten has it.
        inside: the modules that were running, outermost first.
        times: how often.
    """

    name: str
    inside: tuple[nn.Module, ...]
    times: int


def deeds(module: nn.Module, inputs: Any, *, grad: bool, hooked: bool) -> list[Deed]:
    """Runs a copied module and says what was done inside which module; what moves values only is left out."""
    found: Counter[tuple[str, tuple[nn.Module, ...]]] = Counter()
    inside: list[nn.Module] = []

    def ran(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], gave: Any) -> None:
        name = func.overloadpacket.__name__
        if name.rstrip("_") not in FREE and not name.startswith("new_"):
            found[name.rstrip("_"), tuple(inside)] += 1

    with ExitStack() as hooks:
        hooks.enter_context(register_module_forward_pre_hook(lambda m, given: inside.append(m)))
        hooks.enter_context(register_module_forward_hook(lambda m, given, gave: _left(inside), always_call=True))
        each_operation(module, inputs, ran, grad=grad, called=_nothing if hooked else None)
    return [Deed(name, modules, times) for (name, modules), times in found.items()]


def _nothing(module: nn.Module, given: Any, gave: Any) -> None:
    """A hook that is there."""


def _left(inside: list[nn.Module]) -> None:
    inside.pop()


def unseen(
    module: nn.Module, inputs: Any, seen: Callable[[Deed], bool], *, grad: bool, hooked: bool = True
) -> tuple[str, ...]:
    """What ran and was not seen, a line for each layer: "block.attention: bmm ×2, _softmax".

    Args:
        module: a copy of the network.
        inputs: what it is called with.
        seen: whether the counter has a rule for it.
        grad: whether the counter runs with gradients.
        hooked: whether it hangs hooks on the modules.
    """
    names = {child: name for name, child in module.named_modules()}
    missed: dict[str, Counter[str]] = {}
    for deed in deeds(module, inputs, grad=grad, hooked=hooked):
        if not seen(deed):
            known = [names[each] for each in deed.inside if each in names]
            layer = (known[-1] if known else "") or type(module).__name__
            missed.setdefault(layer, Counter())[deed.name] += deed.times
    return lines(missed)


def lines(missed: Mapping[str, Mapping[str, int]]) -> tuple[str, ...]:
    """Operations by layer, in words."""
    return tuple(f"{layer}: {', '.join(_often(*item) for item in done.items())}" for layer, done in missed.items())


def _often(name: str, times: int) -> str:
    return name if times == 1 else f"{name} ×{times}"


_FREE = (
    "_unsafe_view alias as_strided arange bernoulli cat chunk clone constant_pad_nd contiguous copy detach diagonal "
    "dropout empty empty_like empty_strided expand eye fill flatten full full_like gather index index_put index_select "
    "is_same_size item lift_fresh masked_fill narrow native_dropout ones ones_like permute rand randn rand_like "
    "randn_like repeat repeat_interleave reshape resize roll flip scalar_tensor scatter select slice slice_backward "
    "split split_with_sizes squeeze stack t to _to_copy transpose tril triu type_as unbind unfold unsafe_chunk "
    "unsafe_split unsqueeze view view_as_real view_as_complex zero zeros zeros_like _local_scalar_dense "
    "_reshape_alias reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d "
    "replication_pad3d pixel_shuffle pixel_unshuffle equal is_nonzero set_ detach_ bitwise_not logical_not "
    "_assert_async select_scatter slice_scatter"
)
FREE = frozenset(_FREE.split())
"""Operations that move values, make them, or look at their shapes: nothing to count."""
