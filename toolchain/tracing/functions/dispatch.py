"""A torch call that met a signal: run it on plain tensors, record what it means, follow what it writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ...errors import GraphError
from ..memory import overlap, storage, version
from ..operation import Cannot, Operation
from ..recorder import Recorder
from ..sites import line
from ..values import Tracked, disarm, leaves, mapped, plain, promote, untracked
from ..widening import call_wide
from .naming import ASKS, MAKES, RANDOM, READS, name_of
from .table import row_of

OUTSIDE = "keep the network's control flow free of its signals' values"


def dispatch(recorder: Recorder, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a torch function on plain tensors, and record what it means."""
    name = name_of(func)
    tensors = [each for each in leaves((args, kwargs)) if isinstance(each, Tensor)]
    before = [version(each) for each in tensors]
    given = _before(func, args)
    result = untracked(lambda: call_wide(func, plain(args), plain(kwargs)))
    written = [each for each, count in zip(tensors, before, strict=True) if version(each) != count]
    answers = any(isinstance(each, Tensor) for each in leaves(result))
    if not written and not answers and (name in ASKS or name in ("eq", "ne")):
        return result
    look(recorder, name, tensors, _reader(result))
    if name in MAKES and [each for each in tensors if isinstance(each, Tracked)] == list(args[:1]):
        recorder.memory.made(result, tensors)
        return result
    if name in READS:
        found = f"a signal's values read into Python by {name.removesuffix('()')}()"
        recorder.offend(name, found, "tensors all the way", OUTSIDE)
        return result
    if kwargs.get("out") is not None:
        written, kwargs = [kwargs["out"]], {key: each for key, each in kwargs.items() if key != "out"}
    operation, offences = Operation(recorder, name, given, kwargs, result), len(recorder.offences)
    out = _unknown(operation) if name in RANDOM else _recorded(operation, func)
    if not written:
        return out
    return _written(operation, written, out) if len(recorder.offences) == offences else operation.kept(written[0])


def _reader(result: Any) -> Callable[[Tensor], bool]:
    """Whether a call reads a part of memory: a view reads what it shows, anything else reads all."""

    def reads(part: Tensor) -> bool:
        return not isinstance(result, Tensor) or storage(result) != storage(part) or overlap(result, part)

    return reads


def _before(func: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments, with the constant that a call in place changes as it was before."""
    name = str(getattr(func, "__name__", ""))
    changes = name != "__setitem__" and (name.endswith("_") or name.startswith("__i"))
    if changes and args and isinstance(args[0], Tensor) and not isinstance(args[0], Tracked):
        return (args[0].clone(), *args[1:])
    return args


def look(
    recorder: Recorder, name: str, tensors: Sequence[Tensor], reads: Callable[[Tensor], bool] = lambda _: True
) -> None:
    """Refuse what lets values come in, or go, unseen; `reads` tells whether the call reads a part of its memory."""
    for each in tensors:
        if not isinstance(each, Tracked) and any(True for _ in recorder.memory.signals(each)):
            fix = "use the signal itself: torch.Tensor(x) and the like take it out of sight"
            recorder.offend(name, f"{name} of a tensor that lies in the memory of a signal", "the signal", fix)
        stale = [place for part, place in each.stale if reads(part)] if isinstance(each, Tracked) else []
        if stale:
            fix = "write the change as a new tensor, or clone before it"
            found = f"{name} of a signal whose memory was changed in place through another tensor"
            recorder.offend(name, found, "a signal as it was computed", f"{fix} (changed in {stale[0]})")
    if name in RANDOM:
        recorder.offend(name, f"random numbers, by {name}", *FIXED)
    if torch._C._functorch.peek_interpreter_stack() is not None:
        recorder.offend(
            name, "a function transform of torch.func (vmap, grad)", "plain torch", "write the loop or batch"
        )


FIXED = ("the same answer for the same input", "draw them outside and hand them in as an input, or leave them out")


def _recorded(operation: Operation, func: Callable[..., Any]) -> Any:
    recorder, name = operation.recorder, operation.name
    try:
        return row_of(operation, func)(operation, *operation.args, **operation.kwargs)
    except Cannot as cannot:
        recorder.offend(name, cannot.found, cannot.expected, cannot.fix)
    except GraphError as error:
        recorder.offend(name, f"{name}: {error.where}: {error.found}", error.expected, error.fix)
    except TypeError as error:
        recorder.offend(name, f"{name} with arguments that are not known here ({error})", "its usual arguments")
    return _unknown(operation)


def _unknown(operation: Operation) -> Any:
    """Stand-ins for every tensor of a result."""
    signals = [each.value for each in leaves((operation.args, operation.kwargs)) if isinstance(each, Tracked)]
    step = operation.step_of(signals)
    lead = max((value.axes.rstrip("f") if value.plain else "B" for value in signals), key=len)

    def stand_in(each: Any) -> Any:
        if not isinstance(each, Tensor):
            return each
        axes = lead[: each.ndim] + "f" * max(0, each.ndim - len(lead))
        return operation.recorder.wrap(each, operation.recorder.unknown(operation.label, each, axes, step))

    return mapped(operation.result, stand_in)


def _written(operation: Operation, written: Sequence[Tensor], out: Any) -> Any:
    """After a change in place: the tensor that was written to is the result; others in its memory are out of date."""
    recorder, name = operation.recorder, operation.name
    target = written[0]
    results = [each for each in leaves(out) if isinstance(each, Tensor)]
    several = any(storage(each) != storage(target) for each in written)
    if several or len(results) != 1 or results[0].shape != target.shape:
        found = f"{name}, which changes the shape of its argument, or several arguments, in place"
        recorder.offend(name, found, "a new tensor", "use the form that makes a new tensor")
        return out
    part = target.detach().as_subclass(Tensor)
    for each in recorder.memory.signals(target):
        if each is not target and each is not results[0] and overlap(each, target):
            each.stale = (*each.stale, (part, line() or recorder.where or name))
    _become(recorder, name, target, results[0])
    return operation.kept(target)


def _become(recorder: Recorder, name: str, target: Tensor, result: Tensor) -> None:
    """Give a tensor the value of the result that was written into it."""
    if not isinstance(result, Tracked):
        if isinstance(target, Tracked):
            disarm(target)
            recorder.memory.made(target, ())
    elif isinstance(target, Tracked):
        target.value, target.stale = result.value, ()
    elif recorder.memory.own(target):
        recorder.memory.hold(promote(target, result.value, recorder))
    else:
        found = f"{name} of a signal into a tensor that was made outside of forward, or that has views"
        recorder.offend(name, found, "a tensor of its own", "make a new tensor in forward, and no view of it")
