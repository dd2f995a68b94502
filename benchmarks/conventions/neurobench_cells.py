"""What NeuroBench counts in one call of a recurrent cell: pairs of its matrices, and products of its gates.

Everything here is 0 or 1: inputs and states that are not 0, weights and biases that are not 0; (v)₁ stands for v ≠ 0.

    both      a = W_ih·x, b = W_hh·h                          Σ (a + b)
    LSTM      i, f, g, o = (a + b + biases)₁
              c' = f·c + i·g                                   Σ c' + Σ o·(c')₁
    GRU       r, z = (a + b + biases)   of these two rows
              t = ((r)₁ · (b_n + bias_hn)₁)₁                   Σ t
              Σ ((1 - z)₁ · (b_n + bias_ih[2] + t)₁)₁ + Σ ((z)₁ · h)₁

So they stand in its code: 1 - z is of the number of pairs, not of 0 and 1; the new value is read off the recurrent half
b_n alone; and bias_ih[2] is one number, the third bias of the gate r.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Cell:
    """One call.

    Args:
        given: the input, [B, inputs].
        states: the states, each [B, hidden].
        held: weights and biases by name.
    """

    given: Tensor
    states: Sequence[Tensor]
    held: Mapping[str, Tensor]

    def pairs(self) -> tuple[Tensor, Tensor]:
        """a and b, each [rows of the gates, B]."""
        return self.held["weight_ih"] @ self.given.T, self.held["weight_hh"] @ self.states[0].T

    def bias(self, name: str) -> Tensor:
        """One of the two biases as a column; zeros where there is none."""
        rows = len(self.held["weight_ih"])
        return self.held.get(name, torch.zeros(rows, dtype=torch.float64)).reshape(-1, 1)


def _one(values: Tensor) -> Tensor:
    return (values != 0).double()


def _rnn(cell: Cell) -> int:
    inward, around = cell.pairs()
    return int(inward.sum() + around.sum())


def _lstm(cell: Cell) -> int:
    inward, around = cell.pairs()
    gates = _one(inward + around + cell.bias("bias_ih") + cell.bias("bias_hh"))
    enters, forgets, new, leaves = gates.chunk(4)
    held = cell.states[1].T if len(cell.states) > 1 else torch.zeros_like(new)
    kept = forgets * held + enters * new
    return int(inward.sum() + around.sum() + kept.sum() + (leaves * _one(kept)).sum())


def _gru(cell: Cell) -> int:
    inward, around = cell.pairs()
    biases = cell.bias("bias_ih") + cell.bias("bias_hh")
    resets, updates, _ = (inward + around + biases).chunk(3)
    recurrent, inner = around.chunk(3)[2], cell.bias("bias_hh").chunk(3)[2]
    outer = cell.bias("bias_ih")[2]
    term = _one(resets) * _one(recurrent + inner)
    new = _one(1 - updates) * _one(recurrent + outer + term)
    return int(inward.sum() + around.sum() + term.sum() + new.sum() + (_one(updates) * cell.states[0].T).sum())


CELLS: Mapping[type[nn.Module], Callable[[Cell], int]] = {nn.RNNCell: _rnn, nn.LSTMCell: _lstm, nn.GRUCell: _gru}
"""The cells that are counted."""
