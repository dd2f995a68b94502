"""Pages of the docs with sections that code prints: `python -m spikeport.benchmarks.pages docs/energy.md` writes them.

<!-- generated: NAME -->
what `SECTIONS[NAME]` says now
<!-- /generated -->
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from ..toolchain.errors import UsageError
from ..toolchain.references import referred

SECTIONS: Mapping[str, str] = {
    "rules": ".rule_views:section",
    "neurons": ".rule_views:neurons",
    "profiles": ".profile_views:section",
    "peers": ".peers:section",
}
"""Section → "module:function" of this package."""
_MARKED = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- /generated -->)", re.DOTALL)


def written(page: str) -> str:
    """The page with its sections as they are now."""
    names = {found[2] for found in _MARKED.finditer(page)}
    if not names or names - set(SECTIONS):
        raise UsageError("page", ", ".join(names - set(SECTIONS)) or "no sections", f"those of {', '.join(SECTIONS)}")
    return _MARKED.sub(lambda found: f"{found[1]}{referred(SECTIONS[found[2]], __package__)()}\n{found[3]}", page)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(written(path.read_text()))
