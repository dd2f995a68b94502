"""The three forms of the selective scan of `scan.py`: the sum itself, place by place, and in chunks.

Decays are never divided by each other and never taken out of a difference of long sums, so that no decay is too strong:
exp(−∞) is 0.
"""

from __future__ import annotations

import torch
from torch import Tensor, unflatten

from ..toolchain.errors import UsageError

Scanned = tuple[Tensor, Tensor]
"""y [L, B, heads, P], and the state h after the last place."""

CHUNK = 16
"""Places of a chunk. Work inside a chunk grows with its length, work between chunks falls with it."""


def scan_reference(
    x: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor | None = None, state: Tensor | None = None
) -> Scanned:
    """The sum of the module's docstring, in float64; rounded to the type of x at the end."""
    h = checked(x, a, b, c, d, state).double()
    heads = x.shape[2]
    every, keys, queries = x.double(), *(_spread(each.double(), heads) for each in (b, c))
    place = torch.arange(len(x), device=x.device)
    n, m = place[:, None, None], place[:, None]
    between = torch.einsum("nmk,kbh->bhnm", ((m < place) & (place <= n)).double(), a.double())
    weights = torch.einsum("nbhs,mbhs->bhnm", queries, keys) * between.exp().tril()
    whole = a.double().cumsum(0)
    y = torch.einsum("bhnm,mbhp->nbhp", weights, every)
    y = y + torch.einsum("nbh,nbhs,bhsp->nbhp", whole.exp(), queries, h)
    if len(x):
        left = (whole[-1] - whole).exp()
        h = whole[-1].exp()[..., None, None] * h + torch.einsum("mbh,mbhs,mbhp->bhsp", left, keys, every)
    y = y if d is None else y + d.double()[:, None] * every
    return y.to(x), h.to(x)


def scan_steps(
    x: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor | None = None, state: Tensor | None = None
) -> Scanned:
    """The recursion of the module's docstring, place by place."""
    h = checked(x, a, b, c, d, state)
    heads, rows = x.shape[2], []
    decay, keys, queries = a.exp()[..., None, None], _spread(b, heads)[..., None], _spread(c, heads)[..., None, :]
    for each, left, key, query in zip(x.unsqueeze(-2), decay, keys, queries, strict=True):
        h = left * h + key * each
        rows.append((query @ h).squeeze(-2))
    y = torch.stack(rows) if rows else x
    return (y if d is None else y + d[:, None] * x), h


def scan_chunks(
    x: Tensor,
    a: Tensor,
    b: Tensor,
    c: Tensor,
    d: Tensor | None = None,
    state: Tensor | None = None,
    chunk: int = CHUNK,
) -> Scanned:
    """The same in products of matrices, `chunk` places at a time.

    Within a chunk, M[n, m] = ⟨c[n], b[m]⟩·exp(a[m+1] + … + a[n]) for m ≤ n, and 0 for m > n;
    y[n] = Σ M[n, m]·x[m] + exp(a[1] + … + a[n])·⟨c[n], h⟩, with h the state that the chunk starts with.
    """
    h = checked(x, a, b, c, d, state)
    if chunk < 1:
        raise UsageError("scan", f"chunks of {chunk}", "at least 1 place in a chunk")
    if not len(x):
        return x, h
    split = (b.shape[2], x.shape[2] // b.shape[2])  # heads as groups and the heads of each
    xs = unflatten(_chunked(x, chunk), 3, split).permute(0, 2, 3, 1, 4, 5)
    keys, queries = (_chunked(each, chunk).permute(0, 2, 3, 1, 4) for each in (b, c))
    log = unflatten(_chunked(a, chunk), 3, split).permute(0, 2, 3, 4, 1)
    inside = _sums_between(log).exp()
    reach, tail = log.cumsum(-1).exp(), inside[..., -1, :]
    added = keys.mT @ (xs * tail.mT.unsqueeze(-1)).flatten(-2)
    first = unflatten(h, 1, split).transpose(2, 3)
    starts, last = _carried(first, reach[..., None, :, -1, None], unflatten(added, -1, (split[1], -1)))
    recalled = unflatten(queries @ starts.flatten(-2), -1, (split[1], -1)) * reach.mT.unsqueeze(-1)
    weights = (queries @ keys.mT).unsqueeze(3) * inside
    y = recalled + (weights @ xs.transpose(3, 4)).transpose(3, 4)
    y = y.permute(0, 3, 1, 2, 4, 5).flatten(0, 1).flatten(2, 3)[: len(x)]
    return (y if d is None else y + d[:, None] * x), last.transpose(2, 3).flatten(1, 2)


def checked(x: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor | None, state: Tensor | None) -> Tensor:
    """The state to start with, zeros where none is given; shapes that do not fit are a UsageError."""
    shapes = {name: tuple(each.shape) for name, each in (("x", x), ("a", a), ("b", b), ("c", c))}
    if x.ndim != 4 or a.shape != x.shape[:3]:
        _refuse(shapes, "x [L, B, heads, P] and a [L, B, heads]")
    if b.ndim != 4 or b.shape != c.shape or b.shape[:2] != x.shape[:2] or not b.shape[2] or x.shape[2] % b.shape[2]:
        _refuse(shapes, "b and c [L, B, groups, S] with groups that divide heads")
    if d is not None and d.shape != x.shape[2:3]:
        _refuse({"d": tuple(d.shape)}, f"d [heads], [{x.shape[2]}]")
    wanted = (x.shape[1], x.shape[2], b.shape[3], x.shape[3])
    if state is not None and tuple(state.shape) != wanted:
        _refuse({"state": tuple(state.shape)}, f"a state [B, heads, S, P], {list(wanted)}")
    return x.new_zeros(wanted) if state is None else state


def _refuse(shapes: dict[str, tuple[int, ...]], expected: str) -> None:
    raise UsageError("scan", ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items()), expected)


def _spread(per_group: Tensor, heads: int) -> Tensor:
    """[L, B, groups, S] → [L, B, heads, S]."""
    return per_group.repeat_interleave(heads // per_group.shape[2], dim=2)


def _sums_between(log: Tensor) -> Tensor:
    """a[m+1] + … + a[n] for m ≤ n, and −∞ for m > n: [..., K] → [..., n, m].

    Each is the sum of what lies between, never a difference of two sums: those are large where it is small. All of them
    are one product with a constant matrix of zeros and ones.
    """
    size = log.shape[-1]
    place = torch.arange(size, device=log.device)
    k, n, m = place[:, None, None], place[:, None], place
    summed = ((m < k) & (k <= n)).flatten(1).to(log)
    never = torch.where(m > n, -torch.inf, 0.0).flatten().to(log)
    return torch.addmm(never, log.reshape(-1, size), summed).view(*log.shape, size)


def _chunked(each: Tensor, chunk: int) -> Tensor:
    """[L, B, ...] → [chunks, chunk, B, ...], with zeros behind the last place.

    A place of zeros adds nothing and, with a = 0, keeps what is there.
    """
    missing = -len(each) % chunk
    if missing:
        each = torch.cat([each, each.new_zeros(missing, *each.shape[1:])])
    return unflatten(each, 0, (-1, chunk))


def _carried(h: Tensor, left: Tensor, added: Tensor) -> Scanned:
    """h[k+1] = left[k]·h[k] + added[k]: the state that each chunk starts with, and the one after the last."""
    starts = []
    for kept, new in zip(left.unbind(), added.unbind(), strict=True):
        starts.append(h)
        h = torch.addcmul(new, kept, h)
    return torch.stack(starts), h
