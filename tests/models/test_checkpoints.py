"""Checkpoints: what is written comes back, in the same bytes; whatever else is in a file ends in one FileError."""

import json
import os
import pickle
import struct

import pytest
import torch
from safetensors.torch import save_file
from spikeport.models import zoo
from spikeport.models.checkpoints import Checkpoint, load_checkpoint, load_weights, save_checkpoint
from spikeport.models.sources import network_of
from spikeport.toolchain.errors import FileError

SMALL = {"size": 8, "channels": [2, 3], "classes": 4}


@pytest.fixture
def made(tmp_path):
    config = zoo.config_of("event_convnet", SMALL)
    network = zoo.build("event_convnet", config, seed=5)
    about = Checkpoint("event_convnet", config, 5, {"accuracy": 0.5})
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, network, about)
    return path, network, about


def header(path):
    raw = path.read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    return json.loads(raw[8 : 8 + length]), raw[8 + length :]


def rewrite(path, change):
    """Writes the file again with its header changed, lengths right."""
    head, body = header(path)
    head = change(head) or head
    text = json.dumps(head).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def with_config(path, **changes):
    def change(head):
        said = json.loads(head["__metadata__"]["spikeport"])
        head["__metadata__"]["spikeport"] = json.dumps({**said, **changes})

    rewrite(path, change)


def twice(path, name):
    """Gives the header a second entry of this name, as good as the first."""
    head, body = header(path)
    text = f"{json.dumps(head)[:-1]}, {json.dumps({name: head[name]})[1:]}".encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def with_tensor(path, name, tensor):
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        tensors = {key: file.get_tensor(key).clone() for key in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    if tensor is None:
        del tensors[name]
    else:
        tensors[name] = tensor
    save_file(tensors, path, metadata)


def test_what_is_written_comes_back(made):
    path, network, about = made
    found, said = load_checkpoint(path)
    assert said == about
    assert not found.training
    x = (torch.rand(6, 2, 2, 8, 8) < 0.3).float()
    assert torch.equal(found(x), network(x))
    assert all(weight.requires_grad and not weight.is_meta for weight in found.parameters())


def test_equal_networks_give_equal_bytes(made, tmp_path):
    path = made[0]
    again = tmp_path / "again.safetensors"
    save_checkpoint(again, *load_checkpoint(path))
    assert again.read_bytes() == path.read_bytes()
    assert header(path)[0]["__metadata__"]["spikeport"] == (
        '{"config":{"beta":0.8,"channels":[2,3],"classes":4,"inputs":2,"size":8,"slope":2.0,"threshold":1.0},'
        '"format":1,"metrics":{"accuracy":0.5},"model":"event_convnet","seed":5}'
    )


def test_a_checkpoint_is_a_source(made):
    path, network, _ = made
    found = network_of(str(path))
    assert found.name == "event_convnet"
    assert found.takes["input"].shape == (2, 8, 8)
    for ours, theirs in zip(found.module.parameters(), network.parameters(), strict=True):
        assert torch.equal(ours, theirs)


FIRST = "features.0.layer.weight"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: p.unlink(), "cannot be read"),
        (lambda p: p.write_bytes(b""), "no safetensors file: 0 bytes"),
        (lambda p: p.write_bytes(p.read_bytes()[:20]), "a header of .* bytes in a file of 20"),
        (lambda p: p.write_bytes(p.read_bytes()[:-5]), "a broken safetensors file"),
        (lambda p: p.write_bytes(p.read_bytes() + b"more"), "a broken safetensors file"),
        (lambda p: p.write_bytes(struct.pack("<Q", 1 << 62) + b"{}"), "a header of 4611686018427387904 bytes"),
        (lambda p: p.write_bytes(struct.pack("<Q", 20) + b"x" * 40), "its header is not JSON"),
        (lambda p: p.write_bytes(struct.pack("<Q", 9000) + b"[" * 9000), "its header is not JSON"),
        (lambda p: p.write_bytes(struct.pack("<Q", 2) + b"[]"), "its metadata is not a small object"),
        (lambda p: rewrite(p, lambda h: h["__metadata__"].update(more="x" * (2 << 20))), "its metadata is not a small"),
        (lambda p: rewrite(p, lambda h: {k: v for k, v in h.items() if k[0] != "_"}), "weights without a config"),
        (lambda p: rewrite(p, lambda h: h["__metadata__"].update(spikeport="{")), "a config that is not JSON"),
        (lambda p: rewrite(p, lambda h: h["__metadata__"].update(spikeport="[" * 90000)), "a config that is not JSON"),
        (lambda p: rewrite(p, lambda h: h["__metadata__"].update(spikeport="{}")), "a config of another form"),
        (lambda p: rewrite(p, lambda h: h[FIRST].update(shape=[1 << 40, 1 << 40])), "a broken safetensors file"),
        (lambda p: rewrite(p, lambda h: h[FIRST].update(data_offsets=[0, 1 << 50])), "a broken safetensors file"),
        (lambda p: rewrite(p, lambda h: h[FIRST].update(dtype="F99")), "a broken safetensors file"),
        (lambda p: with_config(p, format=2), "format 2; expected format 1"),
        (
            lambda p: with_config(p, model="resnet"),
            "zoo: no network 'resnet'; expected one of ann_convnet, event_convnet",
        ),
        (
            lambda p: with_config(p, model="sequence_rnn", config={}),
            "weights of another network: no hidden.input_weight",
        ),
        (lambda p: with_config(p, model=["event_convnet"]), r"model = \['event_convnet'\] in the config"),
        (lambda p: with_config(p, seed=-1), "a seed or metrics out of range"),
        (lambda p: with_config(p, metrics={"accuracy": "good"}), "a seed or metrics out of range"),
        (lambda p: with_config(p, metrics={"accuracy": float("nan")}), "a seed or metrics out of range"),
        (lambda p: with_config(p, metrics={"accuracy": 10**400}), "a seed or metrics out of range"),
        (lambda p: with_config(p, training={"rate": float("inf")}), "training that is not texts and numbers"),
        (
            lambda p: with_config(p, model="signal_sgn", config={"channels": [8] * 40}),
            "channels of 40 layers in the config; expected no more than its 3 weights",
        ),
        (lambda p: twice(p, FIRST), f"no safetensors file: {FIRST} is in its header twice"),
        (lambda p: with_config(p, config={"classes": 10**12}), "of 1 to 4096 channels"),
        (lambda p: with_config(p, config={**SMALL, "classes": 5}), r"has shape \[4, 12\]; expected \[5, 12\]"),
        (lambda p: with_tensor(p, FIRST, None), f"weights of another network: no {FIRST}"),
        (lambda p: with_tensor(p, "more", torch.zeros(2)), "weights of another network: unknown more"),
        (lambda p: with_tensor(p, FIRST, torch.zeros(2, 3)), rf"{FIRST} has shape \[2, 3\]; expected \[2, 2, 3, 3\]"),
        (lambda p: with_tensor(p, FIRST, torch.full((2, 2, 3, 3), torch.nan)), f"{FIRST} holds NaN or infinity"),
        (lambda p: with_tensor(p, FIRST, torch.full((2, 2, 3, 3), torch.inf)), f"{FIRST} holds NaN or infinity"),
        (lambda p: with_tensor(p, FIRST, torch.zeros(2, 2, 3, 3).half()), f"{FIRST} is float16; expected float32"),
    ],
)
def test_spoiled_checkpoints_end_in_one_message(made, spoil, message):
    path = made[0]
    spoil(path)
    with pytest.raises(FileError, match=message) as caught:
        load_checkpoint(path)
    assert caught.value.where == str(path)
    assert len(str(caught.value)) < 1000


def test_nothing_is_left_of_a_checkpoint_that_cannot_be_written(tmp_path):
    config = zoo.config_of("event_convnet", SMALL)
    network = zoo.build("event_convnet", config)
    with torch.no_grad():
        network.classify.weight[0, 0] = torch.nan
    with pytest.raises(FileError, match=r"classify.weight holds NaN or infinity"):
        save_checkpoint(tmp_path / "net.safetensors", network, Checkpoint("event_convnet", config))
    assert list(tmp_path.iterdir()) == []


class Attack:
    def __reduce__(self):
        return os.mkdir, ("pwned",)


def pickled(path, value):
    path.write_bytes(pickle.dumps(value))


def linear():
    return torch.nn.Linear(3, 2)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: torch.save({"weight": Attack()}, p), r"not plain weights \(UnpicklingError\)"),
        (lambda p: pickled(p, {"weight": Attack()}), r"not plain weights"),
        (lambda p: torch.save(linear(), p), "not plain weights"),
        (lambda p: p.write_bytes(b"PK\x03\x04" + b"\0" * 50), "not plain weights"),
        (lambda p: p.write_bytes(b""), "not plain weights"),
        (lambda _: None, "cannot be read"),
        (lambda p: torch.save([torch.zeros(2)], p), "no tensors by name; expected a state_dict"),
        (lambda p: torch.save({"weight": torch.zeros(2, 3), "bias": 3}, p), "no tensors by name"),
        (lambda p: torch.save({"weight": torch.zeros(2, 3).to_sparse(), "bias": torch.zeros(2)}, p), "no tensors by"),
        (lambda p: torch.save({"weight": torch.zeros(2, 3)}, p), "weights of another network: no bias"),
        (
            lambda p: torch.save({"weight": torch.zeros(()).expand(1 << 30, 1 << 30), "bias": torch.zeros(2)}, p),
            r"weight has shape \[1073741824, 1073741824\]; expected \[2, 3\]",
        ),
        (
            lambda p: torch.save({"weight": torch.zeros(2, 3).double(), "bias": torch.zeros(2)}, p),
            "weight is float64; expected float32. Convert it before",
        ),
        (
            lambda p: torch.save({"weight": torch.full((2, 3), torch.nan), "bias": torch.zeros(2)}, p),
            "weight holds NaN or infinity",
        ),
    ],
)
def test_spoiled_torch_files_end_in_one_message(tmp_path, monkeypatch, spoil, message):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "weights.pt"
    spoil(path)
    module = linear()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    with pytest.raises(FileError, match=message):
        load_weights(module, path)
    assert not (tmp_path / "pwned").exists()
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())


@pytest.mark.parametrize("wrap", [lambda state: state, lambda state: {"state_dict": state}])
def test_weights_of_torch_and_safetensors_files(tmp_path, wrap):
    trained = linear()
    torch.save(wrap(trained.state_dict()), tmp_path / "weights.pth")
    save_file(trained.state_dict(), tmp_path / "weights.safetensors")
    for name in ("weights.pth", "weights.safetensors"):
        module = linear()
        load_weights(module, tmp_path / name)
        assert torch.equal(module.weight, trained.weight)
        assert torch.equal(module.bias, trained.bias)


def test_half_precision_weights_are_widened_exactly(tmp_path):
    half = {name: tensor.half() for name, tensor in linear().state_dict().items()}
    torch.save(half, tmp_path / "weights.pt")
    module = linear()
    load_weights(module, tmp_path / "weights.pt")
    assert torch.equal(module.weight, half["weight"].float())


def test_other_suffixes_are_refused(tmp_path):
    with pytest.raises(FileError, match=r"the suffix '.npy'; expected .safetensors, .pt or .pth"):
        load_weights(linear(), tmp_path / "weights.npy")
