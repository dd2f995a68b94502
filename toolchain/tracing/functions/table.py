"""The whole table: what each torch function becomes, and what is done with a call that meets a signal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from ...errors import GraphError
from ..operation import Cannot, Operation, Row
from ..recorder import Recorder
from ..values import Tracked, leaves, mapped, plain, untracked
from . import elementwise, hosts, layers, reductions, shapes

ROWS: Mapping[str, Row] = {
    **hosts.ROWS,
    **elementwise.ROWS,
    **shapes.ROWS,
    **layers.ROWS,
    **reductions.ROWS,
    "rtruediv": hosts.divide,
    "rdiv": hosts.divide,
}
"""A function or method by its bare name: without underscores, and without the mark of working in place."""

ASKS = frozenset(
    """shape size dim ndim ndimension numel nelement dtype device layout is_cuda is_cpu is_sparse is_floating_point is_complex
    requires_grad requires_grad_ grad grad_fn is_leaf stride is_contiguous len repr str format storage_offset data_ptr
    element_size get_device is_same_size names has_names is_quantized is_meta is_nested is_inference hash type is_mps is_xpu
    is_signed output_nr backward_hooks retain_grad set is_nonzero_shape is_mkldnn version is_conj is_neg""".split()
)
"""Questions about a tensor that do not touch its values."""

MAKES = frozenset(
    """zeros_like ones_like full_like empty_like rand_like randn_like new_zeros new_ones new_full new_empty new_tensor
    ones_like""".split()
)
"""New tensors that take a signal's shape and not its values."""

READS = frozenset(
    "item bool float_ int_ index tolist numpy contains equal allclose any all nonzero complex array".split()
)
"""Values that leave torch: what Python does with them is out of sight."""


def name_of(func: Callable[..., Any]) -> tuple[str, bool]:
    """A function's bare name, and whether it works in place."""
    name = getattr(func, "__name__", "")
    if name in ("__get__", "__set__", "__delete__"):
        owner = getattr(func, "__self__", None)
        return (getattr(owner, "__name__", "") if name == "__get__" else "set"), False
    if name.startswith("__") and name.endswith("__"):
        inner = name[2:-2]
        if inner in ("float", "int"):
            return f"{inner}_", False
        return (inner[1:], True) if inner[:1] == "i" and inner[1:] in _INPLACE else (inner, False)
    name = name.removeprefix("_") if name.startswith(("_max_pool", "_adaptive")) else name
    if name.endswith("_with_indices"):
        return name, False
    if name.endswith("_") and not name.endswith("__"):
        return name[:-1], True
    return name, False


_INPLACE = frozenset({"add", "sub", "mul", "truediv", "div", "pow"})


def dispatch(recorder: Recorder, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a torch function on plain tensors, and record what it means."""
    name, in_place = name_of(func)
    result = untracked(lambda: func(*plain(args), **plain(kwargs)))
    if name in ASKS or name in MAKES or (name in ("eq", "ne") and not isinstance(args[1], Tensor)):
        return result
    if name in READS:
        fix = "keep the network's control flow free of its signals' values"
        recorder.offend(name, f"a signal's values read into Python by {name.strip('_')}()", "tensors all the way", fix)
        return result
    operation = Operation(recorder, "pow" if name == "power" else name, args, kwargs, result)
    try:
        out = _row(name, args)(operation, *args, **kwargs)
    except Cannot as cannot:
        recorder.offend(name, cannot.found, cannot.expected, cannot.fix)
        out = _unknown(operation)
    except GraphError as error:
        recorder.offend(name, f"{name}: {error.where}: {error.found}", error.expected, error.fix)
        out = _unknown(operation)
    except TypeError as error:
        recorder.offend(name, f"{name} with arguments that are not known here ({error})", "its usual arguments")
        out = _unknown(operation)
    if (in_place or kwargs.get("inplace")) and isinstance(out, Tracked) and isinstance(args[0], Tracked):
        args[0].value = out.value
        return args[0]
    return out


def _row(name: str, args: tuple[Any, ...]) -> Row:
    signals = sum(isinstance(each, Tracked) for each in args[:2])
    bare = {"truediv": "div", "divide": "div", "greater": "gt"}.get(name, name)
    if bare in hosts.OF_TWO_SIGNALS and signals == 2:
        return hosts.OF_TWO_SIGNALS[bare]
    if name in ROWS:
        return ROWS[name]

    def row(*_: Any, **__: Any) -> Any:
        raise Cannot(
            f"{name}, for which there is no node",
            "an operation of the tables",
            "write it with others, or keep it on the host",
        )

    return row


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
