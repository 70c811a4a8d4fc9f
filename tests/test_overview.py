"""Chapters and summaries through the pipeline and the command line, with models that pretend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from conftest import VideoMaker
from scripted import Scripted

from silvr_cli import overview, pipeline
from silvr_cli.configuration import load
from silvr_cli.errors import UsageError
from silvr_cli.media.probe import probe
from silvr_cli.records import Chapter, Line, Timeline, Video
from silvr_cli.session import Described, Session

DOCS = Path(__file__).parents[1] / "docs"
TOPICS = ("The dome turns with the stars.", "A mirror gathers light.", "Buses leave at noon.")
SRT = "".join(
    f"{n + 1}\n00:00:{n * 20 + 1:02d},000 --> 00:00:{n * 20 + 15:02d},000\n{text}\n\n"
    for n, text in enumerate(TOPICS)
)
LINES = tuple(Line(n * 20.0 + 1, n * 20.0 + 15, "speech", t) for n, t in enumerate(TOPICS))
VIDEO = Video("text:x", "talk", 60.0)
DESCRIBED = Described(Timeline(VIDEO, LINES), cuts=(20.0, 40.0))


def silvr(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "silvr_cli", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
        timeout=100,
    )


@pytest.fixture
def video(make_video: VideoMaker) -> Path:
    pictures = [np.full((90, 160, 3), v, np.uint8) for v in (20, 200, 90) for _ in range(40)]
    path = make_video("talk.mp4", pictures, fps=2)
    path.with_suffix(".srt").write_text(SRT, "utf-8")
    return path


@pytest.fixture
def session() -> Session:
    return Session.open(load({"chapters.count": 3}).settings)


def starts(*given: float, keep: bool = False, chapters: tuple[Chapter, ...] = ()) -> list[float]:
    described = replace(
        DESCRIBED, timeline=Timeline(replace(VIDEO, chapters=chapters), DESCRIBED.timeline.lines)
    )
    with Session.open(load().settings) as session:
        model = Scripted(say=lambda _: "Things of note")
        found = pipeline.chapters(described, session, overview.Given(given, keep), model)
    assert found[-1].end == 60.0
    assert all(a.end == b.start for a, b in pairwise(found))
    return [c.start for c in found]


def test_the_users_own_boundaries_are_only_titled() -> None:
    assert starts(0.0, 33.0) == [0.0, 33.0]
    assert starts(33.0, 12.5, 33.0) == [0.0, 12.5, 33.0]
    with pytest.raises(UsageError, match="1:30"):
        starts(90.0)


def test_chapters_of_the_file_are_kept_if_asked() -> None:
    own = (Chapter(0.04, 30.0, "Own"), Chapter(30.0, 60.0, ""))
    assert starts(keep=True, chapters=own) == [0.0, 30.0]
    assert starts(keep=False, chapters=own) != [0.0, 30.0]
    late = (Chapter(12.0, 30.0, "Late"),)
    assert starts(keep=True, chapters=late) == [0.0, 12.0]


def test_chapters_are_made_once(session: Session) -> None:
    first = Scripted(say=lambda _: "Domes")
    with session:
        found = pipeline.chapters(DESCRIBED, session, model=first)
        again = Scripted()
        assert pipeline.chapters(DESCRIBED, session, model=again) == found
        assert again.asked == []
        calls = session.store.rows("select stage, count(*) from calls group by stage")
    assert calls == [("chapters", len(first.asked))]


def test_a_model_that_reads_much_is_asked_where_chapters_begin(session: Session) -> None:
    def say(prompt: str) -> str:
        if "Divide this stretch" in prompt:
            return "0:01 - The dome\n0:21 - The mirror\n0:41 - Buses"
        return "Untitled things"

    model = Scripted(say=say, words=False)
    with session:
        found = pipeline.chapters(DESCRIBED, session, model=model)
    assert [c.title for c in found][1:] == ["The mirror", "Buses"]
    assert [c.start for c in found] == [0.0, 20.0, 40.0]


def test_windows_cover_the_video_and_hold_so_many_tokens() -> None:
    model = Scripted()
    found = overview.windows(DESCRIBED.timeline, model, 10)
    assert found == [(0.0, 21.0), (21.0, 41.0), (41.0, 60.0)]
    assert overview.windows(DESCRIBED.timeline, model, 1000) == [(0.0, 60.0)]
    assert overview.windows(Timeline(VIDEO), model, 10) == [(0.0, 60.0)]


def test_styles_over_the_same_stretches_share_their_points(session: Session) -> None:
    with session:
        pipeline.summarize(DESCRIBED, session, Scripted(say=lambda _: "A dome turns under stars."))
        settings = session.settings
        tldr = settings.model_copy(
            update={"summary": settings.summary.model_copy(update={"style": "tldr"})}
        )
        model = Scripted(say=lambda _: "A dome turns under stars.")
        pipeline.summarize(DESCRIBED, replace(session, settings=tldr), model)
    assert not [prompt for prompt in model.asked if "part of a video" in prompt]


@pytest.mark.parametrize("form", ["text", "youtube", "json", "ffmetadata", "vtt", "md"])
def test_a_dry_run_prints_chapters_in_every_format(video: Path, tmp_path: Path, form: str) -> None:
    target = tmp_path / "out"
    ran = silvr("chapters", video, "--dry-run", "--format", form, "-o", target, "--quiet")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert target.read_text("utf-8").strip()


def test_chapters_as_json_and_in_a_copy_of_the_file(video: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mkv"
    ran = silvr("chapters", video, "--dry-run", "--json", "--count", 3, "--embed", target)
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    schema = json.loads((DOCS / "chapters.schema.json").read_text("utf-8"))
    jsonschema.validate(document, schema)
    told = [(c["start"], c["title"]) for c in document["chapters"]]
    assert told[0][0] == 0
    assert len(told) == 3
    assert [(c.start, c.title) for c in probe(target).chapters] == [
        (pytest.approx(start, abs=0.01), title) for start, title in told
    ]


def test_titles_of_the_file_are_kept_as_they_are(session: Session) -> None:
    titles = [
        "C# basics (part 1)",
        "The 10:15 train",
        "Scene 1",
        "Scene 1",
        "a_b <c> | " + "d" * 70,
    ]
    own = tuple(Chapter(n * 10.0, n * 10.0 + 10, title) for n, title in enumerate(titles))
    told = replace(DESCRIBED, timeline=Timeline(replace(VIDEO, chapters=own), LINES))
    with session:
        found = pipeline.chapters(told, session, pipeline.Given(keep=True), Scripted())
    assert [c.title for c in found] == titles


def test_a_copy_and_its_chapters_are_two_files(video: Path, tmp_path: Path) -> None:
    twice = ("--embed", tmp_path / "copy.mp4", "-o", tmp_path / "copy.mp4")
    ran = silvr("chapters", video, "--dry-run", *twice)
    assert (ran.returncode, "both name" in ran.stderr) == (2, True)
    assert not (tmp_path / "copy.mp4").exists()


@pytest.mark.parametrize("command", ["chapters", "summarize"])
def test_json_and_another_format_contradict_each_other(video: Path, command: str) -> None:
    ran = silvr(command, video, "--dry-run", "--json", "--format", "md")
    assert (ran.returncode, "contradict each other" in ran.stderr) == (2, True)


def test_fewer_chapters_than_were_asked_for_are_told(video: Path) -> None:
    ran = silvr("chapters", video, "--dry-run", "--count", 1000)
    made = len(ran.stdout.splitlines())
    assert f"1000 chapters were asked for and {made} are made" in ran.stderr
    assert "were asked for" not in silvr("chapters", video, "--dry-run", "--count", made).stderr


def test_no_time_of_the_users_own_is_moved(session: Session) -> None:
    model = Scripted(say=lambda _: "Untitled things")
    with session:
        given = pipeline.Given((0.5, 0.7))
        found = pipeline.chapters(DESCRIBED, session, given, model)
    assert [c.start for c in found] == [0.0, 0.5, 0.7]


def test_own_times_need_no_chapters_in_the_file(session: Session) -> None:
    told: list[str] = []
    with session:
        pipeline.chapters(
            DESCRIBED,
            replace(session, tell=told.append),
            pipeline.Given((20.0,), keep=True),
            Scripted(say=lambda _: "Untitled things"),
        )
    assert told == []


@pytest.mark.parametrize("style", ["tldr", "bullets", "detailed", "minutes"])
def test_a_dry_run_prints_every_style(video: Path, style: str) -> None:
    ran = silvr("summarize", video, "--dry-run", "--style", style, "--json")
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    schema = json.loads((DOCS / "summary.schema.json").read_text("utf-8"))
    jsonschema.validate(document, schema)
    points = [p for s in document["summary"]["sections"] for p in s["points"]]
    assert points
    assert all(0 <= p["start"] <= p["end"] <= 60 for p in points)
    # A model that only pretends bears nothing out: its words never come through.
    assert "[fake]" not in " ".join(p["text"] for p in points if not p["quote"])


def test_own_text_needs_no_video(tmp_path: Path) -> None:
    path = tmp_path / "talk.srt"
    path.write_text(SRT, "utf-8")
    for command in ("chapters", "summarize"):
        ran = silvr(command, "--subtitles", path, "--llm", "fake")
        assert ran.returncode == 0, ran.stderr
        assert "0:0" in ran.stdout


def test_what_youtube_would_not_show_is_told(tmp_path: Path) -> None:
    path = tmp_path / "talk.srt"
    path.write_text(SRT, "utf-8")
    words = ("chapters", "--subtitles", path, "--llm", "fake", "--format", "youtube")
    ran = silvr(*words, "--at", "0:00,0:05", "--at", "0:30")
    assert "YouTube would show no chapters: shorter than 10 seconds: those at 0:00" in ran.stderr


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["chapters"], "nothing to read"),
        (["summarize"], "nothing to read"),
        (["chapters", "a.mp4", "--at", "1:xx"], "--at"),
        (["chapters", "--subtitles", "a.srt", "--embed", "b.mp4"], "--embed needs a video"),
        (["chapters", "a.mp4", "--count", "0"], "chapters.count"),
        (["chapters", "a.mp4", "--at", "0:00,0:05", "--count", "3"], "--at and --count"),
        (["chapters", "a.mp4", "--at", "0:05", "--min-length", "9"], "--at and --min-length"),
        (["chapters", "a.mp4", "--json", "--format", "vtt"], "--json and --format vtt"),
        (["summarize", "a.mp4", "--style", "haiku"], "haiku"),
    ],
)
def test_mistakes_are_told_in_one_sentence(words: list[str], complaint: str) -> None:
    ran = silvr(*words)
    assert ran.returncode == 2
    assert complaint in ran.stderr
    assert (ran.stdout, ran.stderr.count("\n")) == ("", 1)


@pytest.mark.parametrize("setting", ["reasoning.seed=7", "reasoning.temperature=1"])
@pytest.mark.parametrize(
    ("command", "stage"), [("chapters", "chapters"), ("summarize", "points"), ("events", "events")]
)
def test_what_was_made_is_made_anew_for_another_way_of_asking(
    video: Path, command: str, stage: str, setting: str
) -> None:
    words = [command, video, "--dry-run", "--set", "events.method=model"]
    first, again = silvr(*words), silvr(*words)
    other = silvr(*words, "--set", setting)
    done = [f"{stage} done" in ran.stderr for ran in (first, again, other)]
    assert done == [True, False, True], other.stderr


def test_reading_for_a_batch_is_asked_for_as_for_find(video: Path, tmp_path: Path) -> None:
    words = ["batch", video, "--task", "find", "--question", "the dome", "--dry-run", "--json"]
    plans = [json.loads(silvr(*words, *more).stdout) for more in ((), ("--llm", "fake"))]
    assert ["reading" in json.dumps(plan) for plan in plans] == [False, True]


def test_lines_of_a_batch_hang_on_no_setting_that_their_task_does_not_use() -> None:
    from silvr_cli.engine.work import identity

    plain = {"models.llm": "fake", "models.embed": "none", "reading.find": True}
    for task in ("chapters", "summarize", "find"):
        keys = [
            identity(task, load(plain | more).settings)  # type: ignore[arg-type]
            for more in ({}, {"reasoning.vote": 3}, {"reasoning.seed": 3})
        ]
        assert keys[0] == keys[1] != keys[2], task
    ask = [identity("ask", load(plain | m).settings) for m in ({}, {"reasoning.vote": 3})]
    assert ask[0] != ask[1]


def test_a_vote_costs_what_its_answers_cost() -> None:
    costs = [
        pipeline.expected_answer(
            Session.open(load({"models.llm": "fake", "reasoning.vote": votes}).settings)
        ).expected
        for votes in (1, 3)
    ]
    one, three = costs
    assert one
    assert three
    assert (three.calls, three.prompt_tokens) == (3 * one.calls, 3 * one.prompt_tokens)
    assert one.completion_tokens == one.calls * load({}).settings.reasoning.max_tokens
