"""S3T-Former: the published counts and keys, and the published equations written down once more with real neurons."""

import itertools
import warnings

import pytest
import torch
from spikeport.models.checkpoints import load_checkpoint
from spikeport.models.joints import PARENTS, bone_map, mean_topology
from spikeport.models.s3t_former import Attention, S3tFormer, S3tFormerConfig, build
from spikeport.models.stateful import Change, MovingAverage
from spikeport.models.windows import run_in_windows
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.graph.nodes import Host
from spikeport.toolchain.tracing import trace
from support.command_line import data, run
from torch import nn

SMALL = S3tFormerConfig(classes=5, persons=2, width=24, depth=2, heads=4, mlp_ratio=2)
BN = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def shapes(width=256, hidden=1024, depth=6, heads=8, joints=25, persons=2, classes=60):
    """The published code's state dictionary: names and shapes."""
    found = {}

    def norm(name, size):
        found.update({f"{name}.{each}": [size] if each != BN[-1] else [] for each in BN})

    def linear(name, *shape, bias=True):
        found[f"{name}.weight"] = list(shape)
        found.update({f"{name}.bias": [shape[0]]} if bias else {})

    third = width // 3
    norm("data_bn", 3 * joints * persons)
    for name, size in (("joint", third), ("bone", third), ("motion", width - 2 * third)):
        linear(f"input_embed.{name}_conv.0", size, 3, 1, bias=False)
        norm(f"input_embed.{name}_conv.1", size)
    for block in range(depth):
        attn, mlp = f"blocks.{block}.attn", f"blocks.{block}.mlp"
        found[f"{attn}.alpha_grad"] = [width]
        found[f"{attn}.learned_topology"] = [1, heads, joints, joints]
        found[f"{attn}.state_decay_w"] = [1, 1, heads, 1, width // heads]
        found[f"{attn}.base_topology"] = [joints, joints]
        for letter in "vqk":
            linear(f"{attn}.{letter}_conv", width, width, 1, bias=False)
        linear(f"{attn}.proj_conv", width, width, 1)
        for each in ("v_bn", "q_bn", "k_bn", "proj_bn"):
            norm(f"{attn}.{each}", width)
        linear(f"{mlp}.fc1", hidden, width, 1)
        norm(f"{mlp}.bn1", hidden)
        linear(f"{mlp}.fc2", width, hidden, 1)
        norm(f"{mlp}.bn2", width)
    norm("head_bn", width)
    linear("head_fc", classes, width)
    return found


def on_meta(**values):
    with torch.device("meta"):
        return S3tFormer(S3tFormerConfig(**values))


def test_state_dictionary_is_the_published_one():
    held = {name: list(value.shape) for name, value in on_meta().state_dict().items()}
    assert held == shapes()
    assert len(held) == 288


def test_by_command_a_file_of_the_authors_becomes_a_checkpoint_and_a_graph(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = {"width": 24, "depth": 1, "mlp_ratio": 2, "classes": 5}
    source = torch.Generator().manual_seed(5)
    made = shapes(width=24, hidden=48, depth=1, classes=5)
    made = {name: 0.1 + torch.rand(shape, generator=source) for name, shape in made.items()}
    made = {name: value.long() if name.endswith(BN[-1]) else value for name, value in made.items()}
    torch.save({"model": made}, "theirs.pth")
    chosen = [part for key, value in values.items() for part in ("--config", f"{key}={value}")]
    data("models", "s3t_former", *chosen, "--weights", "theirs.pth", "-o", "mine.safetensors")
    network, about = load_checkpoint("mine.safetensors")
    assert about.config == S3tFormerConfig(**values)
    assert all(torch.equal(made[name], value) for name, value in network.state_dict().items())
    assert data("inspect", "mine.safetensors", "--host")["name"] == "mine"
    code, _, err = run("models", "s3t_former", "--weights", "theirs.pth")
    assert code == 2
    assert "weights of another network: no blocks.1.attn" in err


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ({}, 4_806_040),
        ({"width": 384}, 10_732_824),
        ({"width": 384, "classes": 120}, 10_755_924),
        ({"width": 384, "classes": 10, "joints": 20, "persons": 1}, 10_702_594),
    ],
)
def test_parameters(values, count):
    assert sum(each.numel() for each in on_meta(**values).parameters()) == count


@pytest.mark.parametrize(("persons", "count"), [(1, 1_910_645_440), (2, 3_821_028_736)])
def test_macs_as_thop_counts_them(persons, count, monkeypatch):
    """Neurons stand aside: thop knows nothing of them, and shapes are all that it asks for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of distutils, on import
        import thop
    network = S3tFormer(S3tFormerConfig(persons=persons, neurons="relu"))
    monkeypatch.setattr(Attention, "topology", lambda self: self.learned_topology[0])
    macs, _ = thop.profile(network, (torch.zeros(16, 1, 3, 25, persons),), verbose=False)
    assert macs == count


def published(network, skeleton):
    """The equations of the file's head, as plain as they stand, with persons as samples and spikingjelly's neurons."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from spikingjelly.activation_based.neuron import LIFNode

    config, held = SMALL, dict(network.named_modules())
    steps, batch, _, joints, persons = skeleton.shape
    parents, width = PARENTS[joints], config.width

    def lif(x, threshold=1.0):
        node = LIFNode(tau=2.0, decay_input=True, v_threshold=threshold, v_reset=0.0, step_mode="s")
        return torch.stack([node(each) for each in x])

    def change(x):
        out = torch.zeros_like(x)
        out[1:] = x[1:] - x[:-1]
        return out

    def mapped(x, linear, norm):
        flat = x.reshape(-1, *x.shape[2:])
        return held[norm](held[linear](flat)).reshape(*x.shape[:2], -1, joints)

    rows = skeleton.permute(1, 4, 3, 2, 0).reshape(batch, persons * joints * 3, steps)
    x = held["data_bn"](rows).reshape(batch, persons, joints, 3, steps).permute(4, 0, 1, 3, 2)
    x = x.reshape(steps, batch * persons, 3, joints)
    bone = torch.stack([x[..., v] - x[..., parents[v]] for v in range(joints)], -1)
    streams = {"joint": x, "bone": bone, "motion": change(x)}
    embedded = [mapped(value, *(f"input_embed.{name}_conv.{i}" for i in (0, 1))) for name, value in streams.items()]
    x = lif(torch.cat(embedded, 2))
    for i in range(config.depth):
        attn, mlp = held[f"blocks.{i}.attn"], f"blocks.{i}.mlp"
        own = f"blocks.{i}.attn"
        alpha = attn.alpha_grad.reshape(1, 1, -1, 1)
        mixed = alpha * change(x).abs() + (1 - alpha) * x
        q, k = (lif(mapped(mixed, f"{own}.{each}_conv", f"{own}.{each}_bn")) for each in "qk")
        both = k * lif(mapped(x, f"{own}.v_conv", f"{own}.v_bn"))
        ways = torch.softmax(attn.base_topology + 0.5 * attn.learned_topology[0], -1)
        size = width // config.heads
        routed = torch.zeros_like(both)
        for head in range(config.heads):
            own_channels = slice(head * size, (head + 1) * size)
            routed[:, :, own_channels] = both[:, :, own_channels] @ ways[head].T
        spikes = lif(routed, 0.5)
        keep = torch.sigmoid(attn.state_decay_w).clamp(0.01, 0.99).reshape(1, -1, 1)
        state, out = torch.zeros_like(spikes[0]), []
        for step in range(steps):
            state = keep * state + (1 - keep) * spikes[step]
            out.append(q[step] * state)
        x = x + lif(mapped(torch.stack(out), f"{own}.proj_conv", f"{own}.proj_bn"), 0.5)
        x = x + lif(mapped(lif(mapped(x, f"{mlp}.fc1", f"{mlp}.bn1")), f"{mlp}.fc2", f"{mlp}.bn2"))
    pooled = x.mean(-1).reshape(steps, batch, persons, width).mean(2)
    total, membranes = 0, []
    for step in pooled:
        total = total + held["head_fc"](held["head_bn"](step))
        membranes.append(total)
    return torch.stack(membranes)


@pytest.fixture(scope="module")
def network():
    found = build(SMALL, 3).double().eval()
    with torch.no_grad():  # so that nothing is at a value that hides a mistake
        for name, value in found.named_parameters():
            if "bn" in name or "alpha" in name or "decay" in name:
                value += 0.3 * torch.randn(value.shape, generator=torch.Generator().manual_seed(len(name)))
    return found


@pytest.fixture(scope="module")
def skeleton():
    return torch.randn(7, 3, 3, 25, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_equal_to_the_equations_with_spikingjelly_neurons(network, skeleton):
    expected = published(network, skeleton)
    found = network.membranes(skeleton)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(network(skeleton).sum(0), expected[-1], rtol=1e-10, atol=1e-10)
    assert expected[-1].std() > 0.01


def test_gradients_are_those_of_the_equations(network, skeleton):
    weights = [
        dict(network.named_parameters())[f"blocks.0.attn.{each}"] for each in ("learned_topology", "q_conv.weight")
    ]
    given = (published(network, skeleton)[-1], network(skeleton).sum(0))
    expected, found = (torch.autograd.grad(each.square().sum(), weights) for each in given)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)
        assert a.abs().sum() > 0


def test_windows_and_tokens(network, skeleton):
    with torch.no_grad():
        torch.testing.assert_close(run_in_windows(network, skeleton, 3), network(skeleton))
        tokens = network.tokens(skeleton)
    assert tokens.shape == (7, 3, 50, 24)
    assert set(tokens.unique().tolist()) <= set(range(2 * SMALL.depth + 2))


@pytest.mark.parametrize("neurons", ["lif", "relu"])
def test_traces_whole(neurons):
    config = S3tFormerConfig(classes=3, joints=20, persons=1, width=8, depth=1, heads=2, mlp_ratio=1, neurons=neurons)
    example = torch.randn(5, 2, 3, 20, 1, generator=torch.Generator().manual_seed(2))
    graph = trace(build(config, 0), {"skeleton": example}, time_axis=0)
    assert "equal to the module in float64" in graph.notes["proof"]
    assert not any(isinstance(node, Host) for node in graph.nodes.values())
    assert graph.inputs == ("skeleton",)


def test_awake_from_the_start_and_asleep_as_published():
    rates = {}
    for quirk in (False, True):
        made = build(S3tFormerConfig(**{**vars(SMALL), "published": quirk}), 0).eval()
        neuron = made.blocks[1].attn.topo_buffer_lif
        neuron.register_forward_hook(lambda _module, _args, out, quirk=quirk: rates.update({quirk: float(out.mean())}))
        with torch.no_grad():
            made(torch.randn(6, 2, 3, 25, 2, generator=torch.Generator().manual_seed(4)))
    assert rates[False] > 0.01
    assert rates[True] < 0.001


def test_starting_values_and_bounds_are_the_published_ones():
    start = build(S3tFormerConfig(**{**vars(SMALL), "published": True}), 0).blocks[0].attn
    assert bool((start.alpha_grad == 0.8).all())
    assert bool((start.state_decay_w == -2).all())
    assert float(start.learned_topology.detach().std()) == pytest.approx(0.02, rel=0.1)
    with torch.no_grad():
        start.state_decay_w.copy_(torch.linspace(-20, 20, 24).reshape(start.state_decay_w.shape))
    assert float(start.decay().detach().min()) == pytest.approx(0.01)
    assert float(start.decay().detach().max()) == pytest.approx(0.99)


def test_bones_and_ways():
    x = torch.arange(25.0) ** 2
    bones = x @ bone_map(PARENTS[25])
    assert bones[:4].tolist() == [0 - 1, 1 - 400, 4 - 400, 9 - 4]
    assert bones[20] == 0
    for joints, parents in PARENTS.items():
        topology = mean_topology(parents)
        inward = {(p, v) for v, p in enumerate(parents) if p != v}
        links = {(i, j) for i, j in itertools.product(range(joints), repeat=2) if topology[i, j]}
        assert links == inward | {(v, p) for p, v in inward} | {(v, v) for v in range(joints)}
        assert topology[0, 0] == pytest.approx(1 / 3)
        leaf = next(v for v in range(joints) if v not in parents)
        assert topology[:, leaf].sum() == pytest.approx(2 / 3)
    few = build(S3tFormerConfig(classes=2, joints=20, persons=1, width=6, depth=1, heads=2, published=True), 0)
    root = few.input_embed.bones[:, 1]
    assert not root.any(), "joint 1 hangs from joint 20, which is not there"


def test_what_remembers():
    x = torch.randn(9, 2, 4, dtype=torch.float64)
    change, keep = Change()(x), torch.rand(4, dtype=torch.float64)
    assert not change[0].any()
    torch.testing.assert_close(change[1:], x[1:] - x[:-1], rtol=0, atol=0)
    state, expected = 0, []
    for step in x:
        state = keep * state + (1 - keep) * step
        expected.append(state)
    torch.testing.assert_close(MovingAverage()(x, keep), torch.stack(expected))


class Both(nn.Module):
    """A network of what remembers alone."""

    def __init__(self):
        super().__init__()
        self.change, self.average = Change(), MovingAverage()
        self.keep = nn.Parameter(torch.tensor([0.1, 0.5, 0.9]))

    def forward(self, x):
        return self.average(self.change(x), torch.sigmoid(self.keep))


def test_what_remembers_traces_and_runs_in_windows():
    module, x = Both(), torch.randn(6, 2, 3)
    graph = trace(module, x, time_axis=0)
    assert [type(node).__name__ for node in graph.nodes.values()].count("LeakyIntegrator") == 1
    with torch.no_grad():
        torch.testing.assert_close(run_in_windows(module, x, 4), module(x))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": 100}, "100 channels in 8 heads"),
        ({"joints": 17}, "17 joints; expected one of 25, 20"),
        ({"dropout": 1.0}, "dropout 1.0"),
        ({"neurons": "gelu"}, "the kind 'gelu'; expected one of lif, relu"),
    ],
)
def test_messages(values, message):
    with pytest.raises(UsageError, match=message):
        S3tFormerConfig(**values)
