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
COMMAND = "cd tests && ../.venv/bin/python -m support.nir_matrix > ../docs/nir.md"

NAMES = ("norse", "snntorch", "spikingjelly", "sinabs", "rockpool", "spyx", "lava", "nengo")
"""The frameworks, as --dialect calls them, in the order of the tables."""
OPTIONAL = ("lava",)
"""Those whose environments are made for them alone: only tests_lava_dl runs them."""


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
    "in": """
The framework's own network, written by its own exporter and read by Spikeport: the reference simulation has to answer
what the framework answers.
""",
    "out": """
A network of Spikeport, written with `--dialect` and read by the framework's own importer: the framework has to answer
what the reference simulation answers.
""",
}


def glance(sheets: Sequence[Sheet]) -> str:
    """How much of what a framework has comes over, in both directions."""
    rows = [
        [f"[{each.name}](#{_anchor(each)})", each.version, f"`{each.dialect}`", *(_count(each, way) for way in WAYS)]
        for each in sheets
    ]
    return table(["framework", "version", "`--dialect`", "its files, read", "files for it"], rows)


def _anchor(each: Sheet) -> str:
    """Where its section is."""
    return f"{each.name} {each.version}".lower().replace(".", "").replace(" ", "-")


def _count(each: Sheet, way: str) -> str:
    """17 of 20 exact, 1 after repair; 3 refused."""
    words = [ways[way][0] for ways in each.cells.values() if ways[way][0] != "not there"]
    if not words:
        return "–"
    mended = words.count("exact after repair")
    right = f"**{words.count('exact') + mended} of {len(words)} exact**" + (
        f", {mended} after repair" if mended else ""
    )
    return "; ".join([right, *(f"{words.count(word)} {said}" for word, said in SPOILT.items() if word in words)])


SPOILT = {"refused": "refused", "peer's fault": "lost to its own faults", "wrong": "wrong"}


def matrix(sheets: Sequence[Sheet], way: str) -> str:
    """The table of one direction: cases down, frameworks across."""
    rows = [[case.name, *(shown(each, case.name, way) for each in sheets)] for case in CASES]
    return table(["network", *(each.name for each in sheets)], rows)


def shown(each: Sheet, case: str, way: str) -> str:
    """One cell; what is not exact is explained in the framework's section."""
    word = each.cells[case][way][0]
    return {"not there": "–"}.get(word, word)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def section(each: Sheet) -> str:
    """What there is to say about one framework: the reasons of cells that are not exact, and its faults."""
    reasons = [table(["networks", "outcome", "why"], rows) for rows in [_reasons(each)] if rows]
    faults = [[f"`{it.name}`", f"{it.about}", it.example, it.around or "–"] for it in each.faults]
    listed = [table(["fault", "what is wrong", "smallest example", "what we do"], faults)] if faults else []
    return "\n\n".join([f"### {each.name} {each.version}", *reasons, *listed])


def _reasons(each: Sheet) -> list[list[str]]:
    """Every reason once, with the cells that have it; those of the same cells together."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for way in WAYS:
        for case, ways in each.cells.items():
            word, said = ways[way]
            for reason in said.splitlines() if word in REASONED else ():
                found.setdefault((way, word, reason), []).append(case)
    rows: dict[tuple[str, str], list[str]] = {}
    for (way, word, reason), cases in found.items():
        plain = f"`{reason}`" if word == "peer's fault" else reason.replace("repaired: ", "")
        rows.setdefault((_listed(cases), f"{ARROWS[way]} {each.name}: {word}"), []).append(plain)
    return [[cases, outcome, "; ".join(reasons)] for (cases, outcome), reasons in rows.items()]


def _listed(cases: Sequence[str]) -> str:
    """Names; where they are most of all, those that are left."""
    others = [case.name for case in CASES if case.name not in cases]
    if len(cases) <= len(others):
        return "; ".join(cases)
    return "all but " + "; ".join(others) if others else "all"


ARROWS = {"in": "from", "out": "to"}
REASONED = ("refused", "not there", "exact after repair", "peer's fault")


def dialects() -> str:
    """What each dialect takes a file to mean."""
    rows = []
    for name in DIALECTS:
        it = dialect(name)
        step = f"{it.told.dt:g} s" if it.told.dt else "`--dt`"
        when = {"now": "at once", "next": "one step later", "guarded": "at once, guarded"}[it.told.when]
        reset = "none" if it.told.reset == "none" else f"{it.told.reset}, {when}"
        decay = "exp(−dt/τ)" if it.told.rule == "exact" else "1 − dt/τ"
        rows.append([f"`{name}`", step, decay, reset, it.about])
    return table(["`--dialect`", "step", "β", "reset", "peculiar"], rows)


def page(sheets: Sequence[Sheet]) -> str:
    """The whole page."""
    parts = [INTRO.strip(), "## Frameworks", GLANCE.strip(), glance(sheets), WORDS.strip()]
    for way in WAYS:
        parts += [f"### {TITLES[way]}", ABOUT[way].strip(), matrix(sheets, way)]
    parts += ["## Dialects", DIALECT_TEXT.strip(), dialects()]
    parts += ["## What is behind the words", BEHIND.strip(), *(section(each) for each in sheets)]
    return "\n\n".join(parts) + "\n"


INTRO = """
# NIR

NIR is the field's shared file for spiking networks: HDF5 with nodes, edges and their parameters. A file says neither
the length of a step nor how a neuron resets nor what scales its input, and every framework fills that in differently:
the same file runs differently in each. Spikeport writes a file so that the framework it is for runs it as it was meant,
and reads a file as the framework that wrote it meant it.

```
spikeport convert net.graph --to nir --dialect snntorch   # net.nir and net.nir.json, for snnTorch's importer
spikeport convert net.nir --to netx                        # whose file it is, is recognised and said
spikeport convert net.nir --to netx --from-dialect norse --dt 0.001 --reset value
spikeport convert net.graph --to nir --with-trace          # with inputs and spikes beside it
spikeport verify net.nir --trace net.trace.nir             # the same spikes, on any backend
```

Without `--dialect` a file holds the equations of the NIR paper. What NIR cannot say (the step, resets, delays, the
passes that ran) stands in the file's metadata and in FILE.json beside it, which the reader trusts first. Every file of
ours can be read by `nir.read`; where that needs `type_check=False`, because nir's own shapes are wrong, the message
says so.
"""

GLANCE = """
How many of the networks below come over with every spike the same (networks that a framework does not have are not
counted):
"""

DIALECT_TEXT = """
What a file means where it says nothing; `--dt` and `--reset` say it otherwise, and `--dt` says a step that neither the
file nor the framework knows. A foreign file's dialect is recognised where several things speak for it that have nothing
to do with each other, and they are said. Where it only may be of a framework, that is named, and the file is refused
until `--dialect` (of `convert`: `--from-dialect`) or `--dt` says more: a step that was guessed makes another network.
"""

WORDS = """
Networks: IF are neurons that integrate and fire, LIF leak, CubaLIF have a current that leaks too, LI and CubaLI never
fire; *each its own* has parameters that differ from neuron to neuron. Each has one layer or two and runs 32 steps of
two samples; every layer that can spike does, and every potential stays at least 1e-4 away from its threshold.

| word | what it says |
| --- | --- |
| exact | every spike the same; voltages within 1e-5 |
| exact after repair | the same, after the reader repaired the file, and said so |
| refused | we write or read no such file, and say why: never another network in silence |
| peer's fault | the framework fails or answers something else; a smallest example of it alone shows why |
| – | not there: the framework, its exporter or its importer has no such thing |

The tests compute every cell from what ran, and fail where this page says something else
(`tests/exporters/nir/test_peers.py`; lava-dl, which has an environment of its own, with `make test-lava-dl`). lava-dl
and Nengo themselves know no NIR: what stands for them is what the scripts of the NIR repository build (nir_to_lava.py,
lava_to_nir.py, nir_to_nengo.py), told again in the tests and run by lava-dl and by Nengo.

Why a cell is not exact stands [below](#what-is-behind-the-words), framework by framework.
"""

BEHIND = """
For each framework: why cells are not exact, then what is wrong in it, with the smallest example, which the tests run (a
version that mends it breaks them), and what we do about it. A fault that we can work around spoils no cell.
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
