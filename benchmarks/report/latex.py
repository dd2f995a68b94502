r"""The report as a LaTeX table: `\usepackage{booktabs}` and `\input{energy}` are all that a paper needs."""

from __future__ import annotations

import unicodedata

from ..findings import Billed, Findings
from .bills import bill, constants_text, label, over_samples, ratio, sd, spread_text, tariffs, totals
from .text import Scale, printable

LONG, SHORT = 20, 12
"""Titles of more characters stand below the table, and a letter in its head; fewer where there are many networks."""

_ASCII = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\ensuremath{<}", ">": r"\ensuremath{>}",
    "|": r"\ensuremath{|}", '"': r"\char34{}", "`": "{`}",
    "[": "{[}", "]": "{]}",
}  # fmt: skip
_MATHS = {
    "µ": r"\mu", "μ": r"\mu", "×": r"\times", "·": r"\cdot", "±": r"\pm", "÷": r"\div", "≤": r"\le", "≥": r"\ge",
    "≠": r"\ne", "−": "-", "→": r"\to", "Σ": r"\Sigma", "α": r"\alpha", "β": r"\beta", "γ": r"\gamma",
    "κ": r"\kappa", "λ": r"\lambda", "σ": r"\sigma", "τ": r"\tau", "θ": r"\theta", "π": r"\pi", "Δ": r"\Delta",
    "°": r"^\circ", "⌈": r"\lceil", "⌉": r"\rceil", "₁": "_1", "₂": "_2", "²": "^2", "³": "^3",
}  # fmt: skip
_SIGNS = {
    "–": r"\textendash{}", "—": r"\textemdash{}", "…": r"\ldots{}", "’": "'", "‘": "`", "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}", "ß": r"\ss{}", "ø": r"\o{}", "Ø": r"\O{}", "ł": r"\l{}", "Ł": r"\L{}",
    "æ": r"\ae{}", "œ": r"\oe{}", "å": r"\aa{}",
}  # fmt: skip
_JOINED = ("-", "'", ",")
"""Letters that LaTeX makes one sign of where two stand together."""
_ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030c": "v", "\u0327": "c"}


def tex(text: str) -> str:
    """Text that LaTeX sets as it stands, in pure ASCII; a letter that it has no name for is written as [U+65E5]."""
    made = "".join(map(_letter, printable(text)))
    for letter in _JOINED:
        made = made.replace(letter * 2, f"{letter}{{}}{letter}").replace(letter * 2, f"{letter}{{}}{letter}")
    return made


def _letter(letter: str) -> str:
    if letter in _MATHS:
        return rf"\ensuremath{{{_MATHS[letter]}}}"
    if letter in _SIGNS:
        return _SIGNS[letter]
    if letter.isascii():
        return _ASCII.get(letter, letter)
    base, *marks = list(unicodedata.normalize("NFD", letter))
    if len(marks) == 1 and base.isascii() and base.isalpha() and marks[0] in _ACCENTS:
        return f"\\{_ACCENTS[marks[0]]}{{{base}}}"
    return f"{{[}}U+{ord(letter):04X}{{]}}"


def latex(findings: Findings) -> str:
    """A complete table: rules side by side, networks beside each other, constants and their sources below."""
    unit = totals(findings)
    heads = _heads(findings)
    parts = (
        _comment(findings),
        r"\begin{table}[tb]",
        r"  \centering",
        f"  \\caption{{{_caption(findings, unit)}}}\\smallskip",
        r"  \label{tab:energy}",
        rf"  \setlength{{\tabcolsep}}{{4.5pt}}{_size(findings)}",
        f"  \\begin{{tabular}}{{{_columns(findings)}}}",
        r"    \toprule",
        _head(findings, heads),
        r"    \midrule",
        *_rows(findings, unit),
        r"    \bottomrule",
        r"  \end{tabular}",
        *_notes(findings, heads),
        r"\end{table}",
        "",
    )
    return "\n".join(parts)


def _comment(findings: Findings) -> str:
    """Where the table comes from, for whoever opens the file."""
    said = (f"made by spikeport {findings.version}; needs \\usepackage{{booktabs}}", findings.command)
    return "\n".join("% " + printable(line).encode("ascii", "backslashreplace").decode() for line in said)


def _heads(findings: Findings) -> tuple[str, ...]:
    """What stands over each network: its title, or a letter where titles are long."""
    titles = tuple(network.title for network in findings.networks)
    if all(len(printable(title)) <= (SHORT if _many(findings) else LONG) for title in titles):
        return titles
    return tuple(f"({letter})" for letter in "abcdefghijklmnopqrstuvwxyz"[: len(titles)])


def _caption(findings: Findings, unit: Scale) -> str:
    subject = findings.subject
    text = f"Energy of {subject.title} by counting rule, in {unit.unit} per sample"
    spread = spread_text(subject)
    return f"{tex(text)} ({tex(over_samples(findings))}). {tex(f'{subject.title} costs {spread}.')}"


def _columns(findings: Findings) -> str:
    return ("@{}l" if _many(findings) else "@{}ll") + "r@{}l" + "r@{}lr" * (len(findings.networks) - 1) + "@{}"


def _many(findings: Findings) -> bool:
    """Three networks and more leave no room for a column of profiles; the notes say them then."""
    return len(findings.networks) > 2


def _size(findings: Findings) -> str:
    """The size of type in which the table is as wide as a page at most, as a rule."""
    return {1: r"\small", 2: r"\small", 3: r"\small", 4: r"\footnotesize"}.get(len(findings.networks), r"\scriptsize")


def _head(findings: Findings, heads: tuple[str, ...]) -> str:
    cells = ["Rule"] if _many(findings) else ["Rule", "Profile"]
    for index, head in enumerate(heads):
        cells += [rf"\multicolumn{{2}}{{c}}{{{tex(head)}}}", *(["ratio"] if index else [])]
    return f"    {' & '.join(cells)} \\\\"


def _rows(findings: Findings, unit: Scale) -> list[str]:
    subject, *others = findings.networks
    rows = []
    for tariff in tariffs(findings):
        own = bill(subject, tariff)
        name = (label(findings, tariff),) if _many(findings) else tariff
        cells = [*map(tex, name), *_mean(own, unit)]
        for other in (bill(each, tariff) for each in others):
            cells += [*_mean(other, unit), tex(ratio(other, own))]
        rows.append(f"    {' & '.join(cells)} \\\\")
    return rows


def _mean(found: Billed | None, unit: Scale) -> tuple[str, str]:
    """Two cells, so that the signs ± stand below each other."""
    if found is None:
        return tex("–"), ""
    mean, sign, deviation = unit.either(found.energy.pj, sd(found)).partition(" ± ")
    return tex(mean), rf"\,\ensuremath{{\pm}}\,{tex(deviation)}" if sign else ""


def _notes(findings: Findings, heads: tuple[str, ...]) -> tuple[str, ...]:
    """What the numbers are made of, below the table in small type."""
    parts = []
    for head, each in zip(heads, findings.networks, strict=True):
        title = each.title if head == each.title else f"{head} {each.title}"
        said = f"{title}: {each.about}" if each.about and each.role == "against" else title
        parts += [f"{tex(said)}."] if said != each.title else []
    if _many(findings):
        parts.append(tex(f"Profiles: {', '.join(f'{rule} on {profile}' for rule, profile in tariffs(findings))}."))
    parts += map(tex, constants_text(findings))
    parts.append(f"Data: {tex(findings.data)}.")
    body = "\n    ".join(parts)
    return (
        r"  \par\medskip",
        r"  \parbox{0.96\linewidth}{\footnotesize\raggedright\sloppy",
        f"    {body}",
        "  }",
    )
