"""Profiles: what one operation or one access costs, each constant with its unit, process, year and source.

A profile is a TOML file:

    title = "45 nm, 0.9 V, 32-bit floating point"
    [constants.mac]
    value = 4.6
    unit = "pJ"
    process = "45 nm, 0.9 V"
    year = 2014
    source = "M. Horowitz, Computing's energy problem (and what we can do about it), ISSCC 2014"

A constant without a source is refused.
"""

from __future__ import annotations

from dataclasses import dataclass


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
