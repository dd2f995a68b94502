"""`spikeport data`: made data listed, shown, and written as other commands read them."""

import json

import pytest
from spikeport.__main__ import app
from spikeport.models.data.made import DATA
from typer.testing import CliRunner


def run(*arguments):
    done = CliRunner().invoke(app, list(arguments), prog_name="spikeport")
    said = [line for line in done.stderr.splitlines() if not line.endswith(" …")]
    return done.exit_code, done.stdout, "\n".join(said)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("data", "nothing"), "data: no data 'nothing'; expected one of moving_shapes, shape_frames, burst_orders"),
        (("data", "burst_orders", "-o", "x.npy"), "--output: 'x.npy'; expected a name that ends in .npz"),
        (("data", "burst_orders", "--part", "exam"), "data: a part 'exam'; expected one of train, validation, test"),
        (("data", "-o", "x.npz"), "--output: a file and no data; expected the name of some"),
    ],
)
def test_messages(arguments, message):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_data_is_listed_shown_and_written_as_run_reads_it(tmp_path):
    assert all(name in run("data")[1] for name in DATA)
    path = tmp_path / "bursts.npz"
    code, out, _ = run("data", "burst_orders", "--samples", "5", "-o", str(path))
    assert code == 0
    assert f"written:{path}(inputs,labels)" in "".join(out.split())
    code, out, err = run("run", "sequence_rnn", "--input", str(path), "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["batch"] == 5
