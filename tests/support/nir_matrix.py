"""docs/nir.md, from what ran:  cd tests && ../.venv/bin/python -m support.nir_matrix > ../docs/nir.md"""

from __future__ import annotations

import contextlib
import logging
import sys
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from spikeport.exporters.nir.dialects import DIALECTS, dialect
from support.nir_peers.cases import CASES
from support.nir_peers.sheets import WAYS, Sheet, peer_of, sheet

TESTS = Path(__file__).resolve().parent.parent
PAGE = TESTS.parent / "docs" / "nir.md"

NAMES = ("norse", "snntorch", "spikingjelly", "sinabs", "rockpool", "spyx", "lava", "nengo")
"""The frameworks, as --dialect calls them, in the order of the tables."""


@cache
def run(name: str) -> Sheet | None:
    """What a framework does; none where it is not installed on this machine."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # frameworks warn of much while they are imported
            peer = peer_of(name)
    except ModuleNotFoundError:
        return None
    return sheet(peer) if peer.version else None


TITLES = {
    "in": "From a framework",
    "out": "To a framework",
}
ABOUT = {
    "in": "The framework's own network, written by its own exporter and read by Spikeport: the reference simulation "
    "has to answer what the framework answers.",
    "out": "A network of Spikeport, written with `--dialect` and read by the framework's own importer: the framework "
    "has to answer what the reference simulation answers.",
}


def matrix(sheets: Sequence[Sheet], way: str) -> str:
    """The table of one direction: cases down, frameworks across."""
    names = [f"{each.name} {each.version}" for each in sheets]
    rows = [[case.name, *(shown(each, case.name, way) for each in sheets)] for case in CASES]
    return table(["network", *names], rows)


def shown(each: Sheet, case: str, way: str) -> str:
    """One cell; the name of the fault with it, where it is the framework's."""
    word, said = each.cells[case][way]
    return f"{word}: {said}" if word == "peer's fault" else {"not there": "–"}.get(word, word)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def section(each: Sheet) -> str:
    """What there is to say about one framework: its faults, and the reasons of cells that are not exact."""
    faults = [[f"`{it.name}`", f"{it.about}", it.example, it.around or "–"] for it in each.faults]
    parts = [f"### {each.name} {each.version}"]
    if faults:
        parts.append(table(["fault", "what is wrong", "smallest example", "what we do"], faults))
    reasons = _reasons(each)
    return "\n\n".join([*parts, "\n".join(reasons)] if reasons else parts)


def _reasons(each: Sheet) -> list[str]:
    """Every reason once, with the cells that have it."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for case, ways in each.cells.items():
        for way, (word, said) in ways.items():
            if word in ("refused", "not there", "exact after repair") and said:
                found.setdefault((way, word, said), []).append(case)
    way_in = {"in": f"from {each.name}", "out": f"to {each.name}"}
    every = len(each.cells)
    return [
        f"- {way_in[way]}, {word}: {said} ({'; '.join(cases) if len(cases) < every else 'every network'})"
        for (way, word, said), cases in found.items()
    ]


def dialects() -> str:
    """What each dialect takes a file to mean."""
    rows = []
    for name in DIALECTS:
        it = dialect(name)
        step = f"{it.told.dt:g} s" if it.told.dt else "told: `--dt`"
        when = {"now": "at once", "next": "one step later", "guarded": "at once, guarded"}[it.told.when]
        reset = "none" if it.told.reset == "none" else f"{it.told.reset}, {when}"
        decay = "exp(−dt/τ)" if it.told.rule == "exact" else "1 − dt/τ"
        rows.append([f"`{name}`", step, decay, reset, it.about])
    return table(["--dialect", "step", "β", "reset", "peculiar"], rows)


def page(sheets: Sequence[Sheet]) -> str:
    """The whole page."""
    parts = [INTRO.strip(), "## Dialects", DIALECT_TEXT.strip(), dialects(), "## Frameworks", WORDS.strip()]
    for way in WAYS:
        parts += [f"### {TITLES[way]}", ABOUT[way], matrix(sheets, way)]
    parts += ["## What is behind the words", BEHIND.strip(), *(section(each) for each in sheets)]
    return "\n\n".join(parts) + "\n"


INTRO = """
# NIR

NIR is the field's shared file for spiking networks: HDF5 with nodes, edges and their parameters. A file says neither
the length of a step nor how a neuron resets nor what scales its input, and every framework fills that in differently:
the same file runs differently in each. Spikeport writes a file so that the framework it is for runs it as it was meant,
and reads a file as the framework that wrote it meant it.

```
spikeport convert net.pt --to nir --dialect snntorch      # net.nir and net.nir.json, for snnTorch's importer
spikeport convert net.nir --to netx                        # whose file it is, is recognised and said
spikeport convert net.nir --to netx --dialect norse --dt 0.001 --reset value
spikeport convert net.pt --to nir --with-trace             # with inputs and spikes beside it
spikeport verify net.nir --trace net.trace.nir             # the same spikes, on any backend
```

Without `--dialect` a file holds the equations of the NIR paper. What NIR cannot say (the step, resets, delays, the
passes that ran) stands in the file's metadata and in FILE.json beside it, which the reader trusts first. Every file of
ours can be read by `nir.read`; where that needs `type_check=False`, because nir's own shapes are wrong, the message
says so.
"""

DIALECT_TEXT = """
What a file means where it says nothing. `--dt` and `--reset` say it otherwise. A foreign file's dialect is recognised
from its numbers, and the reason is said.
"""

WORDS = """
Every cell below is computed by the tests from what ran (`tests/exporters/nir/test_peers.py`): two layers, or one, of 32
steps and two samples, every layer spiking, every potential at least 1e-4 away from its threshold, so that *exact* means
every spike the same (voltages within 1e-5).

- **exact**: the same spikes.
- **exact after repair**: the same spikes after the reader repaired the file, and said so.
- **refused**: we write or read no such file, and say why; never another network in silence.
- **peer's fault**: the framework fails or answers something else, and its smallest example alone shows why.
- –: the framework, its exporter or its importer has no such thing.
"""

BEHIND = """
For each framework: what is wrong in it, with the smallest example, which the tests run (a version that mends it breaks
them), and what we do about it; then the reasons of cells that are not exact.
"""


def main() -> None:
    """Prints the page, of every framework that is installed here."""
    logging.disable(logging.WARNING)
    with contextlib.redirect_stdout(sys.stderr):  # frameworks print
        found = {name: run(name) for name in NAMES}
    for name in [name for name, each in found.items() if each is None]:
        sys.stderr.write(f"{name} is not installed here: its column is left out\n")
    sys.stdout.write(page([each for each in found.values() if each is not None]))


if __name__ == "__main__":
    main()
