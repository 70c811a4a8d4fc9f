"""The page of a run: figures beside floors, plots by group, nothing from outside, all escaped."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from silvr_cli.evals import named, page, plots, report
from silvr_cli.evals.answers import Kept
from silvr_cli.evals.benchmark import Item, Response
from silvr_cli.evals.filming import Wish, make
from silvr_cli.evals.intervals import Interval
from silvr_cli.evals.results import Row
from silvr_cli.evals.results import figures as rate

SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> tuple[Row, ...]:
    """A run over needles in which what is told is answered rightly and what is shown is not."""
    folder = tmp_path_factory.mktemp("films")
    make(folder, Wish((10, 30), needles=10, films=2, pictures=False))
    benchmark = named("needles")
    data = benchmark.load(folder, "all")
    found = []
    for item in data.items:
        right = item.groups["way"] == "told"
        choice = item.gold["choice"] if right else (item.gold["choice"] + 1) % 4
        kept = Kept(item.id, Response(choice=choice))
        floors = benchmark.floors(item, data.timelines[item.video])
        found.append(Row(item, kept, rate(benchmark, item, kept), floors))
    return tuple(found)


@pytest.fixture(scope="module")
def made(rows: tuple[Row, ...]) -> str:
    run = report.Run("all", "fake", 0, None, "silvr eval needles --data '<films>'")
    return page.html(report.build(named("needles"), rows, run), rows)


def test_every_plot_is_well_formed_and_has_its_figures(made: str) -> None:
    drawn = [ET.fromstring(each) for each in SVG.findall(made)]
    told = [title.text or "" for each in drawn for title in each.iter("title")]
    assert len(drawn) == 4, "by depth, by length, by way, by depth and length"
    assert any(re.match(r"told: 100\.0 % \(\d\d\.\d to 100\.0\), \d+ questions", t) for t in told)
    assert any(t.startswith("shown: 0.0 %") for t in told)
    assert any(t.startswith("10 min: ") for t in told)
    assert any(re.fullmatch(r"\d+\.\d % of 2 questions", t) for t in told)


def test_the_page_stands_alone(made: str) -> None:
    assert "<script" not in made
    assert not re.search(r"(?:src|href|url)\s*[=(]", made)


def test_figures_stand_beside_their_floors(made: str) -> None:
    assert "<th>chance</th>" in made
    assert "<td>accuracy</td>" in made
    assert "<td>25.0</td>" in made


def test_each_part_of_a_group_stands_beside_its_floors(rows: tuple[Row, ...]) -> None:
    run = report.Run("all", "fake", 0, None, "silvr eval needles")
    made = report.build(named("needles"), rows, run)
    told = report.markdown(made).split("\n")
    head = next(line for line in told if line.startswith("| way |"))
    assert "| chance (accuracy) | longest option (accuracy) | word overlap (accuracy) |" in head
    row = next(line for line in told if line.startswith("| told |")).split(" | ")
    part = made.groups["way"]["told"]
    assert row[2].startswith("100.0 (")
    assert row[4] == "25.0"
    assert row[5] == f"{100 * part.floors['longest option']['accuracy']:.1f}"


def test_a_figure_over_groups_leaves_the_groups_a_plot_of_their_own() -> None:
    benchmark, found = named("mlvu"), []
    for task in ("plotQA", "needle"):
        item = Item(task, "v", "?", ("a", "b"), gold=0, groups={"task": task})
        kept = Kept(task, Response(choice=0))
        found.append(Row(item, kept, rate(benchmark, item, kept), benchmark.floors(item, None)))
    run = report.Run("dev", "fake", 0, None, "silvr eval mlvu")
    made = page.html(report.build(benchmark, found, run), found)
    assert "<h2>accuracy by task</h2>" in made
    assert len(SVG.findall(made)) == 1


def test_what_the_user_typed_is_escaped(made: str) -> None:
    assert "&lt;films&gt;" in made
    assert "<films>" not in made


def test_a_point_stands_at_its_height() -> None:
    drawn = plots.points([plots.Point("a & b", Interval(0.75, 0.5, 1.0), 8)], floor=0.25)
    root = ET.fromstring(drawn)
    (mark,) = root.iter("circle")
    whisker = next(line for line in root.iter("line") if line.get("class") == "whisker")
    floor = next(line for line in root.iter("line") if line.get("class") == "floor")
    top, height = plots.TOP, plots.HEIGHT
    assert float(mark.get("cy", 0)) == pytest.approx(top + height * 0.25)
    assert (whisker.get("y1"), whisker.get("y2")) == (f"{top + height * 0.5:.1f}", f"{top:.1f}")
    assert floor.get("y1") == f"{top + height * 0.75:.1f}"


def test_a_grid_leaves_out_what_was_not_asked() -> None:
    root = ET.fromstring(plots.grid(["r"], ["c", "d"], {("r", "d"): (0.5, 4)}))
    (cell,) = root.iter("rect")
    assert cell.get("fill-opacity") == "0.30"
    assert [text.text for text in root.iter("text")] == ["c", "d", "r", "50"]


def test_a_run_without_public_answers_says_so(rows: tuple[Row, ...], tmp_path: Path) -> None:
    run = report.Run("test", "fake", 0, None, "silvr eval")
    bare = tuple(Row(row.item, row.kept) for row in rows[:3])
    made = page.html(report.build(named("needles"), bare, run), bare)
    assert "no public answers" in made
    assert "<svg" not in made
