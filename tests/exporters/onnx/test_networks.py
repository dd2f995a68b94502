"""Networks as torch and ONNX Runtime write them, read and compared with ONNX Runtime."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from spikeport.exporters.onnx.reading import Read, read_foreign
from spikeport.toolchain.graph.nodes import Host
from spikeport.toolchain.simulate import simulate
from support.foreign_models import model, node
from torch import nn
from torch.nn import functional


class Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.gate = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Any) -> Any:
        y = x + self.second(functional.hardswish(self.norm(self.first(x))))
        return torch.relu(y * functional.hardsigmoid(self.gate(functional.adaptive_avg_pool2d(y, 1))))


class Shuffled(nn.Module):
    """Channels shuffled by views that are worked out from shapes, halves that gate one another."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 1, groups=2)
        self.head = nn.Linear(128, 3)

    def forward(self, x: Any) -> Any:
        x = self.conv(x)
        b, c, h, w = x.shape
        a, d = x.view(b, 2, c // 2, h, w).transpose(1, 2).contiguous().view(b, -1, h, w).chunk(2, 1)
        padded = functional.pad(a, (1, 1, 1, 1), mode="reflect")[:, :, 1:-1, 1:-1]
        return self.head((padded * torch.sigmoid(d)).reshape(b, -1))


class Vision(nn.Module):
    """A transformer over patches with a class token; its own attention folds the batch with time and with the heads."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, 4)
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu")
        self.masked = nn.MultiheadAttention(8, 2, batch_first=True)
        self.register_buffer("mask", torch.triu(torch.full((5, 5), float("-inf")), 1))
        self.head = nn.Linear(8, 4)

    def forward(self, x: Any) -> Any:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = self.block(torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1))
        x = self.masked(x, x, x, attn_mask=self.mask, need_weights=False)[0]
        return self.head(x.mean(1))


def convolutional() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU6(), Residual(8), nn.MaxPool2d(3, 2, 1)),
        *(nn.ConvTranspose2d(8, 6, 2, 2), nn.GroupNorm(2, 6), nn.GELU(), nn.AvgPool2d(2, ceil_mode=True)),
        *(nn.Dropout(), nn.Flatten(), nn.Linear(96, 10), nn.LogSoftmax(-1)),
    )


NETWORKS: dict[str, tuple[Any, tuple[int, ...], tuple[int, ...]]] = {
    "convolutional": (convolutional, (3, 16, 16), (9, 13, 20)),
    "shuffled": (Shuffled, (4, 8, 8), (11, 17)),
    "vision": (Vision, (3, 8, 8), (17,)),
}


def exported(module: nn.Module, shape: tuple[int, ...], file: Path, opset: int, *, free: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says that its exporter is an old one
        axes = {"x": {0: "N"}} if free else None
        x = torch.randn(2, *shape)
        torch.onnx.export(
            module.eval(), (x,), str(file), dynamo=False, opset_version=opset, dynamic_axes=axes, input_names=["x"]
        )


def exported_anew(module: nn.Module, shape: tuple[int, ...], file: Path, *, free: bool) -> None:
    """By torch's newer exporter, which writes functions, and weights beside the model."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # torch warns of what it deprecates in itself
        sizes = ({0: torch.export.Dim("batch")},) if free else None
        x = torch.randn(2, *shape)
        torch.onnx.export(module.eval(), (x,), str(file), dynamo=True, dynamic_shapes=sizes, input_names=["x"])


def agrees(file: Path, found: Read, batch: int, tolerance: float = 1e-5) -> None:
    x = np.random.default_rng(3).normal(size=(batch, *found.graph.nodes["x"].shape)).astype(np.float32)
    (theirs,) = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"]).run(None, {"x": x})
    (ours,) = simulate(found.graph, x[None]).outputs.values()
    np.testing.assert_allclose(ours[0], theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    ("name", "opset"), [(name, opset) for name, (_, _, opsets) in NETWORKS.items() for opset in opsets]
)
def test_torch_networks(name: str, opset: int, tmp_path: Path) -> None:
    """With a batch of any size, and with one that the file fixes."""
    make, shape, _ = NETWORKS[name]
    torch.manual_seed(0)
    module, file = make(), tmp_path / "net.onnx"
    for free in (True, False):
        exported(module, shape, file, opset, free=free)
        found = read_foreign(file)
        agrees(file, found, 3 if free else 2)
        assert [remark for remark in found.remarks if "infinity" not in remark] == []
        assert ("-infinity" in "".join(found.remarks)) == (name == "vision")


@pytest.mark.parametrize(("name", "free"), [("convolutional", True), ("shuffled", False)])
def test_networks_by_the_newer_exporter(name: str, free: bool, tmp_path: Path) -> None:
    make, shape, _ = NETWORKS[name]
    torch.manual_seed(0)
    file = tmp_path / "net.onnx"
    exported_anew(make(), shape, file, free=free)
    found = read_foreign(file)
    assert found.remarks == ()
    agrees(file, found, 3 if free else 2)


def test_shapes_leave_nothing_behind(tmp_path: Path) -> None:
    """What exporters write to work shapes out is gone, and what a chip can do is not on the host."""
    torch.manual_seed(0)
    exported(Shuffled(), (4, 8, 8), tmp_path / "net.onnx", 17, free=True)
    graph = read_foreign(tmp_path / "net.onnx").graph
    assert not any(isinstance(each, Host) for each in graph.nodes.values())
    assert len(graph.nodes) <= 20


def test_a_quantised_network(tmp_path: Path) -> None:
    """ONNX Runtime's own static quantisation, with Q/DQ around every layer and whole numbers as weights."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

    class Calibration(CalibrationDataReader):
        rows = iter([{"x": np.random.default_rng(k).normal(size=(4, 3, 8, 8)).astype(np.float32)} for k in range(3)])

        def get_next(self) -> Any:
            return next(self.rows, None)

    torch.manual_seed(1)
    module = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(54, 5))
    plain, quantised = tmp_path / "net.onnx", tmp_path / "quantised.onnx"
    exported(module, (3, 8, 8), plain, 17, free=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantize_static(str(plain), str(quantised), Calibration(), quant_format=QuantFormat.QDQ, per_channel=True)
    found = read_foreign(quantised)
    functions = [getattr(each, "function", "") for each in found.graph.nodes.values()]
    assert functions.count("quantise") >= 3
    agrees(quantised, found, 5)


@pytest.mark.parametrize(
    ("equation", "shape"), [("...i,ij->...j", (5, 6)), ("nc...,...->nc...", (4, 5)), ("b...i,ij->b...j", (5, 2))]
)
def test_equations_with_axes_that_have_no_letter(equation: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    c = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    made = model([node("Einsum", "x c", "y", equation=equation)], {"c": c}, x=("N", 3, 4, 5))
    (tmp_path / "net.onnx").write_bytes(made.SerializeToString())
    agrees(tmp_path / "net.onnx", read_foreign(tmp_path / "net.onnx"), 2)


def test_without_a_batch(tmp_path: Path) -> None:
    """A sample is the whole tensor of the file, its first axis too."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 3), nn.Tanh())
    exported(module, (4,), tmp_path / "net.onnx", 17, free=False)
    graph = read_foreign(tmp_path / "net.onnx", batch="none").graph
    assert graph.nodes["x"].shape == (2, 4)
    x = np.random.default_rng(0).normal(size=(2, 4)).astype(np.float32)
    (ours,) = simulate(graph, x[None, None]).outputs.values()
    np.testing.assert_allclose(ours[0, 0], module(torch.tensor(x)).detach().numpy(), atol=1e-6)
