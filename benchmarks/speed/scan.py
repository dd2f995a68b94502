"""`spikeport bench scan`: the selective scan in chunks, beside the loop over places that defines it.

Both run the same numbers, which are compared before anything is timed: results and all gradients. What no form can beat
is the memory it has to move (kernels), or its bare products of matrices (products).
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...models.scan import CHUNK, Scanned, scan, scan_chunks, scan_steps
from ...toolchain.console import working
from ...toolchain.errors import SimulationError
from .pairs import Work, measure, seconds, tidy

Row = dict[str, Any]
Form = Callable[..., Scanned]

FORMS: Mapping[str, Form] = {"kernels": scan, "products": scan_chunks}
"""What is raced: what networks run on the CPU, and what they run everywhere else."""
MOST_DIFFERENT = 1e-4
"""The largest difference in float32, in parts of the largest value."""


@dataclass(frozen=True)
class Size:
    """How large the scans are.

    Args:
        length: L of the race.
        batches: how many sequences are run at once, a row for each.
        heads: heads.
        width: P.
        state: S.
        pairs: pairs measured.
        lengths: L, to see whether time is linear in it.
        rounds: runs of each length; the fastest counts.
    """

    length: int = 1024
    batches: tuple[int, ...] = (1, 4)
    heads: int = 4
    width: int = 16
    state: int = 16
    pairs: int = 9
    lengths: tuple[int, ...] = (256, 512, 1024, 2048, 4096, 8192)
    rounds: int = 5


QUICK = Size(64, (2,), 2, 4, 4, 2, (16, 32, 64), 1)


def bench(*, quick: bool = False) -> dict[str, Any]:
    """Races every form against the loop, and runs it over many lengths.

    Args:
        quick: small sizes and few pairs: shows that everything runs, not how fast.

    Returns:
        {"name", "rows", "lengths", "notes"}; a row has case, form, batch, ours_s, peer, peer_s, ratio, pairs, limit_s,
        of_limit and different. `lengths` has for each form "seconds" by length, and "linear", the R² of a line.
    """
    size = QUICK if quick else Size()
    cases = [(form, batch, backward) for form in FORMS for batch in size.batches for backward in (False, True)]
    rows = [_row(form, batch, backward, size) for form, batch, backward in cases]
    lengths = {form: _over_lengths(form, size) for form in FORMS}
    return {"name": "scan", "rows": rows, "lengths": lengths, "notes": _notes(rows, lengths, size)}


def _row(form: str, batch: int, backward: bool, size: Size) -> Row:
    given = inputs(size.length, batch, size)
    case = f"{form}, {batch} at once, {'forward and backward' if backward else 'forward'}"
    with working(case):
        different = _different(form, given, case)
        found = measure(_work(FORMS[form], given, backward), _work(scan_steps, given, backward), size.pairs)
        limit_s = min(seconds(_limit(form, batch, backward, size)) for _ in range(max(2, size.pairs)))
    shares = {"limit_s": limit_s, "of_limit": limit_s / found.ours_s, "different": different}
    return {"case": case, "form": form, "batch": batch, "peer": "steps", **asdict(found), **shares}


def inputs(length: int, batch: int, size: Size) -> list[Tensor]:
    """x, a, b, c of a scan, the same every time."""
    source = torch.Generator().manual_seed(0)
    shapes = ((size.heads, size.width), (size.heads,), (1, size.state), (1, size.state))
    x, a, b, c = (torch.randn(length, batch, *shape, generator=source) for shape in shapes)
    return [x, -torch.nn.functional.softplus(a - 2), b, c]


def _work(form: Form, given: list[Tensor], backward: bool) -> Work:
    if not backward:
        return torch.no_grad()(partial(form, *given))
    return partial(_gradients, form, [each.clone().requires_grad_() for each in given])


def _gradients(form: Form, given: list[Tensor]) -> tuple[Tensor, ...]:
    y, state = form(*given)
    return torch.autograd.grad((y, state), given, (torch.ones_like(y), torch.ones_like(state)))


def _different(form: str, given: list[Tensor], case: str) -> float:
    """How far results and gradients are from the loop's; too far is an error, because then it is not a race."""
    wanted = [each.clone().requires_grad_() for each in given]
    pairs = [*zip(FORMS[form](*given), scan_steps(*given), strict=True)]
    pairs += zip(_gradients(FORMS[form], wanted), _gradients(scan_steps, wanted), strict=True)
    worst = max(float((ours - theirs).abs().max() / theirs.abs().max()) for ours, theirs in pairs)
    if worst > MOST_DIFFERENT:
        raise SimulationError(case, f"it differs by {worst:.1e} from the scan step by step")
    return worst


def _limit(form: str, batch: int, backward: bool, size: Size) -> Work:
    """What no such form can beat: copies of all it reads and writes; or its products, three times when backward too."""
    if form == "kernels":
        return partial(_copies, [*inputs(size.length, batch, size)] * (2 if backward else 1))
    chunks, heads = -(-size.length // CHUNK) * batch, size.heads
    inner, outer = torch.ones(chunks, CHUNK, size.state), torch.ones(chunks, CHUNK, heads * size.width)
    weights, values = torch.ones(chunks * heads, CHUNK, CHUNK), torch.ones(chunks * heads, CHUNK, size.width)
    products = [(inner, inner.mT), (inner.mT, outer), (inner, inner.mT @ outer), (weights, values)]
    return partial(_products, products * (3 if backward else 1))


def _copies(given: list[Tensor]) -> list[Tensor]:
    return [each.clone() for each in (*given, *given[::4])]


def _products(pairs: list[tuple[Tensor, Tensor]]) -> list[Tensor]:
    return [left @ right for left, right in pairs]


def _over_lengths(form: str, size: Size) -> dict[str, Any]:
    """The fastest run of each length, all lengths in turn, and how straight a line they are."""
    works = {length: _work(FORMS[form], inputs(length, size.batches[-1], size), True) for length in size.lengths}
    for work in works.values():
        work()
    with working(f"{form}, lengths"), tidy():
        turns = [{length: seconds(work) for length, work in works.items()} for _ in range(size.rounds)]
    best = {length: min(turn[length] for turn in turns) for length in works}
    return {"seconds": {str(length): spent for length, spent in best.items()}, "linear": _straight(best)}


def _straight(best: Mapping[int, float]) -> float:
    """R² of the least-squares line of seconds over length."""
    return float(np.corrcoef(list(best), list(best.values()))[0, 1] ** 2)


def _notes(rows: list[Row], lengths: Mapping[str, Any], size: Size) -> list[str]:
    worst = ", ".join(f"{form} {min(r['ratio'] for r in rows if r['form'] == form):.1f}×" for form in FORMS)
    straight = ", ".join(f"{form} R² = {found['linear']:.4f}" for form, found in lengths.items())
    shape = f"[{size.length}, batch, {size.heads}, {size.width}], S = {size.state}"
    return [
        f"float32, x {shape}; {torch.get_num_threads()} threads, {platform.machine()}, torch {torch.__version__}.",
        f"Against the loop, at least: {worst}.",
        f"Forward and backward over lengths {size.lengths[0]} to {size.lengths[-1]}, as a straight line: {straight}.",
        "limit: for kernels plain copies of what is read and written, for products the bare matrix products.",
    ]
