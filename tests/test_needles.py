"""Needle films from the wish to the score: files, times, what is told and shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from silvr_cli.errors import BackendMissing, InputError, UsageError
from silvr_cli.evals import filming, haystack, named, voice
from silvr_cli.evals.benchmark import Response, Span, means
from silvr_cli.evals.filming import Wish, make
from silvr_cli.evals.needles import tenth
from silvr_cli.media.probe import content_id, probe
from silvr_cli.media.subtitles import read_subtitles


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    make(folder, Wish((10, 30), needles=8, films=2, seed=3, pictures=False))
    return folder


def test_the_benchmark_reads_what_was_made(folder: Path) -> None:
    data = named("needles").load(folder, "all")
    assert len(data.items) == 2 * 2 * 8
    assert set(data.timelines) == {item.video for item in data.items}
    assert {item.groups["length"] for item in data.items} == {"10 min", "30 min"}
    assert {item.groups["way"] for item in data.items} == {"told", "shown"}
    for item in data.items:
        answer = item.choices[item.gold["choice"]]
        start, end = item.gold["span"]
        lines = data.timelines[item.video].lines
        near = [line.text for line in lines if line.start < end and line.end > start]
        assert answer in " ".join(near)


def test_the_floors_are_near_chance(folder: Path) -> None:
    benchmark = named("needles")
    data = benchmark.load(folder, "all")
    floors = [benchmark.floors(item, data.timelines[item.video]) for item in data.items]
    assert {floor["chance"]["accuracy"] for floor in floors} == {0.25}
    overlap = sum(floor["word overlap"]["accuracy"] for floor in floors) / len(floors)
    # All options are in the film: words alone cannot tell which belongs to whom.
    assert overlap < 0.5


def test_an_answer_scores_with_its_place(folder: Path) -> None:
    benchmark = named("needles")
    item = benchmark.load(folder, "all").items[0]
    start, end = item.gold["span"]
    there, elsewhere = Span(start, end), Span(end + 60, end + 70)
    right, wrong = item.gold["choice"], (item.gold["choice"] + 1) % 4
    assert benchmark.score(item, Response(choice=right, evidence=(there,))) == {
        "accuracy": 1.0,
        "evidence in place": 1.0,
    }
    assert benchmark.score(item, Response(choice=wrong, evidence=(elsewhere,))) == {
        "accuracy": 0.0,
        "evidence in place": 0.0,
    }
    assert means([(item, benchmark.score(item, Response("missing")))])["accuracy"] == 0.0


def test_the_film_is_written_with_its_subtitles(tmp_path: Path) -> None:
    path = make(tmp_path, Wish((1,), needles=1, seed=2))
    (film,) = json.loads(path.read_text("utf-8"))["films"]
    made = tmp_path / "videos" / f"{film['id']}.mp4"
    video = probe(made, content_id(made))
    assert video.duration == pytest.approx(film["duration"], abs=0.3)
    assert video.picture
    assert (video.picture.width, video.picture.height) == (640, 360)
    cues = read_subtitles(tmp_path / "subtitles" / f"{film['id']}.srt")
    said = [line for line in film["lines"] if line[2] == "speech"]
    assert [(line.start, line.text) for line in cues] == [(line[0], line[3]) for line in said]


def test_each_line_that_is_told_is_on_a_picture_of_its_own() -> None:
    film = haystack.plan(1, 1, seed=2)
    shots = list(filming.shots(film, None))
    lines = [line for told in film.told for line in haystack.lines(told)]
    assert sum(shot.seconds for shot in shots) == film.duration
    assert len(shots) == len(lines)
    # The band below differs from picture to picture, and is dark.
    assert all((one.picture[-74:] != other.picture[-74:]).any() for one, other in pairwise(shots))


def test_depths_fall_into_tenths() -> None:
    assert [tenth(depth) for depth in (0.0, 0.0999, 0.1, 0.95, 1.0)] == [
        "0-10 %",
        "0-10 %",
        "10-20 %",
        "90-100 %",
        "90-100 %",
    ]


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no needles\.json"):
        named("needles").load(tmp_path, "all")
    (tmp_path / "needles.json").write_text("{}", "utf-8")
    with pytest.raises(InputError, match="is no silvr-needles/1"):
        named("needles").load(tmp_path, "all")


def test_without_the_voice_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(BackendMissing, match=r"silvr\[eval-voice\]"):
        voice.Voice()


@pytest.mark.extras
def test_a_voice_says_what_is_told_in_its_time(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader")
    make(tmp_path, Wish((1,), needles=1, seed=2, voice="en-us"))
    (made,) = (tmp_path / "videos").glob("*.mp4")
    assert probe(made, content_id(made)).audio
    speaker = voice.Voice()
    short, long = speaker.seconds("One."), speaker.seconds("One, two, three, four, five and six.")
    assert 0.2 < short < long < 10


def silvr(*words: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "silvr_cli", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environ,
        timeout=100,
    )


def test_films_are_made_asked_about_and_drawn_by_commands(tmp_path: Path) -> None:
    films, results = tmp_path / "films", tmp_path / "results"
    cache = {"SILVR_CACHE": str(tmp_path / "cache.db")}
    made = silvr("eval", "make-needles", films, "--minutes", "4", "--needles", "3", "--text-only")
    assert (made.returncode, made.stdout.strip()) == (0, str(films / "needles.json"))
    asked = silvr("eval", "needles", "--data", films, "--dry-run", "-q", "-o", results, **cache)
    assert asked.returncode == 0, asked.stderr
    (folder,) = results.iterdir()
    page = folder / "report.html"
    assert "accuracy by depth" in page.read_text("utf-8")
    drawn = silvr("eval", "html", folder, "-o", tmp_path / "page.html")
    assert (drawn.returncode, drawn.stdout.strip()) == (0, str(tmp_path / "page.html"))
    assert (tmp_path / "page.html").read_text("utf-8") == page.read_text("utf-8")


def test_what_is_no_run_or_no_film_is_one_sentence(tmp_path: Path) -> None:
    nothing = silvr("eval", "html", tmp_path)
    assert nothing.returncode == 3
    assert "report.json cannot be read" in nothing.stderr
    crowded = silvr("eval", "make-needles", tmp_path, "--minutes", "1", "--needles", "20")
    assert crowded.returncode == 2
    assert "do not fit into 1 minutes" in crowded.stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="films cannot be written: Not a directory"):
        make(tmp_path / "file" / "films", Wish((5,), needles=1, pictures=False))
