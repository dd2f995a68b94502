"""The sections of the page, in the order in which one reads them; each is nothing where the findings say nothing."""

from __future__ import annotations

from functools import partial

from ..energy import KINDS, Energy
from ..findings import Findings
from . import charts, contents, spike_charts
from .bills import label, over_samples, spread_text
from .markup import Html, element, joined
from .parts import Numbers, drawing, legend, marks, paragraph, references, section
from .svg import chart
from .text import energy, listed, percent, short

HOLLOW = ("○", "□", "◇", "△", "▽", "✚")
ROADS = {
    "graph": "a graph and its run",
    "chip": "a chip graph and its run",
    "module": "the torch module while it ran",
}
KIND_TEXTS = {
    "synapses": "synapses", "neurons": "neuron updates", "bias": "bias", "reset": "reset",
    "elementwise": "elementwise", "memory": "memory", "addressing": "addressing", "hops": "spike hops",
}  # fmt: skip


def rules(findings: Findings, numbers: Numbers) -> Html:
    """Rules side by side, the spread as the honest uncertainty."""
    subject, *others = findings.networks
    why = (
        f"{subject.title} costs {spread_text(subject)}. The network and its input are the same, only the rule and its "
        "constants differ: what is billed as what. No measurement decides between the rules, so this spread is the "
        "honest uncertainty of any single number."
    )
    shown = [("●", "subject", subject.title)]
    shown += [(HOLLOW[(1 + i) % len(HOLLOW)], "against", other.title) for i, other in enumerate(others)]
    caption = (
        f"Energy per sample by rule, {over_samples(findings)}. The band is the spread of {subject.title} over the "
        "rules. Where marks lie far apart the axis is logarithmic."
    )
    alt = "; ".join(
        f"{network.title}: " + ", ".join(f"{each.energy.rule} {energy(each.energy.pj)}" for each in network.billed)
        for network in findings.networks
    )
    about = [paragraph(element("b", each.title), f": {each.about}.") for each in findings.networks if each.about]
    drawn = numbers.drawing(caption, alt, partial(charts.rules, findings), marks(shown))
    table = numbers.table(contents.rules(findings))
    return section("rules", "Rules side by side", paragraph(why), *about, drawn, table)


def composition(findings: Findings, numbers: Numbers) -> Html:
    """Energy by kind of work and by layer."""
    found = {line.kind for network in findings.networks for each in network.billed for line in each.energy.lines}
    if not found:
        return Html("")
    colours = legend((kind, KIND_TEXTS[kind]) for kind in KINDS if kind in found)
    caption = "What the energy is made of: shares of each kind of work, rule by rule."
    alt = "; ".join(
        f"{network.title} under {each.energy.rule}: {_shares(each.energy)}"
        for network in findings.networks
        for each in network.billed
    )
    drawn = numbers.drawing(caption, alt, partial(charts.kinds, findings), colours)
    layers = _layers(findings, numbers, colours) if findings.subject.billed else Html("")
    table = numbers.table(contents.layer_energy(findings))
    return section("composition", "Energy by kind and by layer", drawn, layers, table)


def _shares(found: Energy) -> str:
    return ", ".join(f"{kind} {percent(_share(pj, found.pj), 0)}" for kind, pj in found.by_kind().items())


def _share(part: float, of: float) -> float:
    return part / of if of else 0.0


def _layers(findings: Findings, numbers: Numbers, colours: Html) -> Html:
    """A chart of the layers for each rule, one at a time on the screen and all of them on paper."""
    number, switches, tabs = next(numbers.figures), [], []
    for index, billed in enumerate(findings.subject.billed):
        title, name = label(findings, (billed.energy.rule, billed.energy.profile)), f"rule-{index}"
        switches.append(element("input", type="radio", name="rule", id=name, checked=index == 0))
        switches.append(element("label", title, for_=name))
        tabs.append(
            element("div", element("h3", title), _tab(findings, billed.energy, index), class_=f"tab tab-{index}")
        )
    caption = (
        f"Energy of {findings.subject.title} by layer and kind of work, per sample, rule by rule; every rule has an "
        "axis of its own."
    )
    shown = element("div", *switches, *tabs, class_="tabs")
    return element("h3", "Layer by layer") + drawing(number, caption, colours, shown)


def _tab(findings: Findings, found: Energy, index: int) -> Html:
    order = tuple(findings.subject.counts.layers)
    most = sorted(found.by_layer().items(), key=lambda pair: -pair[1])[:3]
    alt = f"Energy by layer under {found.rule}. Most: {', '.join(f'{layer} {energy(pj)}' for layer, pj in most)}."
    return chart(f"layers-{index}", alt, partial(charts.layers, found, order))


def tabs_style(findings: Findings) -> Html:
    """Shows the chart whose rule is chosen; it needs no script."""
    chosen = (f"#rule-{index}:checked ~ .tab-{index}" for index in range(len(findings.subject.billed)))
    return Html(f"@media screen {{ {', '.join(chosen)} {{ display: block; }} }}")


def effective(findings: Findings, numbers: Numbers) -> Html:
    """Effective against dense."""
    tables = [
        numbers.table(made(each.title, each.counts), total=True)
        for made in (contents.layers, contents.memory)
        for each in findings.networks
    ]
    counts = findings.subject.counts
    total = counts.total.pairs
    if not total.dense:
        return section("operations", "Operations", *tables)
    dense, done = short(total.dense / counts.samples), short(total.effective / counts.samples)
    said = (
        f"Of {dense} pairs in each sample {done} are effective: {percent(total.effective / total.dense)}. Padding is "
        "no pair: a spike at a border reaches fewer outputs, and only those are counted."
    )
    found = [(name, each.ops.pairs) for name, each in counts.layers.items() if each.ops.pairs.dense]
    alt = "; ".join(f"{name}: {percent(pairs.effective / pairs.dense)}" for name, pairs in found)
    caption = "Effective pairs (filled) in all pairs there are (pale), layer by layer."
    if len(found) > charts.MOST_LAYERS:
        caption += f" The {charts.MOST_LAYERS} largest of {len(found)} layers; the table has all."
    colours = legend((("accent", "effective"), ("soft", "dense")))
    drawn = numbers.drawing(caption, alt, partial(charts.effective, findings), colours)
    return section("operations", "Effective against dense", paragraph(said), drawn, *tables)


def spikes(findings: Findings, numbers: Numbers) -> Html:
    """Where and when neurons fire, on the first sample."""
    layers = findings.spikes
    if not layers:
        return Html("")
    most = spike_charts.MOST_LAYERS
    cut = f" The first {most} of {len(layers)} layers." if len(layers) > most else ""
    rates = "; ".join(f"{each.layer} {percent(float(each.rates.mean()))}" for each in layers[:most])
    maps = numbers.drawing(
        "Firing rates in the first sample: spikes per neuron and step, a mean over channels where there are any. Above "
        f"each map its shape, its mean and its highest value; each has its own scale.{cut}",
        f"Mean firing rates by layer: {rates}.", partial(spike_charts.maps, layers),
    )  # fmt: skip
    raster = numbers.drawing(
        "Spikes of the first sample, a mark for each, a row for each neuron. Where a layer is too large, neurons are "
        f"drawn that lie evenly in it, with all of their spikes; the titles say how many.{cut}",
        f"Spike raster of {listed(each.layer for each in layers[:most])} over {layers[0].steps} steps.",
        partial(spike_charts.raster, layers),
    )  # fmt: skip
    return section("spikes", "Where and when neurons fire", maps, raster)


def break_even(findings: Findings, numbers: Numbers) -> Html:
    """The measured rate beside the rate below which a layer wins."""
    found = findings.break_even
    if not found:
        return Html("")
    wins, still = sum(each.wins for each in found), sum(each.wins_with_neurons for each in found)
    said = (
        f"{wins} of {len(found)} layers spike rarely enough to cost less than a quantised ANN whose values have as "
        f"many bits as the steps can tell apart, ⌈log₂(T + 1)⌉; {still} of them where neuron updates are billed too. "
        "Memory is left out on both sides."
    )
    caption = "The rate measured, and the rate below which the layer wins (bar), synapses alone."
    if len(found) > charts.MOST_LAYERS:
        caption += f" The first {charts.MOST_LAYERS} of {len(found)} layers; the table has all."
    rows = contents.break_even(findings).rows[: charts.MOST_LAYERS]
    alt = "; ".join(f"{row[0]} {row[3]}, wins below {row[4]}" for row in rows)
    shown = marks((("●", "subject", "measured, wins"), ("✕", "against", "measured, loses"), ("┃", "", "wins below")))
    drawn = numbers.drawing(caption, alt, partial(charts.break_even, findings), shown)
    table = numbers.table(contents.break_even(findings))
    return section("break-even", "Break-even with a quantised ANN", paragraph(said), drawn, table)


def samples(findings: Findings, numbers: Numbers) -> Html:
    """The spread over samples and classes."""
    shown = numbers.table(contents.statistics(findings))
    billed = findings.subject.billed[0] if findings.subject.billed else None
    if billed is not None and billed.classes:
        caption = (
            f"Energy by class under {billed.energy.rule}: mean (mark), its 95 % confidence interval (thick), the "
            "smallest and the largest sample (thin). Dashed: the mean over all samples."
        )
        alt = "; ".join(f"{name} {energy(over.mean)}" for name, over in billed.classes.items())
        drawn = numbers.drawing(caption, alt, partial(charts.classes, findings))
        shown = shown + drawn + numbers.table(contents.classes(findings))
    return section("samples", "Over the samples", shown) if shown else Html("")


def conventions(findings: Findings, numbers: Numbers) -> Html:
    """Published conventions, and what each leaves out."""
    if not findings.figures:
        return Html("")
    said = (
        "Papers print figures of different counters under the same name. Here is what each of them says of this "
        "network; factors of two and more between two papers are often no more than this."
    )
    tables = numbers.table(contents.conventions(findings)), numbers.table(contents.misses(findings))
    return section("conventions", "By published conventions", paragraph(said), *tables)


def left_out(findings: Findings, numbers: Numbers) -> Html:
    """What was not counted, and what was counted and not billed."""
    tables = [numbers.table(contents.uncounted(each.counts)) for each in findings.networks]
    tables.append(numbers.table(contents.unbilled(findings)))
    if not any(each.counts.uncounted for each in findings.networks):
        tables.insert(0, paragraph("Every operation that ran was counted."))
    return section("left-out", "What is in no number", *tables)


def provenance(findings: Findings, numbers: Numbers) -> Html:
    """Rules and constants with their sources."""
    return section(
        "provenance", "Rules and constants",
        numbers.table(contents.meanings(findings)), *references(contents.constants(findings), numbers),
    )  # fmt: skip


def making(findings: Findings, versions: tuple[tuple[str, str], ...]) -> Html:
    """The exact command, what it ran on, with what, and what a reader has to know."""
    subject = findings.subject
    counts = subject.counts
    facts = [
        ("Source", findings.source), ("Data", findings.data), ("SHA-256 of the data", findings.data_identity),
        ("Samples", f"{counts.samples:,}"), ("Steps of a sample", f"{counts.steps_of_sample:g}"),
        ("Counted from", ROADS[counts.road]),
        *versions,
    ]  # fmt: skip
    entries = joined(element("dt", name) + element("dd", value) for name, value in facts if value)
    notes = dict.fromkeys((*findings.notes, *(note for each in findings.networks for note in each.counts.notes)))
    said = element("ul", *(element("li", note) for note in notes)) if notes else Html("")
    return section(
        "making", "How this page was made", element("code", findings.command, class_="command"),
        element("dl", entries, class_="facts"), element("h3", "Notes") if notes else Html(""), said,
    )  # fmt: skip
