"""Content hashes of arrays: SHA-256 over type, shape and values, worked out once for each node.

Equal arrays have equal hashes wherever they come from. Nodes are frozen and their arrays read-only, so what was worked
out for a node stays true as long as the node lives.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from weakref import WeakKeyDictionary

import numpy as np

from .nodes.base import Array, Node

SHORT = 16
"""How many hexadecimal digits of a hash the text form and the file show."""
INLINE = 8
"""Arrays of at most so many values are written out in the text and need no hash."""
TYPES: Mapping[str, str] = {
    "float32": "f32",
    "float64": "f64",
    "complex64": "c64",
    "complex128": "c128",
    "int64": "i64",
}
"""The types an array can have, and what the text form calls them."""

NAMED: Mapping[str, str] = {**{name: name for name in TYPES}, "int16": "int64", "int32": "int64"}
"""The type by which the text form and the hash know an array."""
PIECE = 1 << 18
"""So many values are widened at a time."""

_HASHES: WeakKeyDictionary[Node, dict[str, str]] = WeakKeyDictionary()


def hash_of(array: Array) -> str:
    """The content hash of an array, 64 hexadecimal digits."""
    found = hashlib.sha256(f"{type_of(array)}[{','.join(map(str, array.shape))}]".encode())
    flat, kind = np.ascontiguousarray(array).reshape(-1), np.dtype(NAMED[array.dtype.name]).newbyteorder("<")
    for start in range(0, flat.size, PIECE):
        found.update(flat[start : start + PIECE].astype(kind, copy=False).view(np.uint8).data)
    return found.hexdigest()


def type_of(array: Array) -> str:
    """What the text form calls an array's type; integers are 64 bits wide there, whatever they are held in."""
    return TYPES[NAMED[array.dtype.name]]


def hashes_of(node: Node) -> Mapping[str, str]:
    """The content hash of each of a node's arrays that is too long to be written out, by field."""
    if node not in _HASHES:
        _HASHES[node] = {name: hash_of(array) for name, array in node.arrays().items() if array.size > INLINE}
    return _HASHES[node]


def remember(node: Node, hashes: Mapping[str, str]) -> None:
    """Take hashes that were worked out for a node's arrays before it was made."""
    _HASHES[node] = dict(hashes)
