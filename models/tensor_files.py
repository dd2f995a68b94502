"""Files of named tensors, opened without trusting them: names, shapes and dtypes first, values when those fit."""

from __future__ import annotations

import json
import struct
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ..toolchain.errors import FileError

LARGEST_HEADER = 100 << 20
LARGEST_METADATA = 1 << 20

DTYPES: Mapping[str, torch.dtype] = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}

Shapes = Mapping[str, tuple[tuple[int, ...], torch.dtype]]


@dataclass(frozen=True)
class Weights:
    """An open file of named tensors.

    Args:
        shapes: shape and dtype by name.
        metadata: texts by name.
        read: reads all tensors.
        close: closes the file.
    """

    shapes: Shapes
    metadata: Mapping[str, str]
    read: Callable[[], dict[str, Tensor]]
    close: Callable[[], None]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_safetensors(path: Path) -> Weights:
    """Opens a safetensors file; a header that is not what the format says is a FileError."""
    _check_header(path)
    try:
        file: Any = safe_open(path, framework="pt")
        file.__enter__()
    except (SafetensorError, OSError, ValueError) as error:
        raise FileError(str(path), f"a broken safetensors file ({error})") from error
    slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    shapes = {name: (tuple(part.get_shape()), _dtype(path, name, part.get_dtype())) for name, part in slices.items()}
    return Weights(
        shapes,
        file.metadata() or {},
        lambda: {name: file.get_tensor(name) for name in shapes},
        lambda: file.__exit__(None, None, None),
    )


def _dtype(path: Path, name: str, text: str) -> torch.dtype:
    if text not in DTYPES:
        raise FileError(str(path), f"{name} has dtype {text}", f"one of {', '.join(DTYPES)}")
    return DTYPES[text]


def _check_header(path: Path) -> None:
    """Eight bytes of length, then that many bytes of JSON, all inside the file: checked before any library reads it."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else -1
            if not 2 <= length <= min(size - 8, LARGEST_HEADER):
                found = f"a header of {length} bytes in a file of {size}" if length >= 0 else f"{size} bytes"
                raise FileError(str(path), f"no safetensors file: {found}")
            header = json.loads(file.read(length), object_pairs_hook=lambda pairs: _unique(path, pairs))
    except OSError as error:
        raise FileError(str(path), f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise FileError(str(path), "no safetensors file: its header is not JSON") from error
    metadata = header.get("__metadata__", {}) if isinstance(header, dict) else None
    if not isinstance(metadata, dict) or sum(len(str(text)) for text in metadata.values()) > LARGEST_METADATA:
        raise FileError(str(path), "no safetensors file: its metadata is not a small object of texts")


def _unique(path: Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of the header; of two entries of one name nobody knows which counts."""
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise FileError(str(path), f"no safetensors file: {_short(twice)} is in its header twice")
    return found


def open_torch(path: Path) -> Weights:
    """Opens a .pt or .pth file of tensors by name with `weights_only=True`; anything else in it is a FileError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickle protocols of a file that is refused or not in the next line
            found = torch.load(path, map_location="cpu", weights_only=True, mmap=None)
    except OSError as error:
        raise FileError(str(path), f"cannot be read ({error.strerror or error})") from error
    except Exception as error:  # what torch raises on a hostile file is not a closed list
        kind = type(error).__name__
        fix = "save module.state_dict(), better as safetensors"
        raise FileError(str(path), f"holds something that is not plain weights ({kind})", fix=fix) from error
    tensors = _tensors(path, found)
    shapes = {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in tensors.items()}
    return Weights(shapes, {}, lambda: tensors, lambda: None)


def _tensors(path: Path, found: object) -> dict[str, Tensor]:
    if isinstance(found, Mapping) and len(found) == 1 and isinstance(inner := next(iter(found.values())), Mapping):
        found = inner  # {"state_dict": {…}}, {"model": {…}}
    plain = isinstance(found, Mapping) and all(isinstance(name, str) for name in found)
    if not plain or not all(isinstance(part, Tensor) and part.layout == torch.strided for part in found.values()):  # type: ignore[attr-defined]
        raise FileError(str(path), "no tensors by name", "a state_dict", "save module.state_dict()")
    return dict(found)  # type: ignore[call-overload, no-any-return]


def check_fit(path: str, network: nn.Module, shapes: Shapes, *, exact: bool) -> None:
    """Refuses missing and unknown names, other shapes, and dtypes that differ (not exact: that would round)."""
    wanted = network.state_dict()
    missing, unexpected = sorted(set(wanted) - set(shapes)), sorted(set(shapes) - set(wanted))
    if missing or unexpected:
        parts = [f"{word} {', '.join(names)}" for word, names in (("no", missing), ("unknown", unexpected)) if names]
        raise FileError(path, f"weights of another network: {'; '.join(_short(part) for part in parts)}")
    for name, tensor in wanted.items():
        shape, dtype = shapes[name]
        if shape != tuple(tensor.shape):
            raise FileError(path, f"{name} has shape {list(shape)}", f"{list(tensor.shape)}")
        rounds = torch.promote_types(dtype, tensor.dtype) != tensor.dtype
        if rounds or (exact and dtype != tensor.dtype):
            raise FileError(path, f"{name} is {_name(dtype)}", _name(tensor.dtype), "convert it before, knowingly")


def check_finite(path: str, tensors: Mapping[str, Tensor]) -> None:
    """Refuses NaN and infinity by the name of the weight."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise FileError(path, f"{name} holds NaN or infinity", "finite weights")


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"
