"""What every command shares: results on stdout, everything else on stderr, exit codes, messages without tracebacks.

A command is a function that returns a `Result`. `command` gives it `--json` and `--debug`, and ends it with
0 done · 1 the check failed · 2 bad input · 70 a mistake of ours · 130 stopped by the user.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from .errors import SpikeportError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

P = ParamSpec("P")

#: Work that takes longer than this says on stderr what it is.
PATIENCE_S = 1.0


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    CHECK_FAILED = 1
    BAD_INPUT = 2
    OUR_MISTAKE = 70
    STOPPED = 130
    NOBODY_READS = 141


@dataclass(frozen=True)
class Result:
    """What a command found out.

    Args:
        data: the same for programs: only what JSON can say.
        view: what a person reads; rich lays it out.
        good: false when the command was a check and it failed.
        told: false when another process of the same command says it.
    """

    data: Mapping[str, object]
    view: RenderableType
    good: bool = True
    told: bool = True


_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")]
_DEBUG = Annotated[bool, typer.Option("--debug", help="Show where in the code an error came from.")]


def command(app: typer.Typer, name: str, panel: str) -> Callable[[Callable[P, Result]], Callable[P, Result]]:
    """Makes a function a command of `app`, with `--json`, `--debug` and the exit codes; returns it unchanged."""

    def register(function: Callable[P, Result]) -> Callable[P, Result]:
        app.command(name, rich_help_panel=panel)(_command(function))
        return function

    return register


def _command(function: Callable[..., Result]) -> Callable[..., None]:
    """The function that typer calls: the given one's parameters and the two that all commands have."""

    @functools.wraps(function)
    def run(json_only: bool = False, debug: bool = False, **options: Any) -> None:
        with explained(debug=debug):
            # What a user's own module prints when it is imported must not end up in the result.
            with contextlib.redirect_stdout(sys.stderr), _quietly(json_only):
                result = function(**options)
            if result.told:
                show(result, json_only=json_only)
        raise typer.Exit(Exit.DONE if result.good else Exit.CHECK_FAILED)

    own = inspect.signature(function, eval_str=True)
    shared = [
        inspect.Parameter("json_only", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_JSON),
        inspect.Parameter("debug", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_DEBUG),
    ]
    signature = own.replace(parameters=[*own.parameters.values(), *shared], return_annotation=None)
    run.__signature__ = signature  # type: ignore[attr-defined]  # inspect, and so typer, reads it
    run.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    return run


_QUIET: ContextVar[bool] = ContextVar("quiet", default=False)


@contextlib.contextmanager
def _quietly(quiet: bool) -> Iterator[None]:
    before = _QUIET.set(quiet)
    try:
        yield
    finally:
        _QUIET.reset(before)


def quiet() -> bool:
    """Whether a program reads what this command says, and nobody looks at its progress."""
    return _QUIET.get()


def show(result: Result, *, json_only: bool) -> None:
    """Prints a result on stdout: as one JSON object, or laid out for a person."""
    if json_only:
        sys.stdout.write(json.dumps(result.data, allow_nan=False, ensure_ascii=False) + "\n")
    else:
        _console(stderr=False).print(result.view, crop=False)
    sys.stdout.flush()


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, emoji=False)


@contextlib.contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """Says on stderr what is going on, once it has gone on for over a second: a spinner, or one line in a log.

    Gives a function that says how far it is: beside the spinner, or in a line of the log.
    """
    if sys.stderr.isatty():
        with _console(stderr=True).status(f"{what} …") as status:
            yield lambda now: status.update(f"{what}: {now} …")
        return
    timer = threading.Timer(PATIENCE_S, say, [f"{what} …"])
    timer.daemon = True
    timer.start()
    try:
        yield lambda now: say(f"{what}: {now} …")
    finally:
        timer.cancel()


def say(text: str) -> None:
    """One message on stderr, as it is."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


@contextlib.contextmanager
def explained(*, debug: bool) -> Iterator[None]:
    """Turns every exception into one message on stderr and an exit code; with `debug`, after its traceback."""
    try:
        yield
    except BrokenPipeError:
        # Whoever read our output has gone (`| head`): nothing to say, and Python must not try to flush at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(Exit.NOBODY_READS) from None
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            _show_traceback(error)
        code, text = explanation(error)
        say(text)
        raise typer.Exit(code) from None


def explanation(error: BaseException) -> tuple[Exit, str]:
    """The exit code and the message for an exception."""
    match error:
        case SpikeportError():
            return Exit.BAD_INPUT, f"error: {error}"
        case KeyboardInterrupt():
            return Exit.STOPPED, "stopped"
        case MemoryError():
            return Exit.BAD_INPUT, _NO_MEMORY
        case RuntimeError() if "can't allocate memory" in str(error):  # how torch says it
            return Exit.BAD_INPUT, _NO_MEMORY
        case OSError(filename=str() | bytes() as name) if error.strerror:
            return Exit.BAD_INPUT, f"error: {os.fsdecode(name)}: {error.strerror}"
        case _:
            return Exit.OUR_MISTAKE, f"internal error: {_in_short(error)}. This is a mistake of Spikeport's: {_REPORT}"


_NO_MEMORY = (
    "error: the memory of this machine is not enough for this. Take fewer steps or a smaller batch, or record less"
)
_REPORT = "please report it with what the same command prints under --debug"


def _in_short(error: BaseException) -> str:
    first = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _show_traceback(error: BaseException) -> None:
    import traceback

    say("".join(traceback.format_exception(error)).rstrip())
