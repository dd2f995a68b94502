"""Functions by their bare names, and the names that are no operations on values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

ASKS = frozenset(
    {
        *("shape", "size", "dim", "ndim", "ndimension", "numel", "nelement", "dtype", "itemsize", "nbytes"),
        *("device", "layout", "type", "is_cuda", "is_cpu", "is_sparse", "is_floating_point", "is_complex", "is_signed"),
        *("requires_grad", "grad", "grad_fn", "is_leaf", "output_nr", "retain_grad", "retains_grad"),
        *("stride", "is_contiguous", "storage_offset", "element_size", "get_device", "is_same_size", "data_ptr"),
        *("names", "has_names", "is_quantized", "is_meta", "is_nested", "is_inference", "is_mps", "is_xpu", "is_neg"),
        *("is_conj", "is_mkldnn", "len", "repr", "str", "format", "hash", "version", "backward_hooks", "dir"),
        *("set requires_grad", "set grad", "set names", "result_type", "can_cast", "register_hook"),
    }
)
"""Questions about a tensor that do not touch its values, as long as the answer is no tensor."""

MAKES = frozenset(
    {"zeros_like", "ones_like", "full_like", "empty_like", "new_zeros", "new_ones", "new_full", "new_empty"}
)
"""New constants that take a signal's shape and not its values."""

READS = frozenset(
    {
        *("bool()", "float()", "int()", "index()", "complex()", "in", "numpy()", "item", "tolist", "numpy"),
        *("equal", "allclose", "is_nonzero", "dlpack", "storage", "untyped_storage", "typed_storage", "reduce_ex"),
    }
)
"""Values that leave torch: what Python does with them is out of sight."""

RANDOM = frozenset(
    {
        *("rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "bernoulli", "binomial"),
        *("multinomial", "normal", "poisson", "uniform", "exponential", "geometric", "cauchy", "log_normal", "random"),
        *("rrelu", "rrelu_with_noise", "gumbel_softmax", "native_dropout"),
        *(f"fractional_max_pool{dims}d" for dims in (2, 3)),
    }
)
"""Functions that draw random numbers."""

DUNDERS: Mapping[str, str] = {
    "__bool__": "bool()",
    "__float__": "float()",
    "__int__": "int()",
    "__index__": "index()",
    "__complex__": "complex()",
    "__contains__": "in",
    "__array__": "numpy()",
    "__rand__": "and",
    "__ror__": "or",
    "__rxor__": "xor",
    "__dlpack_device__": "device",
    "__truediv__": "div",
    "__itruediv__": "div",
    "__rtruediv__": "rdiv",
    "__radd__": "add",
    "__rmul__": "mul",
    "__floordiv__": "floor_divide",
    "__ifloordiv__": "floor_divide",
    "__rfloordiv__": "floor_divide",
}
"""Python's own methods whose bare names are something else."""

IN_PLACE = frozenset({"add", "sub", "mul", "truediv", "div", "pow", "and", "or", "xor", "mod", "matmul"})
"""Operators that Python has an in-place form of, with an `i` before its name."""


def name_of(func: Callable[..., Any]) -> str:
    """A function's bare name: without underscores, and without the mark of working in place."""
    name = str(getattr(func, "__name__", "") or getattr(func, "name", "") or type(func).__name__)
    if name in ("__get__", "__set__", "__delete__"):
        owner = str(getattr(getattr(func, "__self__", None), "__name__", ""))
        return owner.strip("_") if name == "__get__" else f"set {owner.strip('_')}"
    if name in DUNDERS:
        return DUNDERS[name]
    if name.startswith("__") and name.endswith("__"):
        inner = name[2:-2]
        return inner[1:] if inner[:1] == "i" and inner[1:] in IN_PLACE else inner
    bare = name.partition(".")[0].rstrip("_").removesuffix("_with_indices")
    return bare.lstrip("_") if bare.startswith(("_max_pool", "_adaptive", "_threshold")) else bare
