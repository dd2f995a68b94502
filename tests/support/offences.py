"""Networks that cannot be traced; the lines in them are part of golden texts."""

import torch
from torch import nn
from torch.nn import functional


class Gated(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        x = self.linear(x)
        return functional.softmax(x, dim=-1)


class ManyOffences(nn.Module):
    def __init__(self):
        super().__init__()
        self.recurrent, self.attention = nn.LSTM(4, 4), nn.MultiheadAttention(4, 1)
        self.blocks = nn.ModuleList([nn.Linear(4, 4), Gated()])

    def forward(self, x):
        x = self.recurrent(x)[0]
        x = self.attention(x, x, x)[0]
        x = torch.sort(x).values
        x = x + torch.randn_like(x)
        x = self.blocks[1](self.blocks[0](x))
        if (x > 0)[0, 0]:
            x = x * 2
        scale = x.mean().item()
        return functional.dropout(x * scale, training=True)
