"""The scan over frames in products of matrices: a frame is one chunk, and a state goes on from frame to frame.

For a frame with tokens n, in each direction (n ► m: m comes before n or is n):

    y[n] = Σ_m exp(Σ of a behind m up to n)·⟨c[n], b[m]⟩·Δ[m]·x[m]  +  exp(Σ of a up to n)·⟨c[n], h⟩
    h'   = exp(Σ of all a)·h + Σ_m exp(Σ of a behind m)·b[m] ⊗ Δ[m]·x[m]

All but h is there for all frames at once. This is what is deployed: sums over constant triangles, products of signals
and exponentials, work for a host, and one state that is delayed by a frame. Directions are two triangles, so that no
token moves.
"""

from __future__ import annotations

import torch
from torch import Tensor, unflatten

NEVER = -1e4
"""What is added to the exponent of a token that is still to come: exp of it is 0 in every type."""


def scan_by_products(
    x: Tensor, step: Tensor, a: Tensor, b: Tensor, c: Tensor, state: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The scan of `toolchain/kernels/scan.py`; a is the logarithm of the decay, and a state of none is zeros."""
    heads = step.shape[4]
    xs = unflatten(x, 3, (heads, -1)).transpose(2, 3).unsqueeze(2)
    driven = step.permute(0, 1, 3, 4, 2).unsqueeze(-1) * xs
    keys, queries = _by_direction(b, heads), _by_direction(c, heads)
    up_to, behind = triangles(x.shape[2], step.shape[3], a)
    within = torch.einsum("tbmrh,rnm->tbrhn", a, up_to)
    seen = up_to[:, None]
    inside = ((within[..., :, None] - within[..., None, :]) * seen + NEVER * (1 - seen)).exp()
    tail = torch.einsum("tbmrh,rnm->tbrhn", a, behind).exp().unsqueeze(-1)
    recalled, h = _carried(queries, a.sum(2).exp()[..., None, None], keys.mT @ (tail * driven), _split(state, heads))
    y = ((queries @ keys.mT) * inside) @ driven + within.exp().unsqueeze(-1) * recalled
    return y.sum(2).transpose(2, 3).flatten(3), h.transpose(2, 3).flatten(3)


def _by_direction(each: Tensor, heads: int) -> Tensor:
    """[T, B, N, R, groups, S] → [T, B, R, heads or 1, N, S]."""
    turned, groups = each.permute(0, 1, 3, 4, 2, 5), each.shape[4]
    return turned if groups in (1, heads) else turned.repeat_interleave(heads // groups, dim=3)


def _split(state: Tensor | None, heads: int) -> Tensor | None:
    """[B, R, S, E] → [B, R, heads, S, P]."""
    return None if state is None else unflatten(state, 3, (heads, -1)).transpose(2, 3)


def _carried(queries: Tensor, left: Tensor, added: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
    """⟨c, h⟩ for every frame, h being the state before it, and the state after the last: a loop over frames."""
    h = added[0] * 0 if state is None else state
    rows = []
    for query, kept, new in zip(queries.unbind(0), left.unbind(0), added.unbind(0), strict=True):
        rows.append(query @ h)
        h = kept * h + new
    return torch.stack(rows), h


def triangles(tokens: int, directions: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """What is summed for each token n: all tokens up to it, and all behind it; [R, N, N], zeros and ones."""
    up_to = torch.ones(tokens, tokens, dtype=like.dtype, device=like.device).tril()
    both = torch.stack([up_to, up_to.mT][:directions])
    return both, 1 - both
