"""Networks of which a chip takes some parts: what is cut and why, files of both, and what runs when they are read."""

import json

import numpy as np
import pytest
import torch
from spikeport.benchmarks.shares import Input, shares_of
from spikeport.exporters import mixed_file
from spikeport.exporters.chip_cut import LOOP, READ, Setting, cut_for_chip
from spikeport.exporters.chip_parts import split_for_chip
from spikeport.exporters.formats import FORMATS
from spikeport.exporters.netx_parts import read_parts
from spikeport.exporters.netx_shapes import in_layer_shapes
from spikeport.exporters.nir.parts import write_parts as write_nir
from spikeport.exporters.nir.parts_in import read_parts as read_nir
from spikeport.exporters.parting import parted
from spikeport.models import zoo
from spikeport.models.neurons import LIF
from spikeport.toolchain.errors import FileError, Refused, UsageError
from spikeport.toolchain.graph import GraphBuilder, later
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.store import save
from spikeport.toolchain.passes import pipeline
from spikeport.toolchain.simulate import simulate
from spikeport.toolchain.tracing import trace
from spikeport.toolchain.verifying import verify
from support.command_line import data, run
from torch import nn


class Toy(nn.Module):
    """Neurons, an attention without weights, neurons."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 8), nn.Linear(8, 8)
        self.first, self.second = LIF(0.5), LIF(0.5)

    def forward(self, x):
        s = self.first(self.a(x))
        tokens = torch.unflatten(s, 2, (2, 4))
        mixed = torch.softmax(tokens @ tokens.transpose(-1, -2), -1) @ tokens
        return self.second(self.b(mixed.flatten(2)))


@pytest.fixture(scope="module")
def toy():
    torch.manual_seed(0)
    module = Toy()
    with torch.no_grad():
        for each in module.parameters():
            each.mul_(3)
    return trace(module, torch.randn(6, 2, 6), time_axis=0, host=True, name="toy")


@pytest.fixture(scope="module")
def given(toy):
    return {toy.inputs[0]: np.random.default_rng(3).normal(size=(24, 2, 6))}


@pytest.fixture(scope="module")
def split(toy, given):
    return split_for_chip(toy, Setting(), given)


def test_where_it_is_cut(split):
    pieces = split.cut.pieces
    assert [piece.host for piece in pieces] == [False, True, False]
    assert split.cut.chips[0].nodes == ("a", "first")
    assert set(split.cut.chips[1].nodes) >= {"b", "second"}
    why = {each.what: each.said for each in split.cut.why.values()}
    assert why["softmax"] == why["matmul"] == "no chip does it"
    assert why["Permute"] == READ
    assert pieces[2].graph.signals[pieces[2].graph.inputs[0]].carries.graded
    assert pieces[1].graph.signals[pieces[1].graph.inputs[0]].carries.binary, "inputs promise what really comes"


def test_parts_send_nearly_what_the_graph_sends(toy, given, split):
    sent = split.mixed.sent(given)
    np.testing.assert_array_equal(sent["input"], given["input"])
    for name in ("first", "second"):
        assert (sent[name] == split.flows[name]).mean() > 0.98
        assert split.flows[name].any()
    for number, piece in enumerate(split.cut.pieces):
        if not piece.host:
            verdict = verify(piece.graph, split.mixed.parts[number].network, split.given(piece), at_least=0.0)
            assert min(node.match for node in verdict.nodes) > 0.98
    found = split.mixed.run(given)["output"]
    assert found.shape == simulate(toy, given).outputs["output"].shape


def test_files_are_the_same_network(tmp_path, given, split):
    remarks = mixed_file.write(split.mixed, tmp_path)
    assert {each.name for each in tmp_path.iterdir()} == {
        "toy.0.0.net", "toy.1.graph", "toy.2.0.net", "toy.parts.json",
    }  # fmt: skip
    assert any("toy.2.0.net: lava-dl's loader has to be called with input_message_bits" in line for line in remarks)
    again = mixed_file.read(tmp_path)
    assert again.inputs["input"].shape == (6,)
    for name, values in again.sent(given).items():
        np.testing.assert_array_equal(values, split.mixed.sent(given)[name])


def test_conversion_proves_every_part_on_lava_too(tmp_path, toy, given, lava):
    found = parted(toy, FORMATS["netx-parts"], tmp_path / "toy.parts", Setting(), given, lava=True)
    told = {proof.what: proof for proof in found.proofs}
    assert list(told) == [
        "toy.0 → chip graph", "toy.2 → chip graph", "parts → files",
        "toy.0, file → Lava", "toy.2, file → Lava", "graph → files, run as a whole",
    ]  # fmt: skip
    assert told["parts → files"].exact
    for part in ("toy.0", "toy.2"):
        proof = told[f"{part}, file → Lava"]
        assert proof.exact
        assert any(node.spikes and node.rates[1] > 0 for node in proof.verdict.nodes), "Lava's neurons fire"
    whole = told["graph → files, run as a whole"].said
    assert "in the mean" in whole
    assert whole.endswith("; largest in the mean over time at the same place in 2 of 2 samples")
    assert set(found.reports) == {"toy.0", "toy.2"}
    assert found.remarks[0] == "2 parts of the chip, 1 of the host: `spikeport parts` says why"
    with pytest.raises(FileError, match="a network in parts of a chip and of a host; expected one of a chip alone"):
        read_parts(tmp_path / "toy.parts" / "toy.parts.json")


def test_the_parts_of_the_fusion_go_to_netx_files_and_nir_and_are_the_same_on_lava(tmp_path, lava):
    network = zoo.build("spiking_fusion", zoo.small_config("spiking_fusion")).eval()
    source = torch.Generator().manual_seed(0)
    x = {
        "skeleton": torch.randn(6, 2, 3, 20, 1, generator=source),
        "events": (torch.rand(6, 2, 2, 8, 8, generator=source) < 0.2).float(),
    }
    graph = trace(network, x, time_axis=0, carries={"events": "spikes"}, host=True, name="fusion")
    graph, given = pipeline("simplify")(graph).graph, {name: each.numpy() for name, each in x.items()}
    found = parted(graph, FORMATS["netx-parts"], tmp_path / "fusion.parts", Setting(), given, lava=True)
    on_lava = [proof for proof in found.proofs if proof.what.endswith("→ Lava")]
    assert len(on_lava) == len(found.reports) >= 5
    assert all(proof.exact for proof in on_lava)
    assert next(proof for proof in found.proofs if proof.what == "parts → files").exact
    write_nir(graph, tmp_path)
    assert verify(graph, read_nir(tmp_path / "fusion.parts.json"), given)


def test_manifests_of_others_are_refused(tmp_path, split):
    mixed_file.write(split.mixed, tmp_path)
    manifest = tmp_path / "toy.parts.json"
    good = json.loads(manifest.read_text())
    for change, message in (
        ({"version": 1}, "of another kind or version"),
        ({"parts": good["parts"][1:]}, "a part that reads 'first'"),
        ({"parts": [{**good["parts"][1], "host": "../toy.1.graph"}]}, "the name of a file beside it"),
        ({"parts": [{**good["parts"][1], "reads": {}}]}, "other inputs and outputs than toy.1 has"),
        ({"parts": 3}, "cannot be understood"),
    ):
        manifest.write_text(json.dumps({**good, **change}))
        with pytest.raises(FileError, match=message):
            mixed_file.read(tmp_path)


def test_whole_networks_are_not_parted(tmp_path):
    build = GraphBuilder("net")
    build.add("in", n.Input((3,), "spikes"))
    build.add("fc", n.Affine(np.eye(3)), "in")
    build.add("lif", n.LIF(beta=0.5), "fc")
    build.add("out", n.Output(), "lif")
    graph = build.build()
    x = {"in": np.ones((4, 1, 3))}
    assert parted(graph, FORMATS["netx-parts"], tmp_path / "net.parts", Setting(), x, lava=False) is None
    assert not list(tmp_path.iterdir())


def beside():
    """A loop through the host, linear layers that only it reads, and neurons with a reset that has to be allowed."""
    build = GraphBuilder("net")
    build.add("in", n.Input((3,), "spikes"))
    build.add("fc", n.Affine(np.eye(3)), "in")
    build.add("sum", n.Add(), "fc", later("exp"))
    build.add("loop", n.LIF(beta=0.5), "sum")
    build.add("exp", n.Host("exp"), "loop")
    build.add("fc2", n.Affine(np.eye(3)), "in")
    build.add("soft", n.LIF(beta=0.5, reset="subtract"), "fc2")
    build.add("fc3", n.Affine(np.eye(3)), "in")
    build.add("hard", n.LIF(beta=0.5), "fc3")
    build.add("head", n.Affine(np.eye(3)), "hard")
    for name in ("exp", "soft", "head"):
        build.add(f"{name}.answer", n.Output("sum"), name)
    return build.build()


def test_why(tmp_path):
    graph = beside()
    cut = cut_for_chip(graph, Setting())
    assert {name: why.said for name, why in cut.why.items()} == {
        "exp": "no chip does it",
        "loop": LOOP,
        "sum": LOOP,
        "fc": READ,
        "fc2": READ,
        "soft": "on the chip it resets to 0 where the graph subtracts the threshold: what was above it is lost",
        "head": READ,
    }
    allowed = cut_for_chip(graph, Setting(allow=("soft-reset",)))
    assert "soft" not in allowed.why
    assert "fc2" not in allowed.why
    build = GraphBuilder("none")
    build.add("in", n.Input((3,)))
    build.add("exp", n.Host("exp"), "in")
    build.add("out", n.Output(), "exp")
    with pytest.raises(Refused, match="no chip does it"):
        parted(build.build(), FORMATS["netx-parts"], tmp_path / "p", Setting(), {"in": np.ones((2, 1, 3))}, lava=False)


@pytest.fixture(scope="module")
def former():
    network = zoo.build("s3t_former", zoo.small_config("s3t_former"))
    example = torch.randn(4, 2, 3, 20, 1, generator=torch.Generator().manual_seed(0))
    return pipeline("simplify")(trace(network, {"skeleton": example}, time_axis=0, host=True, name="former")).graph


def test_every_neuron_and_every_map_of_s3t_former_but_its_head_is_the_chips(former):
    cut = cut_for_chip(former, Setting())
    kinds = {name: type(node).__name__ for name, node in former.nodes.items()}
    host = {name for name in cut.why if kinds[name] in ("LIF", "LeakyIntegrator", "Conv", "Contract", "Affine")}
    assert host == {"head_fc"}
    x = {"skeleton": np.random.default_rng(0).normal(size=(12, 2, 3, 20, 1))}
    split = split_for_chip(former, Setting(), x)
    for number, piece in enumerate(split.cut.pieces):
        if not piece.host:
            verdict = verify(piece.graph, split.mixed.parts[number].network, split.given(piece), at_least=0.0)
            assert min(node.match for node in verdict.nodes if node.spikes) > 0.97, verdict.text()


def test_neurons_in_the_shapes_of_layers_send_the_same(former):
    x = {"skeleton": np.random.default_rng(1).normal(size=(5, 2, 3, 20, 1))}
    turned = in_layer_shapes(former)
    assert turned.signals["blocks.0.mlp.lif1"].shape == (16, 1, 20)
    a, b = (simulate(each, x, record="spikes", dtype="float64") for each in (former, turned))
    for name, node in former.nodes.items():
        if isinstance(node, n.LIF):
            np.testing.assert_array_equal(a[name].values.ravel(), b[name].values.ravel())
    np.testing.assert_allclose(a.outputs["output"], b.outputs["output"], rtol=1e-12)


@pytest.mark.parametrize("target", ["netx", "lava", "nir"])
def test_shares_add_up(toy, given, target):
    found = shares_of(toy, given, target)
    steps = 24 * 2
    assert found.whole.dense == steps * (6 * 8 + 8 * 8 + 2 * 2 * 2 * 4)
    assert found.taken.dense == steps * (6 * 8 + 8 * 8)
    assert found.whole.nodes == sum(isinstance(node, n.Node) for node in toy.nodes.values()) - 2
    assert found.taken.neurons == found.whole.neurons == 2
    reasons = sum((work for _, work in found.reasons.values()), type(found.whole)())
    assert reasons + found.taken == found.whole
    assert found.reasons["matmul"][1].dense == steps * 2 * 2 * 2 * 4
    assert 0 < found.taken.effective < found.whole.effective


class Around(Toy):
    """The sum of a layer passes an attention in the membrane: neurons before and behind it need the same sum."""

    def forward(self, x):
        u = self.a(x)
        tokens = torch.unflatten(self.first(u), 2, (2, 4))
        mixed = torch.softmax(tokens @ tokens.transpose(-1, -2), -1) @ tokens
        return self.second(u + self.b(mixed.flatten(2)))


def test_a_sum_that_two_parts_need_is_in_both_and_counts_once(given):
    torch.manual_seed(1)
    graph = trace(Around(), torch.randn(6, 2, 6), time_axis=0, host=True, name="around")
    cut = cut_for_chip(graph, Setting(target="lava"))
    first, second = (set(piece.nodes) for piece in cut.chips)
    assert set(cut.copies.values()) == {"a"}
    (again,) = cut.copies
    assert {"a", again} <= first | second
    assert len(first & {"a", again}) == len(second & {"a", again}) == 1
    steps, wanted = 24 * 2, simulate(graph, given, dtype="float64").outputs["output"]
    np.testing.assert_array_equal(simulate(cut.flat, given, dtype="float64").outputs["output"], wanted)
    found = shares_of(graph, given, "lava")
    assert found.whole.dense == steps * (48 + 64 + 32)
    assert found.taken.dense == steps * (48 + 64)


def test_weights_of_which_rounding_leaves_next_to_nothing_are_the_host_s(monkeypatch):
    torch.manual_seed(1)
    graph = trace(Around(), torch.randn(6, 2, 6), time_axis=0, host=True, name="around")
    assert not {"a", "b"} & set(cut_for_chip(graph, Setting()).why)
    monkeypatch.setattr("spikeport.exporters.chip_cut.LEAST_SQNR", 200.0)
    cut = cut_for_chip(graph, Setting())
    assert cut.why["b"].said.endswith("dB above their rounding, on one scale with larger ones")
    assert {"first"} <= set(cut.chips[0].nodes), "what one layer alone drives is as fine as it can be"


class Beside(Toy):
    """The host needs the sum of a layer, and a neuron does too."""

    def forward(self, x):
        u = self.a(x)
        return self.second(self.b(self.first(u))) + torch.softmax(u, -1)


@pytest.mark.parametrize("target", ["netx", "lava"])
def test_a_sum_that_the_host_needs_as_well_is_the_host_s_in_the_table(given, target):
    torch.manual_seed(1)
    graph = trace(Beside(), torch.randn(6, 2, 6), time_axis=0, host=True, name="beside")
    cut = cut_for_chip(graph, Setting(target=target))
    assert any(cut.copies.get(name, name) == "a" for piece in cut.chips for name in piece.nodes)
    assert any(cut.copies.get(name, name) == "a" for piece in cut.pieces if piece.host for name in piece.nodes)
    found = shares_of(graph, given, target)
    assert found.whole.dense == 24 * 2 * (48 + 64)
    assert found.taken.dense == 24 * 2 * 64


def test_made_input_is_of_each_streams_kind():
    build = GraphBuilder("net")
    for name, carries in (("real", "graded"), ("spikes", "spikes")):
        build.add(name, n.Input((50,), carries))
        build.add(f"{name}.out", n.Output(), name)
    made = Input(None, None, 8).values(build.build())
    assert set(np.unique(made["spikes"])) == {0, 1}
    assert made["real"].min() < 0
    one = Input(None, "constant:3", 8).values(build.build())
    assert all((values == 3).all() for values in one.values())


def test_shares_of_another_target(toy, given):
    with pytest.raises(UsageError, match="'onnx'; expected netx, lava, nir"):
        shares_of(toy, given, "onnx")


def test_the_table(tmp_path, monkeypatch, toy):
    monkeypatch.chdir(tmp_path)
    save(toy, "toy.graph")
    found = data("parts", "toy.graph", "--steps", "4", "--json")
    assert [part["host"] for part in found["parts"]] == [False, True, False]
    assert found["taken"]["dense"] == 4 * (48 + 64)
    code, out, _ = run("parts", "toy.graph", "--steps", "4", "--target", "nir")
    assert code == 0
    assert "toy: nir takes 2 parts with 77.8 % of all pairs" in out
    assert max(map(len, out.splitlines())) <= 80
