"""Float64 in the place of float32: traced runs and proofs compute in it, whatever types a network names.

A weight of float32 is the same number in float64. What a network computes of its weights while it runs (decays of time
constants, normalised weights) is then exact to float64, and so are the constants of its graph. What a network computes
of tensors that are no weights stays in their type, as it does after `module.double()`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from .values import leaves, mapped


class Wide(TorchFunctionMode):
    """Within, torch functions that ask for float32 get float64, and may be given both."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call the function in float64."""
        return call_wide(func, args, kwargs or {})


def call_wide(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Call a torch function with float64 for float32; in float64 throughout where it does not take both."""
    if func is Tensor.float:
        return args[0].double()
    args, kwargs = mapped(args, _type), mapped(kwargs, _type)
    try:
        return func(*args, **kwargs)
    except RuntimeError:
        kinds = {each.dtype for each in leaves((args, kwargs)) if isinstance(each, Tensor)}
        if not {torch.float32, torch.float64} <= kinds:
            raise
        return func(*mapped(args, _tensor), **mapped(kwargs, _tensor))


def _type(value: Any) -> Any:
    return torch.float64 if value is torch.float32 else value


def _tensor(value: Any) -> Any:
    return value.double() if isinstance(value, Tensor) and value.dtype is torch.float32 else value
