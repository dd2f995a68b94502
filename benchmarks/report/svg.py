"""A drawing of matplotlib's as a part of a page: no colour of its own, no font of its own, one text for every reader.

Colours are drawn as placeholders and come out as CSS variables, so one drawing serves light, dark and paper. Text stays
text in the page's own font. What matplotlib gives a whole document (identifiers, metadata, a style for all) goes.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.figure import Figure

from .markup import Html, element

ROLES = (
    "ink", "muted", "grid", "surface", "accent", "contrast", "soft", "synapses", "neurons", "bias", "reset",
    "elementwise", "memory", "addressing", "hops",
)  # fmt: skip
"""What a colour says; the style sheet has a variable for each, in light and in dark."""
COLOUR = {role: f"#fe{index:02x}dc" for index, role in enumerate(ROLES)}
"""The placeholder that each is drawn in: colours that nothing else has."""
STYLE: Any = {
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titlecolor": COLOUR["ink"],
    "axes.labelcolor": COLOUR["muted"],
    "axes.labelsize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.edgecolor": COLOUR["grid"],
    "axes.facecolor": "none",
    "axes.grid.axis": "x",
    "axes.axisbelow": True,
    "grid.color": COLOUR["grid"],
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.labelcolor": COLOUR["ink"],
    "text.color": COLOUR["ink"],
    "text.parse_math": False,
    "xtick.color": COLOUR["grid"],
    "xtick.labelcolor": COLOUR["muted"],
    "xtick.labelsize": 8.5,
    "ytick.color": COLOUR["ink"],
    "ytick.labelcolor": COLOUR["ink"],
    "ytick.major.size": 0,
    "figure.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "spikeport",
}
WIDE, NARROW = 7.5, 3.4
"""Widths in inches: of a drawing on a desk, and of the same one on a phone."""

Draw = Callable[[float], Figure]
"""Draws for a width in inches."""


def chart(name: str, alt: str, draw: Draw) -> Html:
    """A drawing in both widths; the style sheet shows the one that fits. `alt` says what one sees."""
    wide, narrow = (_inline(f"{name}-{kind}", alt, draw(width)) for kind, width in (("wide", WIDE), ("narrow", NARROW)))
    return element("div", wide, class_="chart wide") + element("div", narrow, class_="chart narrow")


def _inline(name: str, alt: str, drawn: Figure) -> Html:
    root = ElementTree.fromstring(_document(drawn))
    names = {each.get("id"): f"{name}-{index}" for index, each in enumerate(root.iter()) if each.get("id")}
    for each in root.iter():
        _simplify(each, names)
    for child in [child for child in root if child.tag in ("metadata", "defs") and _is_document(child)]:
        root.remove(child)
    box = root.get("viewBox") or ""
    inner = "".join(ElementTree.tostring(child, encoding="unicode") for child in root)
    return element("svg", element("title", alt), Html(_shorter(inner)), viewBox=box, role="img", aria_label=alt)


def _document(drawn: Figure) -> str:
    made = io.StringIO()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # The browser draws the letters, with its own fonts: what matplotlib's lack does not matter.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        drawn.savefig(made, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return made.getvalue()


def _is_document(child: ElementTree.Element) -> bool:
    return child.tag == "metadata" or child.find("style") is not None


_REFERENCE = re.compile(r"#([A-Za-z_][\w.\-]*)")
_FONT = re.compile(r"font: (?:(\w+) )?([\d.]+)px [^;]*")
_FAMILY = re.compile(r"font-family: [^;]*;? ?")
_PLACEHOLDER = re.compile("|".join(COLOUR.values()), re.IGNORECASE)
_VARIABLE = {drawn: f"var(--{role})" for role, drawn in COLOUR.items()}


def _simplify(each: ElementTree.Element, names: dict[str | None, str]) -> None:
    """Plain names instead of ones with a namespace, identifiers that are the page's only ones, colours as variables."""
    each.tag = each.tag.partition("}")[2]
    found = {key.partition("}")[2] or key: value for key, value in each.attrib.items()}
    if "id" in found:
        found["id"] = names[found["id"]]
        if each.tag == "g":
            del found["id"]
    for key in ("href", "clip-path", "style"):
        if key in found and not found[key].startswith("data:"):
            found[key] = _REFERENCE.sub(lambda match: f"#{names.get(match[1], match[1])}", found[key])
    if "style" in found:
        found["style"] = _PLACEHOLDER.sub(
            lambda match: _VARIABLE[match[0].lower()], _FAMILY.sub("", _FONT.sub(_font, found["style"]))
        )
    if found.get("transform", "").startswith("rotate(-0 "):
        del found["transform"]
    each.attrib.clear()
    each.attrib.update(found)


def _font(match: re.Match[str]) -> str:
    weight = f"font-weight: {match[1]}; " if match[1] else ""
    return f"{weight}font-size: {match[2]}px"


_DIGITS = re.compile(r"(-?\d+\.\d{3,})")
_DRAWN = re.compile(r'( (?:d|x|y|width|height|points)=")([^"]*)"')


def _shorter(text: str) -> Html:
    """Two digits after the point are a hundredth of a pixel."""

    def rounded(match: re.Match[str]) -> str:
        values = _DIGITS.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), match[2])
        return f'{match[1]}{re.sub(chr(10), " ", values).strip()}"'

    return Html(re.sub(r">\s+<", "><", _DRAWN.sub(rounded, text)))
