"""While a module is traced: every call of a module, of a torch function and of a custom function is seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .calls import Rows, called, stand_ins
from .functions.dispatch import look
from .functions.naming import ASKS, MAKES, name_of
from .memory import version
from .recorder import Recorder
from .values import SIGHT, Tracked, leaves
from .widening import call_wide

PLAIN = ("torch.nn.", "spikingjelly.activation_based.layer.")
"""Modules from here that are no containers do one thing, and their node is called as they are."""

_ONE_AT_A_TIME = threading.RLock()
"""Calls of modules are seen through torch's own classes, which all threads share."""


class Watch(TorchFunctionMode):
    """Sees every torch function of this thread: those that meet signals are recorded, those of constants looked at.

    Args:
        recorder: where signals are recorded.
    """

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Record a call, or make sure that it computes a constant of constants."""
        kwargs = kwargs or {}
        if SIGHT.away:
            with torch._C.DisableTorchFunction():
                return call_wide(func, args, kwargs)
        tensors = [each for each in leaves((args, kwargs)) if isinstance(each, Tensor)]
        if any(isinstance(each, Tracked) for each in tensors):
            return self.recorder.function(func, args, kwargs)
        before = [version(each) for each in tensors]
        result = call_wide(func, args, kwargs)
        for each, count in zip(tensors, before, strict=True):
            if version(each) != count:
                self.recorder.constants.write(each)
        name = name_of(func)
        if name not in ASKS:
            if name not in MAKES:
                look(self.recorder, name, tensors)
            self.recorder.memory.made(result, tensors)
        return result


@contextmanager
def watched(root: nn.Module, recorder: Recorder, rows: Rows) -> Iterator[None]:
    """Within, what the modules under `root` compute in this thread is recorded."""
    mine, names = threading.get_ident(), {id(each): name for name, each in root.named_modules()}

    def seen(plain: Callable[..., Any], record: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            here = threading.get_ident() == mine and not SIGHT.away
            signals = here and any(isinstance(x, Tracked) for x in leaves((args, kwargs)))
            return record(self, args, kwargs) if signals else plain(self, *args, **kwargs)

        return call

    def module(each: nn.Module, args: Any, kwargs: Any) -> Any:
        return _module(each, names.get(id(each)), args, kwargs, recorder, rows, plain_module)

    def function(each: Any, args: Any, kwargs: Any) -> Any:
        return _function(each, args, kwargs)

    def scripted(each: Any, args: Any, kwargs: Any) -> Any:
        recorder.offend("torch.jit", "a scripted function", *SCRIPTED)
        return stand_ins(each, recorder.where or "scripted", args, kwargs, recorder)

    with _ONE_AT_A_TIME, Watch(recorder):
        plain_module, plain_script = nn.Module.__call__, torch._C.ScriptFunction.__call__
        plain_apply: Any = vars(torch.autograd.Function)["apply"]
        apply = classmethod(seen(plain_apply.__func__, function))
        with (
            _exchanged(nn.Module, "__call__", seen(plain_module, module)),
            _exchanged(torch._C.ScriptFunction, "__call__", seen(plain_script, scripted)),
            _exchanged(torch.autograd.Function, "apply", apply),
        ):
            yield


@contextmanager
def _exchanged(owner: type, name: str, new: Any) -> Iterator[None]:
    """Within, an attribute of a class is another one."""
    old = vars(owner)[name]
    setattr(owner, name, new)
    try:
        yield
    finally:
        setattr(owner, name, old)


SCRIPTED = ("plain Python", "trace the module as it was before torch.jit")


def _module(
    module: nn.Module, name: str | None, args: Any, kwargs: Any, recorder: Recorder, rows: Rows, plain: Any
) -> Any:
    path = type(module).__name__.lower() if name is None else name
    row = rows.row(module)
    if name is None and (row is not None or next(module.parameters(), None) is not None):
        fix = "keep modules as attributes, or in an nn.ModuleList or nn.ModuleDict"
        recorder.offend(path, f"{type(module).__name__}, which is no part of the network", "a registered module", fix)
    recorder.path.append((path, type(module).__module__.startswith(PLAIN)))
    try:
        return plain(module, *args, **kwargs) if row is None else called(module, path, args, kwargs, recorder, row)
    finally:
        recorder.path.pop()


def _function(kind: Any, args: Any, kwargs: Any) -> Any:
    """A custom function: its forward runs in the open, as nothing but torch."""
    if kind.setup_context is not torch.autograd.Function.setup_context:
        return kind.forward(*args, **kwargs)
    context: Any = torch.autograd.function.FunctionCtx()
    context.needs_input_grad = (False,) * len(args)
    return kind.forward(context, *args, **kwargs)
