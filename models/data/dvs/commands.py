"""`spikeport data events`: the events that an event camera would have seen of videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ....toolchain.console import Result, command
from ....toolchain.errors import UsageError

if TYPE_CHECKING:
    from .model import DvsModel

PRESET = "v2e"


def register(app: typer.Typer) -> None:
    """Adds the command to those of data."""

    @command(app, "events", "Read")
    def events(
        videos: Annotated[list[Path], typer.Argument(metavar="VIDEO…", help="Videos that FFmpeg reads, or folders.")],
        output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The folder for the events.")],
        preset: Annotated[str, typer.Option(help="The pixel: v2e (its defaults), clean or noisy.")] = PRESET,
        pos_thres: Annotated[float | None, typer.Option(help="Threshold of ON.", show_default=False)] = None,
        neg_thres: Annotated[float | None, typer.Option(help="Threshold of OFF.", show_default=False)] = None,
        sigma_thres: Annotated[float | None, typer.Option(help="Their deviation.", show_default=False)] = None,
        cutoff_hz: Annotated[float | None, typer.Option(help="Of the photoreceptor.", show_default=False)] = None,
        leak_rate_hz: Annotated[float | None, typer.Option(help="Leak events.", show_default=False)] = None,
        shot_noise_rate_hz: Annotated[float | None, typer.Option(help="Noise events.", show_default=False)] = None,
        refractory_period: Annotated[float | None, typer.Option(help="In seconds.", show_default=False)] = None,
        slices: Annotated[
            int | None, typer.Option(help="Intervals between two pictures, in a straight line.", show_default=False)
        ] = None,
        seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of the pixels' thresholds and noise.")] = 0,
        size: Annotated[
            str | None, typer.Option(metavar="WxH", help="The camera, if not as the video.", show_default=False)
        ] = None,
        fit: Annotated[str, typer.Option(help="How the video comes to that size: stretch or crop.")] = "stretch",
        form: Annotated[str, typer.Option(help="The files of events: h5 or npz.")] = "h5",
        frames: Annotated[
            int | None, typer.Option(min=1, help="Also so many frames of zeros and ones.", show_default=False)
        ] = None,
        fps: Annotated[float | None, typer.Option(help="Or so many for each second.", show_default=False)] = None,
        voxels: Annotated[
            int | None, typer.Option(min=1, help="Also a voxel grid of so many bins.", show_default=False)
        ] = None,
        frame_size: Annotated[
            str | None, typer.Option(metavar="WxH", help="Of frames and voxels.", show_default=False)
        ] = None,
    ) -> Result:
        """Turns videos into the events of an event camera. Finished videos are skipped: run it again to go on."""
        from .convert import Ask
        from .runs import made_all

        chosen = {
            "pos_thres": pos_thres, "neg_thres": neg_thres, "sigma_thres": sigma_thres, "cutoff_hz": cutoff_hz,
            "leak_rate_hz": leak_rate_hz, "shot_noise_rate_hz": shot_noise_rate_hz,
            "refractory_period_s": refractory_period, "slices": slices,
        }  # fmt: skip
        ask = Ask(
            _model(preset, chosen), seed, form, _size("--size", size), fit,
            frames, fps, voxels, _size("--frame-size", frame_size),
        )  # fmt: skip
        return made_all(videos, output, ask)


def _model(preset: str, chosen: dict[str, Any]) -> DvsModel:
    """The preset with what was chosen otherwise."""
    from .model import PRESETS

    if preset not in PRESETS:
        raise UsageError("--preset", f"'{preset}'", ", ".join(PRESETS))
    try:
        return replace(PRESETS[preset], **{name: value for name, value in chosen.items() if value is not None})
    except UsageError as error:
        raise UsageError(f"--{error.where.removesuffix('_s').replace('_', '-')}", error.found, error.expected) from None


def _size(option: str, text: str | None) -> tuple[int, int] | None:
    return None if text is None else size_of(option, text)


def size_of(option: str, text: str) -> tuple[int, int]:
    """Width and height of 'WxH'."""
    sides: Sequence[str] = text.lower().split("x")
    if len(sides) != 2 or not all(side.isascii() and side.isdigit() and 0 < int(side) <= 1 << 14 for side in sides):
        raise UsageError(option, f"'{text}'", "width and height, as in 346x260")
    return int(sides[0]), int(sides[1])
