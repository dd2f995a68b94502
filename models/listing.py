"""What `models` shows, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from ..toolchain.console import Result, working
from ..toolchain.errors import UsageError
from ..toolchain.tables import by, number, table
from ..toolchain.writing import check_place, write_whole
from . import zoo
from .trained import trained_checkpoint, trained_names

if TYPE_CHECKING:
    from torch import nn

    from .checkpoints import Checkpoint


def listed() -> Result:
    """The table of the zoo; loads no network."""
    trained = trained_names()
    networks = [
        {"name": name, "host": row.host, "trained": name in trained, "text": row.text} for name, row in zoo.ZOO.items()
    ]
    rows = [
        (name, "chip and host" if row.host else "chip", "yes" if name in trained else "", row.text)
        for name, row in zoo.ZOO.items()
    ]
    return Result({"models": networks}, table(("name", "runs on", "trained", "what it is"), rows))


def shown(
    name: str, seed: int | None, output: Path | None, config: Sequence[str] = (), weights: Path | None = None
) -> Result:
    """One network: config, input, parameters; and its checkpoint where one is asked for.

    Args:
        name: a name of the zoo.
        seed: draws its weights; None for the trained ones that come along.
        output: a file for it.
        config: fields of its config, KEY=VALUE.
        weights: a file of weights, in place of drawn ones.
    """
    if output is not None:
        if output.suffix != ".safetensors":
            raise UsageError("--output", f"'{output}'", "a name that ends in .safetensors")
        check_place(output)
    with working(f"building {name}"):
        network, about = _trained(name, output) if seed is None else _drawn(name, seed, output, config, weights)
    parameters = sum(weight.numel() for weight in network.parameters())
    plain = weights is None and not config
    return Result(_data(about, parameters, output), _view(about, parameters, output, plain))


def _drawn(
    name: str, seed: int, output: Path | None, chosen: Sequence[str], weights: Path | None
) -> tuple[nn.Module, Checkpoint]:
    """The network with random weights or those of a file, written where that is asked for."""
    from .checkpoints import Checkpoint, load_weights, save_checkpoint

    config = zoo.config_of(name, zoo.fields_of(chosen))
    network, about = zoo.build(name, config, seed), Checkpoint(name, config, seed)
    if weights is not None:
        load_weights(network, weights)
    if output is not None:
        save_checkpoint(output, network, about)
    return network, about


def _trained(name: str, output: Path | None) -> tuple[nn.Module, Checkpoint]:
    """The network as it comes along, its file copied where that is asked for."""
    from .checkpoints import load_checkpoint

    file = trained_checkpoint(name)
    network, about = load_checkpoint(file)
    if output is not None:
        write_whole(output, file.read_bytes())
    return network, about


def _data(about: Checkpoint, parameters: int, output: Path | None) -> dict[str, Any]:
    """The same for programs."""
    row, takes = zoo.entry(about.model), about.config.takes
    return {
        "name": about.model,
        "text": row.text,
        "inputs": {name: {"shape": list(kind.shape), "carries": kind.carries} for name, kind in takes.items()},
        "host": row.host,
        "parameters": parameters,
        "seed": about.seed,
        "config": asdict(about.config),
        "metrics": dict(about.metrics),
        "training": dict(about.training),
        "file": None if output is None else str(output),
    }


def _view(about: Checkpoint, parameters: int, output: Path | None, plain: bool) -> RenderableType:
    """The same for people; `plain` is the network of its name, with nothing chosen."""
    name = about.model
    taken = ", ".join(f"{each} {kind.carries} {by(kind.shape)}" for each, kind in about.config.takes.items())
    heading = f"{name}: {zoo.entry(name).text}\ninput {taken}; {parameters:,} parameters\n"
    lines: list[RenderableType] = [Text(heading), _table("config", asdict(about.config))]
    if about.training:
        command = {key: about.training[key] for key in ("command",) if key in about.training}
        reached = {key: number(value) for key, value in about.metrics.items()}
        lines += [Text(), _table("training", {**command, "seed": about.seed, **about.training})]
        lines += [Text(), _table("what it reached", reached)]
    elif plain and name in trained_names():
        lines += [Text(f"\nthese weights are random; trained ones come along: spikeport models {name} --trained")]
    written = [Text(f"\nwritten: {output}")] if output is not None else []
    return Group(*lines, *written)


def _table(title: str, values: Mapping[str, object]) -> RenderableType:
    return table((title, "value"), [(key, str(value)) for key, value in values.items()])
