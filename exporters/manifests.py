"""Manifests: the JSON file that says how several files of a network join. They come from strangers too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..toolchain.errors import FileError

LARGEST = 64 << 20
"""The most bytes a manifest may have."""
EXPECTED = "a manifest of Spikeport's"


def read_manifest(path: Path, versions: int | tuple[int, ...], fix: str) -> dict[str, Any]:
    """What a manifest of one of these versions holds; its entries are not checked."""
    try:
        if path.stat().st_size > LARGEST:
            raise FileError(str(path), f"more than {LARGEST >> 20} MB", EXPECTED)
        data = json.loads(path.read_text())
    except OSError as error:
        raise FileError(str(path), f"cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise FileError(str(path), f"no JSON: {error}"[:200], EXPECTED, fix) from error
    known = (versions,) if isinstance(versions, int) else versions
    if not isinstance(data, dict) or data.get("version") not in known:
        raise FileError(str(path), "of another kind or version", f"{EXPECTED}, version {known[0]}", fix)
    return data


def part_beside(path: Path, name: str, fix: str) -> Path:
    """The file of this name beside a manifest; nothing that lies elsewhere."""
    if Path(name).name != name or name in ("", ".", ".."):
        raise FileError(str(path), f"a part called '{name[:60]}'", "the name of a file beside it", fix)
    return path.with_name(name)
