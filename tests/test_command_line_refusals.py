"""What is wrong with a call of `spikeport` is explained in one message: exit code 2, nothing written, nothing run."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from support.command_line import run, user_folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return user_folder(tmp_path, monkeypatch)


class Payload:
    """What runs when a pickle is trusted."""

    def __reduce__(self) -> tuple:
        return os.mkdir, ("owned",)


def test_weights_that_are_hostile_or_do_not_fit_are_bad_input(here: Path) -> None:
    good = {
        "0.weight": torch.zeros(5, 6),
        "0.bias": torch.zeros(5),
        "2.weight": torch.zeros(2, 5),
        "2.bias": torch.zeros(2),
    }
    torch.save({**good, "extra": Payload()}, "pickle.pt")
    torch.save(Payload(), "payload.pth")
    save_file({**good, "0.bias": torch.full((5,), torch.nan)}, "nan.safetensors")
    save_file({**good, "0.bias": torch.zeros(6)}, "shape.safetensors")
    save_file(good | {"3.bias": torch.zeros(1)}, "extra.safetensors")
    Path("huge.safetensors").write_bytes((1 << 62).to_bytes(8, "little") + b"{}")
    Path("cut.safetensors").write_bytes(Path("nan.safetensors").read_bytes()[:-1])
    Path("empty.safetensors").write_bytes(b"")
    Path("words.txt").write_text("0.weight")
    messages = {
        "pickle.pt": "holds something that is not plain weights",
        "payload.pth": "holds something that is not plain weights",
        "nan.safetensors": "0.bias holds NaN or infinity; expected finite weights",
        "shape.safetensors": "0.bias has shape [6]; expected [5]",
        "extra.safetensors": "weights of another network: unknown 3.bias",
        "huge.safetensors": "no safetensors file: a header of",
        "cut.safetensors": "a broken safetensors file",
        "empty.safetensors": "no safetensors file: 0 bytes",
        "words.txt": "the suffix '.txt'; expected .safetensors, .pt or .pth",
        "absent.pt": "cannot be read (No such file or directory)",
    }
    for file, message in messages.items():
        code, out, err = run("inspect", "networks:steps", "--shape", "6", "--weights", file)
        assert (code, out) == (2, ""), file
        assert err.startswith(f"error: {file}: {message}"), err
    for file in ("huge.safetensors", "cut.safetensors", "empty.safetensors", "absent.safetensors"):
        code, out, err = run("inspect", file)
        assert (code, out) == (2, ""), file
        assert err.startswith(f"error: {file}: "), err
    assert not Path("owned").exists()


FAILURES = {
    "inspect nothing": "error: nothing: is no SOURCE; expected a name of the zoo (ann_convnet, event_convnet,",
    "inspect a.pt": "error: a.pt: is no SOURCE; expected a name of the zoo (ann_convnet, event_convnet, s3t_former, ",
    "models nothing": "error: zoo: no network 'nothing'; expected one of ann_convnet, event_convnet, s3t_former,",
    "models -o x.safetensors": "error: --output: a file and no network; expected the name of one. Say which:",
    "models --trained": "error: --trained: no network; expected the name of one. Say which: spikeport models NAME --t",
    "models --trained -o x.safetensors": "error: --output: a file and no network; expected the name of one. Say which:",
    "models nothing --trained": "error: zoo: no network 'nothing'; expected one of ann_convnet, event_convnet,",
    "models spiking_fusion --trained --seed 0": "error: --seed: draws weights, and --trained has them. Leave one",
    "models spiking_fusion --trained -o x.pt": "error: --output: 'x.pt'; expected a name that ends in .safetensors",
    "models event_convnet --trained -o x.safetensors": (
        "error: event_convnet: comes without trained weights; expected spiking_fusion. "
        "Train it: spikeport train event_convnet\n"
    ),
    "models s3t_former --trained": (
        "error: s3t_former: comes without trained weights; expected spiking_fusion. "
        "Train it: spikeport train s3t_former --data DIR\n"
    ),
    "models event_convnet -o x.pt": "error: --output: 'x.pt'; expected a name that ends in .safetensors",
    "demo -o small.graph": "error: small.graph: cannot be a folder: File exists. Choose another for -o",
    "inspect nothing.graph": "error: nothing.graph: is not there; expected a .graph file",
    "inspect networks:number": "error: networks:number: gives a value of type int; expected a torch module, or",
    "inspect networks:steps": "error: networks:steps: gives a module and no example of its input. Say --shape, or",
    "inspect networks:broken": "error: networks:broken: cannot be made: ValueError: no luck today. --debug shows where",
    "inspect networks:leaves": "error: networks:leaves: cannot be made: SystemExit: 3. --debug shows where",
    "inspect networks:absent": "error: networks:absent: cannot be made: AttributeError: module 'networks' has no",
    "inspect nowhere:f": (
        "error: nowhere:f: cannot be made: ModuleNotFoundError: No module named 'nowhere'. See that it is"
    ),
    "inspect networks:steps --shape 6,x": "error: --shape: '6,x'; expected whole numbers of at least 1 with commas",
    "inspect networks:steps --shape 7": "error: Sequential: the module fails on the example: ",
    "inspect networks:steps --shape 6 --carries ducks": "error: carries: 'ducks'; expected spikes, graded or int",
    "inspect small.graph --passes magic": "error: pass: 'magic'; expected inline_subgraphs or",
    "inspect small.graph --weights w.safetensors": "error: --weights: a file of weights beside small.graph, which",
    "run small.graph --made noise:1": "error: --made: 'noise:1'; expected poisson:NUMBER",
    "run small.graph --input no.npy": "error: no.npy: there is no such file; expected a .npy or .npz file",
    "run small.graph --backend magic": "error: backend: 'magic'; expected reference, onnxruntime, fixed, lava",
    "run small.graph --backend fixed": "error: backend: 'fixed' for a graph in real numbers; expected refere",
    "run chip.graph --backend reference": "error: backend: 'reference' for a chip graph; expected fixed or",
    "run chip.graph --dtype float32": "error: dtype: float32; expected none: a chip graph is computed in",
    "run chip.graph --made normal:1": "error: in: -1.0 in step 0, sample 0, at [0,0,4]; expected spikes, as the input",
    "run chip.graph --plot x.bmp": "error: --plot: 'x.bmp'; expected a name that ends in .png or .svg or .pdf",
    "run chip.graph --plot no/x.png": "error: no/x.png: the folder ",
    "run chip.graph --plot x.png --trace conv[1]": "error: --trace: 'conv', a Conv; expected a neuron w",
    "run chip.graph --plot x.png --trace lif[4,0,0]": "error: --trace: 'lif[4,0,0]'; expected a place in",
    "run chip.graph --plot x.png --sample 1": "error: --sample: 1; expected 0 to 0: there are 1 samples",
    "run chip.graph --trace lif": "error: --trace: no picture to draw it in; expected --plot with the name of",
    "run chip.graph --dt 0.1": "error: --dt: without a file of events; expected --input",
    "run chip.graph --input events.npy --dt 0": "error: --dt: 0; expected a positive number of seconds",
    "run chip.graph --input events.npy --unit h": "error: --unit: 'h'; expected s, ms, us, ns",
    "inspect chip.graph --passes simplify": "error: chip.graph: is a chip graph, in the integers of a chip; ex",
    "inspect chip.graph --explain": "error: chip.graph: is a chip graph, in the integers of a chip; expected a g",
    "convert chip.graph --passes lower": "error: chip.graph: is a chip graph, in the integers of a chip; exp",
    "run small.graph --dtype float16": "error: dtype: float16; expected float32 or float64",
    "run small.graph --record nobody": "error: record: 'nobody'; expected a node, perhaps with .voltage or .current",
    "run small.graph -o x.npy": "error: --output: 'x.npy'; expected a name that ends in .npz",
    "run small.graph -o no/x.npz": "error: no/x.npz: the folder ",
    "convert small.graph --to graph,tarot": "error: --to: 'tarot'; expected one or more of: graph, ",
    "convert small.graph -o small.graph": "error: small.graph: cannot be a folder: File exists. Choose another",
    "bench nothing": "error: bench: 'nothing'; expected ",
}


@pytest.mark.parametrize("call", FAILURES)
def test_bad_input_ends_with_two_one_message_and_no_file(here: Path, call: str) -> None:
    before = sorted(os.listdir())
    code, out, err = run(*call.split())
    assert (code, out) == (2, "")
    assert err.startswith(FAILURES[call]), err
    assert sorted(name for name in os.listdir() if name != "__pycache__") == before


def test_a_file_that_is_cut_short_or_changed_is_bad_input(here: Path) -> None:
    whole = Path("small.graph").read_bytes()
    for size in range(0, len(whole), max(1, len(whole) // 40)):
        Path("cut.graph").write_bytes(whole[:size])
        code, out, err = run("inspect", "cut.graph")
        assert (code, out) == (2, ""), size
        assert err.startswith("error: cut.graph: ")


def test_an_input_of_the_wrong_shape_is_bad_input(here: Path) -> None:
    events = np.zeros((3, 1, 2, 6, 5))
    np.save("narrow.npy", events)
    code, _, err = run("run", "small.graph", "--input", "narrow.npy")
    assert code == 2
    assert err == "error: in: an input of shape [3,1,2,6,5]; expected [T,B,2,6,6]\n"
