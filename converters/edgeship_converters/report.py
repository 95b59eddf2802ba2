"""The report of a conversion: one HTML page that stands alone, with the layers' costs as bars."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring

import msgspec

from edgeship_converters.convert import Conversion
from edgeship_converters.recipe import Recipe
from edgeship_converters.recipe_toml import recipe_toml
from edgeship_converters.sensitivity import LayerCost, Ranking
from edgeship_converters.study import Studied
from edgeship_runtime.bundle import Bundle, VariantSpec
from edgeship_runtime.durable import replace_file

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #1b1f24; background: #fff; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; } th, td { padding: .25rem .75rem; text-align: right;
  border-bottom: 1px solid #d8dee4; white-space: nowrap; }
th:first-child, td:first-child, td.words { text-align: left; }
td.words { white-space: normal; min-width: 16rem; }
pre { background: #f6f8fa; padding: 1rem; overflow-x: auto; } code, pre { font-size: .9em; }
svg { max-width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: #1b1f24; }
"""
_BARS = 40
_ROW, _LABEL, _BAR, _VALUE = 20, 260, 520, 90
_COLOUR = "#2f6db5"


def write_report(path: str | os.PathLike[str], conversion: Conversion) -> None:
    """Write the page, whole or not at all.

    Args:
        path: an `.html` file; one that is there is replaced.
        conversion: what to tell of.

    Raises:
        OSError: where it cannot be written.
    """
    replace_file(Path(path), page(conversion).encode())


def write_study(path: str | os.PathLike[str], name: str, fault: str, studied: Studied) -> None:
    """Write the page of a conversion that missed its budget: why, and what the study found.

    Args:
        path: an `.html` file; one that is there is replaced.
        name: of the model.
        fault: why there is no bundle.
        studied: the ranking.

    Raises:
        OSError: where it cannot be written.
    """
    replace_file(Path(path), study_page(name, fault, studied).encode())


def study_page(name: str, fault: str, studied: Studied) -> str:
    """The page of a conversion without a bundle as HTML; all that is not ours is escaped."""
    html, body = _html(name)
    _add(body, "p", f"No bundle was written: {fault}")
    _sensitivity(body, studied)
    return _text(html)


def page(conversion: Conversion) -> str:
    """The page as HTML; all that is not ours is escaped."""
    manifest = conversion.bundle.manifest
    html, body = _html(f"{manifest.name} {manifest.version}")
    source = _add(body, "p", f"made of a {manifest.source.kind} model, SHA-256 ")
    _add(source, "code", manifest.source.sha256)
    _variants(body, conversion.bundle)
    _listed(body, "Left out", [f"{v}: {why}" for v, why in conversion.left_out.items()])
    if conversion.without_data:
        names = ", ".join(conversion.without_data)
        _add(body, "p", f"Left out without data, which must prove them: {names}")
    _listed(body, "Warnings", conversion.warnings)
    _sensitivity(body, conversion.studied)
    return _text(html)


def _html(title: str) -> tuple[Element, Element]:
    """A page with nothing but its title yet, and its body."""
    html = Element("html", lang="en")
    head = SubElement(html, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", name="viewport", content="width=device-width")
    _add(head, "title", title)
    _add(head, "style", _STYLE)
    body = SubElement(html, "body")
    _add(body, "h1", title)
    return html, body


def _text(html: Element) -> str:
    return "<!DOCTYPE html>\n" + tostring(html, encoding="unicode", method="html") + "\n"


def _variants(body: Element, bundle: Bundle) -> None:
    variants = bundle.manifest.variants
    evidence = variants[0].evidence
    _add(body, "h2", "Variants")
    _add(
        body,
        "p",
        f"Judged against the source model on {evidence.rows} rows ({_rows_from(bundle)}).",
    )
    metric = evidence.metric or "metric"
    header = ["variant", "size", "of float32", "largest error, by output", "labels flipped"]
    floats = {v.format: v.bytes for v in variants if v.precision == "float32"}
    rows = [[*_facts(v, floats.get(v.format)), _how(v)] for v in variants]
    _table(body, [*header, metric, f"source {metric}", "how"], rows)


def _rows_from(bundle: Bundle) -> str:
    return {
        "eval-data": "rows of their own, which had no part in making them",
        "held-out": "held out of the data",
        "synthetic": "drawn at random, as no data was given",
    }[bundle.manifest.variants[0].evidence.rows_from]


def _facts(variant: VariantSpec, float32: int | None) -> list[str]:
    evidence = variant.evidence
    errors = [f"{name} {error.max_abs:.2g}" for name, error in evidence.errors.items()]
    return [
        variant.name,
        f"{variant.bytes / 1000:,.1f} kB",
        "-" if float32 is None else f"{variant.bytes / float32:.0%}",
        ", ".join(errors) or "-",
        "-" if evidence.label_flips is None else str(evidence.label_flips),
        _percent(evidence.variant_metric),
        _percent(evidence.source_metric),
    ]


def _how(variant: VariantSpec) -> str:
    return msgspec.convert(variant.recipe, Recipe).words() if variant.recipe else "as it is"


def _sensitivity(body: Element, studied: Studied) -> None:
    ranking = studied.ranking
    if ranking is not None:
        _add(body, "h2", "Sensitivity")
        _add(
            body,
            "p",
            f"Each layer of {ranking.variant} was quantized alone and run on {ranking.rows} "
            "calibration rows. The error is the share of the outputs' variance that is lost.",
        )
        _bars(body, ranking)
        header = ["layer", "error", "SQNR in dB", "labels flipped", "operators", "bytes in float"]
        _table(body, header, [_cost(cost) for cost in ranking.layers])
        _listed(body, "Why", [f"{c.layer} fails: {c.fault}" for c in ranking.layers if c.fault])
    for variant, met in studied.met.items():
        if met.proof.fault is None:
            _add(body, "h2", f"The recipe that {variant} needs")
            text = f"Found with {met.tried} candidates. To use it again, give it with --recipe."
            _add(body, "p", text)
            _add(body, "pre", recipe_toml(variant, met.recipe))


def _cost(cost: LayerCost) -> list[str]:
    size = [str(cost.ops), f"{cost.weights:,}"]
    if cost.fault:
        return [cost.layer, "fails", "-", "-", *size]
    return [cost.layer, f"{cost.error:.2g}", f"{cost.sqnr:.1f}", _percent(cost.flips), *size]


def _bars(body: Element, ranking: Ranking) -> None:
    """The costliest layers as horizontal bars, the longest for the worst."""
    shown = ranking.layers[:_BARS]
    finite = [cost.error for cost in shown if cost.error < float("inf")]
    worst = max(finite, default=0.0) or 1.0
    height = _ROW * len(shown) + 4
    width = _LABEL + _BAR + _VALUE
    attributes = {"viewBox": f"0 0 {width} {height}", "width": f"{width}", "height": f"{height}"}
    svg = SubElement(body, "svg", {**attributes, "role": "img"})
    _add(svg, "title", "The error that quantizing each layer alone causes")
    for place, cost in enumerate(shown):
        _bar(svg, cost, min(cost.error / worst, 1.0), _ROW * place)
    if len(ranking.layers) > _BARS:
        _add(body, "p", f"… and {len(ranking.layers) - _BARS} more, in the table.")


def _bar(svg: Element, cost: LayerCost, share: float, top: int) -> None:
    middle = str(top + 15)
    label = cost.layer if len(cost.layer) <= 36 else f"{cost.layer[:35]}…"
    _add(svg, "text", label, {"x": str(_LABEL - 8), "y": middle, "text-anchor": "end"})
    length = max(1.0, _BAR * share)
    box = {"x": str(_LABEL), "y": str(top + 4), "width": f"{length:.1f}", "height": str(_ROW - 6)}
    SubElement(svg, "rect", {**box, "fill": _COLOUR})
    _add(
        svg,
        "text",
        "fails" if cost.fault else f"{cost.error:.2g}",
        {"x": f"{_LABEL + length + 6:.1f}", "y": middle},
    )


def _listed(body: Element, title: str, lines: Sequence[str]) -> None:
    if lines:
        _add(body, "h2", title)
        listed = SubElement(body, "ul")
        for line in lines:
            _add(listed, "li", line)


def _table(body: Element, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = SubElement(SubElement(body, "div", {"class": "wide"}), "table")
    top = SubElement(SubElement(table, "thead"), "tr")
    for cell in header:
        _add(top, "th", cell)
    inside = SubElement(table, "tbody")
    for row in rows:
        line = SubElement(inside, "tr")
        for name, cell in zip(header, row, strict=True):
            _add(line, "td", cell, {"class": "words"} if name == "how" else {})


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def _add(parent: Element, tag: str, text: str, attributes: dict[str, str] | None = None) -> Element:
    element = SubElement(parent, tag, attributes or {})
    # A page must not hold control characters, which a layer's name could.
    element.text = "".join(c if c.isprintable() or c == "\n" else "�" for c in text)
    return element
