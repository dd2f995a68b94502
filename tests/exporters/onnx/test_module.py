"""torch modules that tracing refuses, written by torch's own exporter and checked against the module."""

import numpy as np
import onnx
import pytest
import torch
from spikeport.exporters.onnx_file import export_module
from spikeport.toolchain.errors import FileError
from support.onnx_models import session
from torch import nn


class Sorted(nn.Module):
    """No graph sorts."""

    def __init__(self):
        super().__init__()
        self.fc, self.drop = nn.Linear(4, 6), nn.Dropout(0.5)

    def forward(self, x):
        return self.drop(self.fc(x)).sort(-1).values


class Stepped(nn.Module):
    """A loop over time, which the exporter unrolls, and then calls the number of steps open all the same."""

    def forward(self, x):
        v, sent = torch.zeros_like(x[0]), []
        for row in x:
            v = 0.5 * v + row
            sent.append(v.sort(-1).values)
        return torch.stack(sent), v


class Decides(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


def test_it_is_written_checked_and_open_in_its_batch(tmp_path):
    torch.manual_seed(0)
    module, x = Sorted(), torch.rand(3, 2, 4)
    remarks = export_module(module, x, tmp_path / "m.onnx")
    assert module.training
    assert module.drop.training
    assert "open sizes: axis 0 and 1" in remarks[0]
    assert remarks[1].startswith("ONNX Runtime answers as the module does on the example, off by at most ")
    module.eval()
    other = torch.rand(5, 7, 4)
    running = session(str(tmp_path / "m.onnx"))
    (found,) = running.run(None, {running.get_inputs()[0].name: other.numpy()})
    np.testing.assert_allclose(found, module(other).detach().numpy(), atol=1e-5)
    assert b".py" not in (tmp_path / "m.onnx").read_bytes()  # no path of the machine it was written on
    onnx.checker.check_model(onnx.load(tmp_path / "m.onnx"), full_check=True)


def test_an_axis_that_a_loop_ran_over_is_not_called_open(tmp_path):
    remarks = export_module(Stepped(), torch.rand(3, 2, 4), tmp_path / "m.onnx")
    assert "open sizes: axis 1" in remarks[0]
    sizes = session(str(tmp_path / "m.onnx")).get_inputs()[0].shape
    assert sizes[0] == 3
    assert isinstance(sizes[1], str)


def test_what_the_exporter_refuses_is_one_message(tmp_path, capfd: pytest.CaptureFixture[str]):
    with pytest.raises(FileError) as caught:
        export_module(Decides(), torch.ones(2, 3), tmp_path / "m.onnx")
    assert "torch's exporter cannot write it: Could not guard on data-dependent expression" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_the_name_says_what_it_is(tmp_path):
    with pytest.raises(FileError, match=r"expected a name that ends in \.onnx"):
        export_module(Sorted(), torch.rand(2, 4), tmp_path / "m.pt")
