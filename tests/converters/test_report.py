"""The report page: all that was found, escaped, alone in its file; and what the command prints."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from edgeship_converters.convert import Conversion, carry_out
from edgeship_converters.recipe import load_recipes
from edgeship_converters.report import page, study_page, write_report
from edgeship_converters.request import Request
from tests.converters.badly_scaled import save_digits_model


class Page(HTMLParser):
    """A page's text by the element that holds it, and all attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: dict[str, list[str]] = {}
        self.attributes: list[tuple[str, str | None]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts.setdefault(self._open[-1], []).append(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier whose first two layers int8 cannot hold."""
    made = tmp_path_factory.mktemp("report")
    save_digits_model(made, {"first": 32, "second": 32, "wide": 96, "wider": 96})
    return made


@pytest.fixture(scope="module")
def conversion(folder: Path) -> Conversion:
    """All its variants, tflite-int8 and onnx-int8 mended."""
    request = Request(
        source=folder / "m.keras",
        data=folder / "train.npz",
        eval_data=folder / "test.npz",
        label_column="y",
        name="digits",
        sensitivity=True,
    )
    return carry_out(request, folder / "all")


def test_the_page_tells_of_every_variant(conversion: Conversion) -> None:
    told = Page(page(conversion))
    manifest = conversion.bundle.manifest
    cells = told.texts["td"]
    for variant in manifest.variants:
        assert variant.name in cells
        assert f"{variant.bytes / 1000:,.1f} kB" in cells
    assert manifest.source.sha256 in told.texts["code"]
    assert told.texts["h1"] == ["digits 1"]
    assert any("second: float32, first: float32" in cell for cell in cells)
    for name, why in conversion.left_out.items():
        assert f"{name}: {why}" in told.texts["li"]


def test_the_worst_layer_has_the_longest_bar_and_all_are_to_scale(conversion: Conversion) -> None:
    ranking = conversion.studied.ranking
    assert ranking is not None
    html = page(conversion)
    told = Page(html)
    widths = [
        float(str(value))
        for name, value in Page(html[html.index("<svg") : html.index("</svg>") + 6]).attributes
        if name == "width"
    ][1:]
    assert len(widths) == len(ranking.layers) == 5
    assert widths[0] == max(widths) > 100
    expected = [
        max(1.0, widths[0] * cost.error / ranking.layers[0].error) for cost in ranking.layers
    ]
    assert widths == pytest.approx(expected, abs=0.1)
    assert [cost.layer for cost in ranking.layers] == told.texts["text"][::2]


def test_the_proposed_recipe_can_be_taken_from_the_page(
    conversion: Conversion, tmp_path: Path
) -> None:
    shown = Page(page(conversion)).texts["pre"]
    assert len(shown) == len(conversion.studied.met) == 2
    for text, (variant, met) in zip(shown, conversion.studied.met.items(), strict=True):
        path = tmp_path / f"{variant}.toml"
        path.write_text(text, "utf-8")
        assert load_recipes(path)[variant] == met.recipe


def test_what_others_wrote_is_escaped_and_control_characters_are_not_kept(
    conversion: Conversion,
) -> None:
    warning = "<script>alert('1')</script> & \x00\x1b[31m"
    told = Page(page(replace(conversion, warnings=(warning,))))
    assert "script" not in told.texts
    assert "<script>alert('1')</script> & ��[31m" in told.texts["li"]


def test_the_page_needs_nothing_from_elsewhere(conversion: Conversion) -> None:
    html = page(conversion)
    assert "http" not in html
    assert not [name for name, _ in Page(html).attributes if name in ("src", "href", "onload")]


def test_a_conversion_without_a_study_has_a_page_without_one(digits: Path, tmp_path: Path) -> None:
    request = Request(source=digits / "digits.keras", variants="tflite-float32")
    html = page(carry_out(request, tmp_path / "b"))
    assert "<svg" not in html
    assert "drawn at random" in html


def test_writing_replaces_what_was_there(conversion: Conversion, tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.html"
    write_report(path, conversion)
    first = path.read_bytes()
    write_report(path, replace(conversion, warnings=("of something",)))
    assert path.read_bytes() != first
    assert b"of something" in path.read_bytes()
    assert [entry.name for entry in path.parent.iterdir()] == ["report.html"]


def test_a_page_without_a_bundle_says_why_and_is_escaped(conversion: Conversion) -> None:
    told = Page(study_page("digits", "it <b>loses</b> 3%", conversion.studied))
    assert "No bundle was written: it <b>loses</b> 3%" in told.texts["p"]
    assert told.texts["h1"] == ["digits"]
    assert "Sensitivity" in told.texts["h2"]


def test_a_missed_budget_leaves_the_ranking_on_the_page_and_no_bundle(tmp_path: Path) -> None:
    # Most weights are in the layers that int8 cannot hold, so none of them can stay in float.
    save_digits_model(tmp_path, {"first": 96, "second": 96})
    done = subprocess.run(
        [
            *(sys.executable, "-m", "edgeship", "convert", "m.keras", "-o", "b.edgeship"),
            *("--data", "train.npz", "--eval-data", "test.npz", "--variants", "tflite-int8"),
            *("--sensitivity", "--report", "r.html"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert "wrote r.html" in done.stdout
    (fault,) = done.stderr.splitlines()[-1:]
    assert "candidates were tried, this is the best of them" in fault
    told = Page((tmp_path / "r.html").read_text("utf-8"))
    assert told.texts["h1"] == ["m"]
    assert {"first", "second", "probabilities"} <= {*told.texts["td"]}
    (why,) = (text for text in told.texts["p"] if text.startswith("No bundle was written: "))
    assert why.removeprefix("No bundle was written: ") in fault
    assert not (tmp_path / "b.edgeship").exists()


def test_the_command_prints_the_ranking_and_the_recipe_and_writes_the_page(
    folder: Path, tmp_path: Path
) -> None:
    options = {"--data": "train.npz", "--eval-data": "test.npz", "--label-column": "y"}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "edgeship", "convert", "m.keras", "-o", tmp_path / "b"),
            *(part for option in options.items() for part in option),
            *("--variants", "tflite-int8", "--sensitivity", "--report", tmp_path / "r.html"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    (first,) = (i for i, line in enumerate(lines) if line.startswith("layer "))
    assert lines[first + 2].endswith(" " + "█" * 24)
    assert {lines[first + 2].split()[0], lines[first + 3].split()[0]} == {"first", "second"}
    assert "tflite-int8 missed the budget as it was; of 4 candidates the last met it." in lines
    assert lines[-1] == f"wrote {tmp_path / 'r.html'}"
    recipe = tmp_path / "found.toml"
    begin = lines.index("[tflite-int8]")
    recipe.write_text("\n".join(lines[begin:-2]), "utf-8")
    assert set(load_recipes(recipe)["tflite-int8"].layers) == {"first", "second"}
    assert "Sensitivity" in (tmp_path / "r.html").read_text("utf-8")
