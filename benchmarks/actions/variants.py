"""What is trained: the system, each stream alone, the system without each of its parts, and its twin without spikes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NETWORK = "spiking_fusion"


@dataclass(frozen=True)
class Variant:
    """One row.

    Args:
        text: what it is.
        config: fields of the network's config, as `spikeport train --config` takes them.
    """

    text: str
    config: tuple[str, ...] = ()


WHOLE, TWIN = "fusion", "relu twin"
ALONE = ("skeleton alone", "events alone")
VARIANTS: Mapping[str, Variant] = {
    WHOLE: Variant("events and skeleton, every part"),
    ALONE[0]: Variant("the skeleton's path and the answer", ("streams=skeleton",)),
    ALONE[1]: Variant("the events' path and the answer", ("streams=events",)),
    "without SSE": Variant("tokens as the backbones send them", ("sse=false",)),
    "without GSA": Variant("semantic extractors without attention", ("gsa=false",)),
    "without SCM": Variant("the streams meet in the answer alone", ("scm=false",)),
    "without DIB 1": Variant("no bottleneck in the modalities", ("dib_one=false",)),
    "without DIB 2": Variant("no bottleneck in the fusion", ("dib_two=false",)),
    "without DIB": Variant("no bottleneck at all", ("dib_one=false", "dib_two=false")),
    TWIN: Variant("the same layers with rectifiers in place of spikes", ("neurons=relu",)),
}
