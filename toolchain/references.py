"""Things of the package that tables name as "module:name": imported when used, so that listing them loads nothing."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def referred(reference: str, package: str | None) -> Any:
    """What "module:name" refers to; a module that begins with a dot is looked up in the package."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module, package), name)
