"""Profiles: what one operation or one access costs, each constant with its unit, process, year and source.

A profile is a TOML file:

    title = "45 nm, 0.9 V, 32-bit floating point"
    [constants.mac]
    value = 4.6
    unit = "pJ"
    process = "45 nm, 0.9 V"
    year = 2014
    source = "M. Horowitz, Computing's energy problem (and what we can do about it), ISSCC 2014"
    [parameters]
    operand_bits = 32

A constant without a source is refused. `spikeport.benchmarks.profile_file` reads such files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from math import isfinite
from pathlib import Path
from types import MappingProxyType

from ..toolchain.errors import UsageError

MOST = 1e12
"""The most picojoules that one operation may cost: a joule."""

PROFILES: Mapping[str, str] = MappingProxyType(
    {
        "45nm-fp32": "45 nm, 0.9 V, 32-bit floating point",
        "45nm-fp16": "45 nm, 0.9 V, 16-bit floating point",
        "45nm-int8": "45 nm, 0.9 V, 8-bit integers",
        "45nm-int32": "45 nm, 0.9 V, 32-bit integers",
        "pasnet": "45 nm, 4.6 pJ for a MAC and 0.1 pJ for an AC, as PAS-Net bills them",
        "step-sram": "45 nm, 32-bit floating point, 24.96 pJ for a byte of memory of any size",
        "loihi1": "Loihi 1, 14 nm, the table of Davies 2018 (simulated before silicon)",
        "loihi1-sanafe": "Loihi 1, 14 nm, as the simulator SANA-FE describes the chip",
        "truenorth": "TrueNorth, 28 nm, everything within one synaptic event",
        "spinnaker1": "SpiNNaker 1, 130 nm",
        "spinnaker2": "SpiNNaker 2, 28 nm test chip",
    }
)
"""The profiles that come with the package: name and title."""

CONSTANTS: Mapping[str, str] = MappingProxyType(
    {
        "mac": "one multiplication and one addition to a sum",
        "ac": "one addition to a sum: what a spike does at a synapse",
        "multiply": "one multiplication",
        "add": "one addition, subtraction or comparison",
        "sram_byte": "one byte read from or written to on-chip memory of any size",
        "dram": "one access to memory off the chip, 64 bits wide",
        "synaptic_event": "one spike at one synapse of a chip",
        "synapse_conv": "one spike at one synapse of a convolution",
        "synapse_dense": "one spike at one synapse of a matrix",
        "synapse_sparse": "one spike at one synapse of a sparse matrix",
        "neuron_update": "one neuron in one step",
        "neuron_active": "one neuron in one step in which something reached it",
        "neuron_idle": "one neuron in one step in which nothing reached it",
        "neuron_access": "looking at one neuron in one step",
        "spike": "sending one spike within a tile",
        "spike_out": "firing of one neuron",
        "axon_out": "one message that a spike becomes",
        "hop_ew": "one spike to the next tile in the east or west",
        "hop_ns": "one spike to the next tile in the north or south",
    }
)
"""What a constant may be called, and what it is the energy of. Beside them sram_…: one access to memory of `bytes`."""

PARAMETERS: Mapping[str, tuple[float, str]] = MappingProxyType(
    {
        "operand_bits": (32, "width of the numbers that mac, multiply and add are for"),
        "weight_bits": (8, "width of a weight, for the rule bits"),
        "activation_bits": (8, "width of a real number between layers, for the rule bits"),
        "word_bytes": (4, "size of a word in memory, for the rule lemaire"),
        "word_share": (1, "share of an access to memory that a word is billed: 1 as published, 0.5 for 32 of 64 bits"),
        "fifo_entries": (1000, "spikes that a queue between layers holds, for the rule lemaire"),
        "hops_ew": (0, "tiles that a spike crosses to the east or west, the mean, for the rules chip:loihi1…"),
        "hops_ns": (0, "tiles that a spike crosses to the north or south, the mean, for the rules chip:loihi1…"),
        "destinations": (1, "cores that a spike is sent to, the mean, for the rule chip:loihi1-sanafe"),
    }
)
"""What rules may be told beside energies: the value where a profile says nothing, and what it is."""


@dataclass(frozen=True)
class Constant:
    """One constant.

    Args:
        name: what it is called in its profile: mac, ac, sram_8k, synaptic_event …
        pj: picojoules.
        process: the technology it was measured or estimated for.
        year: of the source.
        source: where it is printed.
        note: what a reader should know about it.
    """

    name: str
    pj: float
    process: str
    year: int
    source: str
    note: str = ""


@dataclass(frozen=True)
class Profile:
    """What operations and accesses cost on one technology.

    Args:
        name: its name, or the name of its file.
        title: one line.
        constants: by name.
        parameters: what rules are told beside energies, where it is not the usual.
        sizes: bytes of the memories whose access the constants sram_… are, by name of the constant.
    """

    name: str
    title: str
    constants: Mapping[str, Constant]
    parameters: Mapping[str, float] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("constants", "parameters", "sizes"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        if not self.parameter("operand_bits"):
            raise UsageError(f"profile {self.name}", "operand_bits is 0", "at least 1")

    def constant(self, name: str) -> Constant:
        """The constant of that name, or a refusal that says what to add."""
        if name in self.constants:
            return self.constants[name]
        fix = f"add [constants.{name}] with value, unit, process, year and source to a copy of the profile"
        raise UsageError(f"profile {self.name}", f"no constant '{name}' among {', '.join(self.constants)}", "", fix)

    def parameter(self, name: str) -> float:
        """The parameter of that name, as the profile or else the table says."""
        return self.parameters.get(name, PARAMETERS[name][0])

    def has(self, *names: str) -> bool:
        """Whether it has these constants; 'sram' stands for memory of any size."""
        return all(name in self.constants or (name == "sram" and self.remembers) for name in names)

    @property
    def remembers(self) -> bool:
        """Whether it says what an access to on-chip memory costs."""
        return bool(self.sizes) or "sram_byte" in self.constants

    @property
    def largest(self) -> float:
        """Bytes of the largest memory it has a price for; infinite where the price does not depend on the size."""
        return max(self.sizes.values(), default=float("inf"))

    def replaced(self, **values: float) -> Profile:
        """What if: the same profile with other values of some constants or parameters, which say so."""
        found: dict[str, Constant] = {}
        told: dict[str, float] = {}
        for name, value in values.items():
            if name in self.constants:
                found[name] = _what_if(self.constants[name], _amount(f"what if {name}", value))
            elif name in PARAMETERS:
                told[name] = _amount(f"what if {name}", value)
            else:
                known = ", ".join((*self.constants, *PARAMETERS))
                raise UsageError("what if", f"'{name}'", f"one of {known}", f"see the profile {self.name}")
        changes = ", ".join(f"{name}={value:g}" for name, value in values.items())
        name = f"{self.name} with {changes}" if changes else self.name
        constants, parameters = {**self.constants, **found}, {**self.parameters, **told}
        return replace(self, name=name, constants=constants, parameters=parameters)

    def sram(self, size: float) -> Constant:
        """One access to a word in on-chip memory of `size` bytes.

        Linear between (0, 0) and the sizes that the profile has prices for; above the largest its price.
        Where the profile has a price for a byte, that times the bytes of a word, for any size.
        The result is times `word_share`, the share of an access that a word is billed.
        """
        share = self.parameter("word_share")
        if not self.sizes:
            byte = self.constant("sram_byte")
            return replace(byte, name="sram_word", pj=byte.pj * self.parameter("word_bytes") * share)
        points = sorted((bytes_, self.constants[name]) for name, bytes_ in self.sizes.items())
        below, low, (above, high) = 0, 0.0, points[0]
        for above, high in points:
            if size <= above:
                break
            below, low = above, high.pj
        part = 1.0 if size >= above else (size - below) / (above - below)
        pj = high.pj if part == 1.0 else low + part * (high.pj - low)
        note = f"one access to memory of {size:g} bytes, linear in size up to {high.name}"
        note += f"; a word is billed {share:g} of it" if share != 1 else ""
        return replace(high, name=f"sram({size:g})", pj=pj * share, note=note)


def _what_if(was: Constant, pj: float) -> Constant:
    """A constant that the user gave another value."""
    return replace(was, pj=pj, source="what if: given by the user", note=f"instead of {was.pj:g} pJ, {was.source}")


def _amount(where: str, value: float) -> float:
    """A number of picojoules or of a parameter, checked."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST or not isfinite(value):
        raise UsageError(where, f"{value!r}", f"a number from 0 to {MOST:g}")
    return float(value)


@cache
def _shipped(name: str) -> Profile:
    """A profile of the package, read once."""
    from .profile_file import read_profile

    return read_profile(Path(__file__).parent / "profiles" / f"{name}.toml", name)


def _there(path: Path) -> bool:
    """Whether there is such a file; a name that no file can have is none."""
    try:
        return path.exists()
    except OSError:
        return False


def load_profile(name_or_path: str | Path) -> Profile:
    """The profile of that name out of `PROFILES`, or the one in that file."""
    from .profile_file import read_profile

    name = str(name_or_path)
    if name in PROFILES:
        return _shipped(name)
    path = Path(name_or_path)
    if path.suffix == ".toml" or len(path.parts) > 1 or _there(path):
        return read_profile(path, name)
    raise UsageError("profile", f"'{name}'", f"one of {', '.join(PROFILES)}", "or give the path of a .toml file")
