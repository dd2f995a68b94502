"""Signal-SGN as published, written once more from its description: SpikingJelly's neurons, torch's complex numbers,
one call of a layer after the other as its code makes them, batch first, weights from a state dictionary.
"""

import torch
from spikingjelly.activation_based.neuron import IFNode, LIFNode
from torch.nn import functional as f


class ByHand:
    """The network; `state` is changed as training changes it."""

    def __init__(self, state, heads=8, training=False):
        self.state, self.heads, self.training = state, heads, training
        self.nodes, self.spikes, self.normed = {}, {}, {}

    def fire(self, name, x, kind=LIFNode, threshold=1.0):
        if name not in self.nodes:
            self.nodes[name] = kind(v_threshold=threshold, step_mode="m")
        out = self.nodes[name](x)
        self.spikes.setdefault(name, []).append(out)
        return out

    def norm(self, name, x):
        w, b, mean, variance = (self.state[f"{name}.{k}"] for k in ("weight", "bias", "running_mean", "running_var"))
        self.normed[name] = f.batch_norm(x, mean, variance, w, b, self.training, 0.1, 1e-5)
        return self.normed[name]

    def weights(self, name):
        return self.state[f"{name}.weight"], self.state.get(f"{name}.bias")

    def conv(self, name, x, **options):
        """A convolution over [T, N, C, V]."""
        steps = x.shape[0]
        return f.conv1d(x.flatten(0, 1), *self.weights(name), **options).unflatten(0, (steps, -1))

    def conv_norm(self, conv, norm, x, **options):
        y = self.conv(conv, x, **options)
        return self.norm(norm, y.flatten(0, 1)).unflatten(0, y.shape[:2])

    def attention(self, name, y):
        def project(part):
            made = self.fire(f"{name}.{part}", self.conv_norm(f"{name}.{part}_conv", f"{name}.{part}_bn", y))
            return made.unflatten(2, (self.heads, -1)).transpose(-1, -2)

        q, k, v = project("q"), project("k"), project("v")
        met = (q @ k.transpose(-1, -2)) @ v * 0.125
        met = self.fire(f"{name}.attn", met.transpose(-1, -2).flatten(2, 3), threshold=0.5)
        return self.fire(f"{name}.proj", self.conv_norm(f"{name}.proj_conv", f"{name}.proj_bn", met)) + y

    def graph(self, name, x):
        links = self.state[f"{name}.PA"]
        links = links / (links.square().sum(1, keepdim=True).sqrt() + 1e-4)
        sent = sum(self.conv(f"{name}.conv_d.{i}", torch.einsum("tncv,vw->tncw", x, links[i])) for i in range(3))
        y = self.fire(f"{name}.lif1", self.norm(f"{name}.bn", sent.flatten(0, 1)).unflatten(0, x.shape[:2]))
        if f"{name}.down.0.weight" in self.state:
            x = self.conv_norm(f"{name}.down.0", f"{name}.down.1", x)
        return self.attention(f"{name}.SSA", y + self.fire(f"{name}.lif2", x))

    def frequency(self, name, x):
        spikes = self.fire(f"{name}.proj", self.conv_norm(f"{name}.proj_conv", f"{name}.proj_bn", x, padding=1))
        spectrum = torch.fft.fftn(spikes * self.state[f"{name}.window_w"], dim=3)
        inner = f"{name}.complexConv2d"

        def part(which, z):
            return self.conv_norm(f"{inner}.{which}.0", f"{inner}.{which}.1", z)

        first = self.fire(f"{inner}.R", part("conv_r", spectrum.real) - part("conv_i", spectrum.imag))
        second = self.fire(f"{inner}.R", part("conv_r", spectrum.real) - part("conv_i", spectrum.imag))
        real = self.fire(f"{inner}.r", part("conv_r_1", first))
        return real + self.fire(f"{inner}.r", part("conv_i_1", second))

    def unit(self, name, x):
        y = self.graph(f"{name}.gcn1", x)
        known = f"{name}.residual.window_w" in self.state
        return y + self.frequency(f"{name}.fa", y) + (self.frequency(f"{name}.residual", x) if known else x)

    def skeletons(self, x):
        """[N, 3, T, V, M] → [T, N·M, 3, V]."""
        n, c, t, v, m = x.shape
        x = self.norm("data_bn", x.permute(0, 4, 3, 1, 2).reshape(n, m * v * c, t))
        x = x.reshape(n, m, v, c, t).permute(0, 1, 4, 2, 3).reshape(n * m * t, v * c)
        x = self.norm("skeletonbn.batch_norm", x).reshape(n * m, t, v, c)
        low, high = x.amin(2, keepdim=True), x.amax(2, keepdim=True)
        return ((x - low) / (high - low + 1e-8)).permute(1, 0, 3, 2)

    def cross(self, name, a, b):
        """[N, T, 8, V] twice → [N, T, channels, V]."""
        a = self.fire(f"{name}.in1", a.transpose(0, 1), IFNode, 0.5)
        b = self.fire(f"{name}.in2", b.transpose(0, 1), IFNode, 0.5)
        q, k, v = (
            self.fire(f"{name}.{part}", self.conv_norm(f"{name}.{part}_conv", f"{name}.{part}_bn", x), IFNode)
            for part, x in (("q", a), ("k", a), ("v", b))
        )
        shared = self.fire(f"{name}.talking", (k * v).sum(-1, keepdim=True), IFNode, 0.5)
        return self.fire(f"{name}.proj", self.conv_norm(f"{name}.proj_conv", f"{name}.proj_bn", q * shared)).transpose(
            0, 1
        )

    def stretched(self, x, steps):
        """[N, t, C, V] → [N, T, C, V], by a matrix of weights; its memory is read as [N, C, V, t]."""
        n, short, c, v = x.shape
        at = torch.arange(steps, dtype=x.dtype) * ((short - 1) / (steps - 1))
        weights = (1 - (at[:, None] - torch.arange(short)).abs()).clamp(min=0)
        return (x.reshape(n, c * v, short) @ weights.T).reshape(n, steps, c, v)

    def wave(self, x):
        """[N, C, T, V] → [T, N, C] without joints."""
        n, _, t, v = x.shape
        x = f.conv2d(x, *self.weights("dwtfc.down1"), padding=1, groups=16)
        x = self.norm("dwtfc.down2.1", f.conv2d(x, *self.weights("dwtfc.down2.0"), padding=1))
        x = f.linear(x.reshape(n, 8, v, t).permute(0, 3, 2, 1), *self.weights("dwtfc.Lk0")).reshape(n, t, 8, v)
        total, whole = 0, 2 ** (t - 1).bit_length()
        x = torch.cat([x, x[:, : whole - t]], 1)
        for _ in range(min(3, t.bit_length() - 1)):
            pair = torch.cat([x[:, ::2], x[:, 1::2]], 2)
            d = torch.einsum("ntiv,ij->ntjv", pair, self.state["dwtfc.MWT_CZ.ec_d"])
            x = torch.einsum("ntiv,ij->ntjv", pair, self.state["dwtfc.MWT_CZ.ec_s"])
            wide, slow = self.stretched(d, t), self.stretched(x, t)
            for a, b in ((wide, slow), (slow, wide)):
                total = total + self.state["dwtfc.MWT_CZ.s"] * self.cross("dwtfc.MWT_CZ.cross_attention", a, b)
        return self.fire("dwtfc", total.transpose(0, 1), IFNode, 0.5).mean(3)

    def __call__(self, x):
        """[N, 3, T, V, M] → logits [N, classes]."""
        n, persons = x.shape[0], x.shape[-1]
        x = self.skeletons(x)
        for name in ("l1", "l2", "l5", "l8"):
            x = self.unit(name, x)
        x = x.unflatten(1, (n, persons)).mean(2).permute(1, 2, 0, 3)
        wave = f.linear(self.wave(x), *self.weights("lv")).transpose(1, 2)
        wave = self.fire("lv", self.norm("bnv", wave).transpose(1, 2), IFNode).mean(0)
        return f.linear(x.mean((2, 3)) + self.state["alpha"] * wave, *self.weights("fc"))
