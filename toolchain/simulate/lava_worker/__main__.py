"""Starts the worker by its path: makes this folder a package, whatever else lies beside it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

if __name__ == "__main__":
    here = Path(__file__).parent
    spec = importlib.util.spec_from_file_location(
        "lava_worker", here / "__init__.py", submodule_search_locations=[str(here)]
    )
    if spec is None:
        raise ImportError(f"{here} is no package")
    sys.modules["lava_worker"] = importlib.util.module_from_spec(spec)
    importlib.import_module("lava_worker.jobs").main(sys.argv[1:])
