"""Networks as people write them, traced and simulated: the graph answers as the module does."""

import numpy as np
import pytest
import torch
from spikeport.toolchain.tracing import trace
from support.traced import Does, traced_as
from torch import nn
from torch.nn import functional

IMAGE, SIGNAL, VOLUME = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 12), torch.rand(2, 2, 4, 6, 4)


def trained(module):
    """The module with statistics as training leaves them."""
    for each in module.modules():
        if isinstance(each, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
            nn.init.uniform_(each.running_mean, -1, 1)
            nn.init.uniform_(each.running_var, 0.5, 2)
            nn.init.uniform_(each.weight, 0.5, 2)
            nn.init.uniform_(each.bias, -1, 1)
    return module


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.branch = nn.Sequential(nn.Conv2d(3, 3, 3, padding="same"), nn.BatchNorm2d(3), nn.ReLU(inplace=True))
        self.stages = nn.ModuleList([nn.Conv2d(3, 3, 1), nn.Identity(), nn.Dropout2d(0.5)])
        self.named = nn.ModuleDict({"head": nn.Linear(3, 4)})

    def forward(self, x):
        y = self.branch(x) + x
        y += x
        for stage in self.stages:
            y = stage(y) + y
        y = torch.cat([y, functional.relu(x)], dim=1)[:, ::2]
        return self.named["head"](y.mean((2, 3)))


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.act = nn.Linear(6, 6), nn.ReLU()

    def forward(self, x):
        return self.layer(self.act(self.layer(self.act(self.layer(x)))))


class InPlaceThenRead(nn.Module):
    """The shortcut is the very tensor that the activation works on in place."""

    def __init__(self):
        super().__init__()
        self.conv, self.act = nn.Conv2d(3, 3, 1), nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.conv(x)
        shortcut = y
        return self.act(y) + shortcut


class GraphConvolution(nn.Module):
    """An ST-GCN layer: a learnt part on top of a fixed adjacency, computed in forward."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 1)
        self.register_buffer("adjacency", torch.rand(2, 8, 8))
        self.edges = nn.Parameter(torch.rand(2, 8, 8))

    def forward(self, x):
        n, kc, t, v = self.conv(x).size()
        y = self.conv(x).view(n, 2, kc // 2, t, v)
        return torch.einsum("nkctv,kvw->nctw", y, self.adjacency * self.edges).contiguous()


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out, self.norm = nn.Linear(6, 18), nn.Linear(6, 6), nn.LayerNorm(6)

    def forward(self, x):
        b, n, c = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(b, n, 3, 2, c // 2).permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, c)
        return x + self.out(
            functional.softmax(y, dim=-1) + functional.softmax(q @ k.transpose(-2, -1) * 0.3, -1).sum((1, 3))[..., None]
        )


def upsampled():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, groups=1, dilation=2), nn.Upsample(scale_factor=2), nn.ConvTranspose2d(4, 2, 3, 2, 1, 1)
    )


NETWORKS = {
    # name: (network, example, options)
    "1d": (
        lambda: nn.Sequential(
            nn.Conv1d(3, 4, 3, stride=2),
            nn.BatchNorm1d(4),
            nn.ELU(),
            nn.MaxPool1d(2, ceil_mode=True),
            nn.Flatten(),
            nn.Linear(12, 5),
        ),
        SIGNAL,
        {},
    ),
    "2d": (
        lambda: nn.Sequential(
            nn.Conv2d(3, 6, (3, 1), padding=(1, 0), groups=3),
            nn.BatchNorm2d(6),
            nn.PReLU(6),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Dropout(),
            nn.Linear(24, 5),
        ),
        IMAGE,
        {},
    ),
    "3d": (
        lambda: nn.Sequential(
            nn.Conv3d(2, 4, 3, padding="same"),
            nn.BatchNorm3d(4),
            nn.Hardtanh(),
            nn.AvgPool3d(2),
            nn.AdaptiveMaxPool3d(1),
            nn.Flatten(1),
        ),
        VOLUME,
        {},
    ),
    "up": (upsampled, IMAGE, {}),
    "residual": (Residual, IMAGE, {}),
    "shared": (Shared, torch.rand(2, 6), {}),
    "in place": (InPlaceThenRead, IMAGE, {}),
    "graph convolution": (GraphConvolution, IMAGE, {}),
    "unflatten": (
        lambda: nn.Sequential(nn.Linear(6, 12), nn.Unflatten(1, (3, 4)), nn.Flatten(1), nn.Tanh()),
        torch.rand(2, 6),
        {},
    ),
    "attention": (Attention, torch.rand(2, 4, 6), {"host": True}),
    "norms": (lambda: nn.Sequential(nn.GroupNorm(3, 3), nn.LayerNorm([3, 8, 8]), nn.Softmax(1)), IMAGE, {"host": True}),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_its_graph(name):
    make, example, options = NETWORKS[name]
    torch.manual_seed(0)
    graph = traced_as(trained(make()), example, **options)
    assert graph.notes["source"]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_passes_its_proof(name):
    make, example, options = NETWORKS[name]
    torch.manual_seed(0)
    graph = trace(trained(make()), example, **options)
    assert graph.notes["proof"] == "equal to the module in float64 on 2 runs of 1 step of 2 samples"


def test_nodes_are_called_as_modules_are():
    graph = trace(Residual(), IMAGE)
    wanted = {"branch.0", "branch.1", "branch.2", "stages.0", "named.head", "add", "cat", "mean", "input", "output"}
    assert wanted <= set(graph.nodes)
    assert "stages.1" not in graph.nodes, "an identity leaves no node"


def test_one_weight_is_one_array():
    graph = trace(Shared(), torch.rand(2, 6))
    weights = [node.weight for node in graph.nodes.values() if node.kind == "Affine"]
    assert len(weights) == 3
    assert all(each is weights[0] for each in weights)


def test_weights_keep_their_type():
    graph = trace(nn.Linear(3, 2), torch.rand(2, 3))
    assert graph.nodes["linear"].weight.dtype == np.float32
    exact = nn.Linear(3, 2).double()
    nn.init.constant_(exact.weight, 0.1)
    graph = trace(exact, torch.rand(2, 3).double())
    assert graph.nodes["linear"].weight.dtype == np.float64


def test_two_inputs_and_several_answers():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 3), nn.Linear(5, 3)

        def forward(self, x, y):
            both = self.a(x) + self.b(y)
            return {"sum": both, "parts": (functional.relu(both), [both * 2])}

    graph = traced_as(Two(), (torch.rand(2, 4), torch.rand(2, 5)))
    assert graph.inputs == ("input", "input_1")
    assert graph.outputs == ("sum", "parts", "parts_2")


def test_inputs_by_name():
    class Named(nn.Module):
        def forward(self, image, mask):
            return image * mask

    graph = trace(Named(), {"image": torch.rand(2, 4), "mask": torch.rand(2, 4)})
    assert graph.inputs == ("image", "mask")


def test_a_constant_answer_is_noted_and_no_output():
    graph = trace(Does(lambda x: (x * 2, torch.zeros(3))), torch.rand(2, 4))
    assert graph.outputs == ("output",)
    assert graph.notes["constants"] == "1 of the module's answers do not depend on its input, and are no outputs"


def test_names_of_answers_are_made_fit():
    graph = trace(Does(lambda x: {"a b/c": x * 2, 3: x + 1}), torch.rand(2, 4))
    assert graph.outputs == ("a_b_c", "3")


def test_custom_functions_run_in_the_open():
    class Step(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, level):
            ctx.save_for_backward(x)
            return (x > level).to(x)

        @staticmethod
        def backward(_, grad):
            return grad, None

    class Split(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 2

        @staticmethod
        def setup_context(_, inputs, output):
            pass

    class Same(torch.autograd.Function):
        @staticmethod
        def forward(_, x):
            return x

    graph = traced_as(Does(lambda x: Step.apply(Split.apply(Same.apply(x)), 0.3)), torch.rand(2, 4))
    assert str(graph.signals[graph.outputs[0]].carries) == "spikes"


def test_weights_computed_in_forward():
    class Decay(nn.Module):
        def __init__(self):
            super().__init__()
            self.tau = nn.Parameter(torch.rand(4) + 1)
            self.linear = nn.utils.parametrizations.weight_norm(nn.Linear(4, 4))

        def forward(self, x):
            return self.linear(x) * torch.exp(-1 / self.tau) + torch.zeros(4).add_(self.tau)

    traced_as(Decay(), torch.rand(2, 4))


def test_half_precision_weights():
    traced_as(nn.Linear(4, 3).half(), torch.rand(2, 4))
    traced_as(nn.Linear(4, 3).bfloat16(), torch.rand(2, 4))


def test_a_network_in_training_is_traced_in_evaluation():
    module = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.BatchNorm1d(4)).train()
    graph = trace(module, torch.rand(3, 4))
    assert [graph.nodes[name].kind for name in graph.order] == ["Input", "Affine", "BatchNorm", "Output"]
    assert module.training


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_compiled_modules_are_traced_as_they_were_written():
    inner = nn.Sequential(nn.Linear(4, 4), torch.compile(nn.Sequential(nn.Linear(4, 3), nn.ReLU())))
    graph = trace(torch.compile(inner), torch.rand(2, 4))
    assert list(graph.nodes) == ["input", "0", "1.0", "1.1", "output"]
    assert graph.name == "Sequential"
    assert type(inner[1]).__name__ == "OptimizedModule"
