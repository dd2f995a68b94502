"""Results, exit codes and messages of a command, whatever it does inside."""

import json
import os
import subprocess
import sys
import time
from typing import Annotated

import numpy as np
import pytest
import typer
from rich.table import Table
from spikeport.toolchain.console import Exit, Result, command, explained, explanation, working
from spikeport.toolchain.errors import FileError, Refused, SpikeportError
from typer.testing import CliRunner

app = typer.Typer()
FAILURES = {
    "ours": FileError("net.graph", "holds 3 bytes", "a graph", "write it again"),
    "many": Refused("net", [SpikeportError("a", "is odd"), SpikeportError("b", "is even")]),
    "stop": KeyboardInterrupt(),
    "memory": MemoryError(),
    "numpy": np._core._exceptions._ArrayMemoryError((10**9,), np.dtype("f8")),
    "torch": RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."),
    "file": FileNotFoundError(2, "No such file or directory", "in.npy"),
    "bug": KeyError("secret"),
    "quiet": ZeroDivisionError(),
}


@app.command("other")
def other() -> None:
    """Makes the app one with several commands."""


@command(app, "say", "Look")
def say(word: Annotated[str, typer.Argument(help="What to say.")], good: bool = True) -> Result:
    """Says a word."""
    print("noise of an imported module")
    if word in FAILURES:
        raise FAILURES[word]
    table = Table("word", "length")
    table.add_row(word, str(len(word)))
    return Result({"word": word, "length": len(word)}, table, good)


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["say", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_a_result_is_a_table_on_stdout_without_colour_codes() -> None:
    code, out, err = run("spike")
    assert code == 0
    assert "spike" in out
    assert "┃ length ┃" in out
    assert "\x1b" not in out
    assert err == "noise of an imported module\n"


def test_json_is_one_object_on_stdout_and_nothing_else() -> None:
    code, out, _ = run("σ", "--json")
    assert code == 0
    assert out == '{"word": "σ", "length": 1}\n'
    assert json.loads(out) == {"word": "σ", "length": 1}


def test_a_check_that_failed_ends_with_one_and_still_shows_its_result() -> None:
    code, out, _ = run("spike", "--no-good", "--json")
    assert code == Exit.CHECK_FAILED == 1
    assert json.loads(out)["word"] == "spike"


MESSAGES = {
    "ours": (2, "error: net.graph: holds 3 bytes; expected a graph. Write it again"),
    "many": (2, "error: net: refused for 2 reasons:\n  - a: is odd\n  - b: is even"),
    "stop": (130, "stopped"),
    "memory": (2, "error: the memory of this machine is not enough for this. Take fewer steps or a smaller batch"),
    "numpy": (2, "error: the memory of this machine is not enough for this."),
    "torch": (2, "error: the memory of this machine is not enough for this."),
    "file": (2, "error: in.npy: No such file or directory"),
    "bug": (70, "internal error: KeyError: 'secret'. This is a mistake of Spikeport's: please report it with what"),
    "quiet": (70, "internal error: ZeroDivisionError. This is a mistake of Spikeport's"),
}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("json_only", [False, True])
def test_a_failure_is_one_message_on_stderr_and_nothing_on_stdout(failure: str, json_only: bool) -> None:
    code, out, err = run(failure, *(["--json"] if json_only else []))
    expected_code, message = MESSAGES[failure]
    assert code == expected_code
    assert out == ""
    assert err.removeprefix("noise of an imported module\n").startswith(message)
    assert "Traceback" not in err


@pytest.mark.parametrize("failure", ["ours", "bug"])
def test_debug_shows_the_traceback_and_the_same_message(failure: str) -> None:
    code, out, err = run(failure, "--debug")
    assert code == MESSAGES[failure][0]
    assert out == ""
    assert "Traceback (most recent call last)" in err
    assert "raise FAILURES[word]" in err
    assert MESSAGES[failure][1] in err


def test_help_shows_the_shared_options_and_wrong_usage_ends_with_two() -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert "Print one JSON object, and nothing else." in out
    assert "--debug" in out
    code, out, err = run("--loud")
    assert (code, out) == (2, "")
    assert "--loud" in err


def test_an_error_of_the_system_without_a_file_is_ours_to_explain() -> None:
    code, text = explanation(OSError(5, "Input/output error"))
    assert code == Exit.OUR_MISTAKE
    assert text.startswith("internal error: OSError: [Errno 5] Input/output error")


def test_long_work_says_what_it_is_and_short_work_says_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spikeport.toolchain.console.PATIENCE_S", 0.05)
    with working("tracing net"):
        time.sleep(0.5)
    with working("nothing"):
        pass
    time.sleep(0.1)
    assert capsys.readouterr() == ("", "tracing net …\n")


def test_a_reader_that_left_is_no_error() -> None:
    """`spikeport … | head -1` ends without a message, whatever was still to be written."""
    code = (
        "import sys; from spikeport.toolchain.console import *; import typer\n"
        "app = typer.Typer()\n"
        "command(app, 'long', 'Look')(lambda: Result({'numbers': list(range(100000))}, ''))\n"
        "app()"
    )
    # Unbuffered, Python forgets the rest of a write that was cut short, and never hears that the reader has gone.
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    call = [sys.executable, "-c", code, "--json"]
    writer = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=buffered)
    assert writer.stdout is not None
    assert writer.stderr is not None
    writer.stdout.read(10)
    writer.stdout.close()
    assert writer.stderr.read() == ""
    writer.stderr.close()
    assert writer.wait() == Exit.NOBODY_READS


def test_what_is_fine_passes_through() -> None:
    with explained(debug=False):
        value = 1
    assert value == 1
