"""The selective scan: a linear recursion whose decay, input and read-out change from place to place.

    h[n] = exp(a[n])·h[n−1] + b[n] ⊗ x[n]          a ≤ 0
    y[n] = ⟨c[n], h[n]⟩ + d·x[n]

    x [L, B, heads, P]     a [L, B, heads]     b, c [L, B, groups, S]     d [heads] or none
    h [B, heads, S, P]: what is remembered; handed in and out, so that a sequence can be run piece by piece

`groups` divides `heads`: head i reads b and c of group i·groups // heads. A step size Δ is in a (as −Δ·exp(A)) and in
x (as Δ·x). This is the recursion of Mamba-2 (one decay for each head), and with a constant a and b = c = 1 it is a
leaky integrator.

    scan_reference   the sum itself, y[n] = Σ_m≤n exp(a[m+1] + … + a[n])·⟨c[n], b[m]⟩·x[m], in float64; L² work
    scan_steps       one place at a time: the definition of what is deployed
    scan_chunks      products of matrices inside chunks, states from chunk to chunk: linear in L, on any device
    scan             the fastest there is: kernels on the CPU, chunks everywhere else

All give the same numbers and the same gradients up to rounding.
"""

from __future__ import annotations

import torch
from torch import Tensor, unflatten

from .multistep import fusible
from .scan_forms import CHUNK, Scanned, checked, scan_chunks, scan_reference, scan_steps
from .scan_fused import fused, in_full


def scan(x: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor | None = None, state: Tensor | None = None) -> Scanned:
    """The scan in its fastest form, in float32 inside of autocast."""
    if torch.is_autocast_enabled(x.device.type):
        return in_full(scan, x, a, b, c, d, state)
    given = (x, a, b, c) if state is None else (x, a, b, c, state)
    if not all(fusible(each) and each.dtype == x.dtype for each in given) or not x.numel():
        return scan_chunks(x, a, b, c, d, state)
    h = checked(x, a, b, c, d, state).transpose(1, 2).flatten(2).unsqueeze(1)
    frames = x.flatten(2).unsqueeze(2)
    decay = a.exp()[:, :, None, None]
    y, after = fused(frames, torch.ones_like(decay), decay, b[:, :, None, None], c[:, :, None, None], h)
    y = y.view(x.shape)
    after = unflatten(after.squeeze(1), 2, x.shape[2:]).transpose(1, 2)
    return (y if d is None else y + d[:, None] * x), after


__all__ = ["CHUNK", "Scanned", "scan", "scan_chunks", "scan_reference", "scan_steps"]
