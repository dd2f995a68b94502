"""What `convert` does: one file for each format, what was proved of it, and an account of both."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from ..toolchain.console import Result, say, working
from ..toolchain.errors import FileError, Refused, SpikeportError, UsageError
from ..toolchain.graph import Graph
from ..toolchain.graph.network import Network
from ..toolchain.graph.nodes import Array
from ..toolchain.loihi.chip_graph import ChipGraph
from ..toolchain.loihi.limits import LOIHI2
from ..toolchain.loihi.quantise import quantise
from ..toolchain.loihi.report import QuantiseReport
from ..toolchain.passes.pipeline import PipelineResult
from ..toolchain.references import referred
from ..toolchain.source import Given
from ..toolchain.tables import table
from ..toolchain.trial import Trial
from ..toolchain.verifying import recorded
from ..toolchain.verifying.sides import in_units_of
from ..toolchain.views import step_data
from ..toolchain.writing import check_place
from .chip_cut import Setting
from .formats import FORMATS, Format
from .parting import beyond, parted
from .proving import NotProved, Proof, of_chip, of_file, of_lava, of_source, sharing
from .spiking import Neurons, Spiked, spiked


@dataclass(frozen=True)
class Chip:
    """How a network is brought to a chip, where a format needs it there.

    Args:
        bits: bits of a weight.
        allow: approximations that may be used.
        calibration: a file with inputs to choose scales by.
        reset_interval: steps after which all neurons are reset.
        trial: what its proofs run on.
        lava: whether to prove it on Lava.
    """

    bits: int
    allow: tuple[str, ...]
    calibration: Path | None
    reset_interval: int | None
    trial: Trial
    lava: bool


@dataclass(frozen=True)
class Exchange:
    """How files of exchange formats are written.

    Args:
        dialect: of NIR: whose importer shall read it.
        unroll: of ONNX: scan for a model of a whole run.
        trace: of NIR: whether what goes in and what is sent is recorded beside it.
    """

    dialect: str | None = None
    unroll: str | None = None
    trace: bool = False

    def options(self, how: Format) -> dict[str, object]:
        """What this format's writer is told."""
        given = {"dialect": self.dialect, "unroll": self.unroll}
        return {name: given[name] for name in how.options if given[name] is not None}

    def check(self, formats: Mapping[str, Format]) -> None:
        """Refuses what no format that is written has a use for."""
        for name in ("dialect", "unroll"):
            if getattr(self, name) is not None and not any(name in each.options for each in formats.values()):
                raise UsageError(f"--{name}", f"says nothing of {', '.join(formats)}", fix="leave it out")
        if self.trace and "nir" not in formats:
            raise UsageError("--with-trace", f"beside {', '.join(formats)}", "--to nir", "leave it out")


@dataclass
class Account:
    """What was done so far.

    Args:
        files: each file by its format.
        reports: what quantising did, by target.
        proofs: what was proved, by format.
        remarks: what whoever loads the files has to know.
        beside: files that belong to one of these.
        turned: how ReLUs became spikes, where they did.
        source: what tracing proved of the network that was read.
        failed: the format that could not be proved, and why.
    """

    files: dict[str, Path] = field(default_factory=dict)
    reports: dict[str, QuantiseReport] = field(default_factory=dict)
    proofs: dict[str, list[Proof]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    beside: list[Path] = field(default_factory=list)
    turned: Spiked | None = None
    source: Proof | None = None
    failed: NotProved | None = None


def folder(path: Path) -> Path:
    """The folder, made where it is not there yet."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(str(path), f"cannot be a folder: {error.strerror}", fix="choose another for -o") from error
    return path


def converted(
    given: Given, formats: Mapping[str, Format], place: Path, chip: Chip, exchange: Exchange, neurons: Neurons | None
) -> Result:
    """Writes the network in each format, to a file named after it."""
    exchange.check(formats)
    try:
        done = given.either("simplify")
    except Refused as refused:
        if set(formats) != {"onnx"} or exchange.unroll is not None:
            raise
        return _through_torch(given, place, refused)
    network = done if isinstance(done, ChipGraph) else done.graph
    if isinstance(network, ChipGraph):
        _check_options(given.source.name, chip)
    source = of_source(network) if isinstance(network, Graph) else None
    turned = None if neurons is None else spiked(network, neurons, chip.calibration)
    if turned is not None:
        network, chip = turned.graph, replace(chip, trial=turned.trial)
    files = {name: place / f"{network.name}{each.suffix}" for name, each in formats.items()}
    _check_source(Path(given.source.name), files.values())
    for name, path in files.items():
        if not formats[name].parts:
            check_place(path)
    account = Account(turned=turned, source=source)
    try:
        for name, each in formats.items():
            mixed = each.parts and each.target and isinstance(network, Graph) and beyond(network, given)
            if mixed and in_parts(cast(Graph, network), name, each, files[name], chip, account):
                pass
            elif each.target:
                on_chip(network, name, each, files[name], chip, account)
            else:
                exchanged(network, name, each, files[name], chip.trial, exchange, account)
            account.files[name] = files[name]
    except NotProved as error:
        account.failed = error
    except SpikeportError:
        for path in account.files.values():
            say(f"written before that: {path}")
        raise
    return _told(network.name, done, account, explain=given.explain)


def _check_options(name: str, chip: Chip) -> None:
    """Refuses what quantising would be told where nothing is quantised."""
    given = {"--bits": chip.bits != LOIHI2.weight_bits, "--allow": chip.allow, "--reset-interval": chip.reset_interval}
    for option in (option for option, value in given.items() if value):
        raise UsageError(option, f"for {name}, which is in integers already", "a graph in real numbers", "leave it out")


def _check_source(source: Path, files: Iterable[Path]) -> None:
    """Refuses to write over the very file that is read."""
    if source.exists() and any(path.exists() and path.samefile(source) for path in files):
        raise FileError(str(source), "is the SOURCE itself", "another file to write", "choose another folder with -o")


def exchanged(
    network: Network, name: str, how: Format, path: Path, trial: Trial, exchange: Exchange, account: Account
) -> None:
    """Writes the network as it is; a file in a format of others is proved before it takes its place."""
    if not how.proof or not isinstance(network, Graph):
        account.remarks += how.write(network, path)
        return
    inputs = trial.values(network)
    with how.draft(path) as draft:
        account.remarks += [f"{path.name}: {line}" for line in how.write(network, draft, **exchange.options(how))]
        again, proofs = cast(Prove, referred(how.proof, __package__))(network, draft, path, inputs)
        account.proofs[name] = [account.source or of_source(network), *proofs]
        if exchange.trace and name == "nir":
            from .nir.trace_file import SUFFIX, write_trace

            write_trace(recorded(again, inputs), draft.with_suffix(SUFFIX))
        if how.several:
            others = sorted(each.name for each in draft.parent.iterdir() if each.name != draft.name)
            account.beside += [path.with_name(each) for each in others]


Prove = Callable[[Graph, Path, Path, Mapping[str, Array]], tuple[Graph, list[Proof]]]


def _through_torch(given: Given, place: Path, refused: Refused) -> Result:
    """What tracing refused, written as ONNX by torch's own exporter."""
    from .onnx_file import export_module

    try:
        module, example = given.load.module(given.source), given.load.example(given.source)
    except SpikeportError:
        raise refused from None
    name = re.sub(r"[^A-Za-z0-9_.\-]+", "_", given.source.name.rpartition(":")[2])
    account = Account(files={"onnx": place / f"{name}.onnx"})
    with FORMATS["onnx"].draft(account.files["onnx"]) as draft:
        account.remarks += export_module(module, example, draft)
    account.remarks.append(f"written by torch's exporter, since tracing refused it: {refused.reasons[0]}")
    return _told(name, None, account, explain=False)


def on_chip(network: Network, name: str, how: Format, path: Path, chip: Chip, account: Account) -> None:
    """Brings the network into integers, writes it, and proves the file before it takes its place."""
    proofs = account.proofs[name] = []
    inputs = _within(chip.reset_interval, chip.trial.values(network))
    if isinstance(network, Graph):
        proofs.append(account.source or of_source(network))
        made, account.reports[name] = _quantised(network, how.target, chip, inputs)
        with working(f"comparing {network.name} with its chip graph"):
            proofs.append(of_chip(network, made, inputs))
        fed = _longer(made, in_units_of(made, inputs))
    else:
        made, fed = cast(ChipGraph, network), inputs
    with how.draft(path) as draft:
        account.remarks += how.write(made, draft)
        again = sharing(cast(ChipGraph, how.read(draft)), made)
        proofs.append(of_file(made, again, path, fed))
        if chip.lava:
            named = dict(zip(again.inputs, (fed[each] for each in made.inputs), strict=True))
            proofs.append(of_lava(again, path, named))


def in_parts(network: Graph, name: str, how: Format, path: Path, chip: Chip, account: Account) -> bool:
    """Writes what of the network a chip takes, and the host's parts beside it; not where a chip takes all of it."""
    inputs = _within(chip.reset_interval, chip.trial.values(network))
    setting = Setting(chip.bits, chip.allow, chip.reset_interval, how.target)
    found = parted(network, how, path, setting, inputs, lava=chip.lava)
    if found is None:
        return False
    account.proofs[name] = [account.source or of_source(network), *found.proofs]
    account.reports |= found.reports
    account.remarks += found.remarks
    return True


def _longer(chip: ChipGraph, inputs: dict[str, Array]) -> dict[str, Array]:
    """The inputs and zeros behind them until the last answer has come: a film of one step would show nothing."""
    late = max(getattr(chip.nodes[name], "after", 0) for name in chip.outputs)
    return {name: np.pad(values, ((0, late), *([(0, 0)] * (values.ndim - 1)))) for name, values in inputs.items()}


def _within(interval: int | None, inputs: dict[str, Array]) -> dict[str, Array]:
    """The steps of one sample: at the next one the chip's clock resets its neurons, and those of a graph go on."""
    return inputs if interval is None else {name: values[:interval] for name, values in inputs.items()}


def _quantised(graph: Graph, target: str, chip: Chip, inputs: Mapping[str, Array]) -> tuple[ChipGraph, QuantiseReport]:
    with working(f"quantising {graph.name}"):
        return quantise(
            graph,
            calibration=inputs if chip.calibration is not None else None,
            bits=chip.bits,
            allow=chip.allow,
            reset_interval=chip.reset_interval,
            target=target,
        )


def _told(name: str, done: PipelineResult | ChipGraph | None, account: Account, *, explain: bool) -> Result:
    """The account, for people and for programs."""
    sizes = {each: FORMATS[each].size(path) for each, path in account.files.items()}
    data = {
        "name": name,
        "files": [{"format": each, "path": str(path), "bytes": sizes[each]} for each, path in account.files.items()],
        "beside": [str(path) for path in account.beside],
        "passes": [step_data(step) for step in done.steps] if isinstance(done, PipelineResult) else [],
        "reports": {each: report.data() for each, report in account.reports.items()},
        "proofs": {each: [proof.data() for proof in proofs] for each, proofs in account.proofs.items()},
        "remarks": account.remarks,
        "spiking": None if account.turned is None else account.turned.data(),
        "failed": None if account.failed is None else str(account.failed),
    }
    parts: list[RenderableType] = []
    if explain and isinstance(done, PipelineResult):
        parts += [Text(done.text()), Text()]
    if account.turned is not None:
        parts += [account.turned.view, Text()]
    for report in (each for name, each in account.reports.items() if name in FORMATS or explain):
        parts += [Text(report.text(), no_wrap=True, overflow="ignore"), Text()]
    for each, proofs in account.proofs.items():
        parts += [table((f"proof of {each}", "", ""), [(p.what, p.word, p.said) for p in proofs]), Text()]
    if account.files:
        rows = [(each, str(path), f"{sizes[each]:,}") for each, path in account.files.items()]
        rows += [("", str(path), f"{path.stat().st_size:,}") for path in account.beside]
        parts.append(table(("format", "file", ">bytes"), rows))
    parts += [Text(f"  {line}") for line in account.remarks]
    if account.failed is not None:
        parts.append(Text(str(account.failed), style="bold red"))
    return Result(data, Group(*parts), good=account.failed is None)
