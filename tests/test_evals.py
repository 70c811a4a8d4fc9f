"""A run of a benchmark: honest scores, answers kept and taken up again, records that replay."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import until
from scripted import Scripted

from silvr_cli.configuration import load
from silvr_cli.errors import InputError, LimitReached, UsageError
from silvr_cli.evals import answers, named, report, results, run, sources
from silvr_cli.evals.benchmark import Data, Item, Response
from silvr_cli.evals.compare import compare
from silvr_cli.evals.judge import Judge
from silvr_cli.evals.sources import Folders
from silvr_cli.session import Session
from silvr_cli.settings import Settings

OFFICIAL = Path(__file__).with_name("official")
OPTIONS = ("roll the handle", "tap their feet", "hit with sticks")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Six questions on three videos, in our own form; option 1 is right in each."""
    folder = tmp_path / "own"
    folder.mkdir()
    told = [
        {
            "video_id": f"v{n}",
            "duration": 20,
            "events": [
                {"start": 0, "end": 1, "text": f"Man {n} taps his feet", "kind": "caption"},
                {"start": None, "end": None, "text": "and smiles", "kind": "speech"},
            ],
        }
        for n in range(3)
    ]
    asked = [
        {
            "qid": f"q{n}",
            "video_id": f"v{n % 3}",
            "question": f"how do they play, question {n}?",
            "options": list(OPTIONS),
            "answer_idx": 1,
            "type": "CH" if n % 2 else "TN",
        }
        for n in range(6)
    ]
    for name, rows in (("timelines", told), ("questions", asked)):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text)
    return folder


@pytest.fixture
def session() -> Iterator[Session]:
    with Session.open(load().settings) as opened:
        yield opened


Make = Callable[..., run.Asking]


@pytest.fixture
def asking(own: Path, session: Session) -> Make:
    def make(model: Scripted | None = None, **chosen: Any) -> run.Asking:
        benchmark = named("nextqa")
        data = run.load(benchmark, own, "val")
        told = sources.Sources(benchmark, data, Folders(), session)
        selection = run.Selection("val", **chosen)
        return run.Asking(benchmark, data, told, session, selection, model)

    return make


def taps(prompt: str) -> str:
    return OPTIONS[1]


def rows(task: run.Asking, path: Path) -> tuple[results.Row, ...]:
    with answers.Log(path / "answers.jsonl") as log:
        return task.rows(log)


# -- scores


def test_every_question_counts_and_says_what_became_of_it(asking: Make, tmp_path: Path) -> None:
    replies = {0: OPTIONS[1], 1: OPTIONS[0], 2: "purple", 3: OPTIONS[1], 4: "purple", 5: OPTIONS[1]}

    def say(prompt: str) -> str:
        return replies[int(prompt.split("question ")[1].split("?")[0])]

    found = rows(asking(Scripted(say=say)), tmp_path)
    by = {row.item.id: row for row in found}
    assert [by[f"q{n}"].figures["accuracy"] for n in range(6)] == [1, 0, 0, 1, 0, 1]
    assert by["q2"].kept.response.status == "unparsable"
    assert '"purple" is none of the options' in by["q2"].kept.response.problem
    # What was asked and said stands in the record, since no answer can be shown again.
    assert "question 2?" in by["q2"].kept.asked
    assert by["q2"].kept.reply == "purple"
    assert not by["q0"].kept.asked
    # Asked twice, and both calls are counted though neither was of use.
    assert by["q2"].kept.usage.calls == 2
    made = report.build(
        named("nextqa"), found, report.Run("val", "scripted", 0, None, "silvr eval")
    )
    assert made.coverage == pytest.approx(4 / 6)
    assert made.statuses == {"answered": 4, "unparsable": 2}
    assert made.figures["accuracy"].value == 0.5
    assert made.floors["chance"] == {"accuracy": pytest.approx(1 / 3)}
    assert made.floors["word overlap"] == {"accuracy": 1.0}
    assert made.floors["longest option"] == {"accuracy": 0.0}
    assert set(made.groups["kind"]) == {"causal", "temporal"}
    told = report.markdown(made)
    assert "66.7% (4 answered, 2 unparsable); all others count as wrong" in told
    assert "| accuracy | 50.0 |" in told


def test_a_video_without_text_is_missing_and_wrong(asking: Make, tmp_path: Path) -> None:
    task = asking(Scripted(say=taps))
    told = {n: t for n, t in task.data.timelines.items() if n != "v1"}
    task.sources.data = Data(task.data.items, told)
    by = {row.item.id: row for row in rows(task, tmp_path)}
    assert by["q1"].kept.response == Response("missing", problem="the data has no timeline of v1")
    assert by["q1"].figures == {"accuracy": 0.0}
    assert by["q0"].figures == {"accuracy": 1.0}
    # It may be there the next time: nothing is kept of it.
    with answers.Log(tmp_path / "answers.jsonl") as log:
        assert log.get("") is None


def test_nothing_to_read_for_any_question_is_no_score(asking: Make, tmp_path: Path) -> None:
    task = asking(Scripted(say=taps))
    task.sources.data = Data(task.data.items, {})
    with pytest.raises(InputError, match="none of 6 questions has anything to read") as told:
        rows(task, tmp_path)
    assert "the data has no timeline of v0" in str(told.value)


@pytest.mark.parametrize("kind", ["videos", "captions", "subtitles"])
def test_a_folder_that_is_not_there_is_told_before_anything_is_asked(
    kind: str, asking: Make, tmp_path: Path
) -> None:
    task, folders = asking(Scripted(say=taps)), Folders(**{kind: tmp_path / "nowhere"})
    with pytest.raises(InputError, match="nowhere is no folder"):
        sources.Sources(task.benchmark, task.data, folders, task.session)


def test_all_that_does_not_fit_is_too_long(own: Path, tmp_path: Path) -> None:
    flags = {"reduction.method": "all", "reduction.budget": 64}
    lines = [
        {"start": n, "end": n + 1, "text": f"word {n} " * 20, "kind": "caption"} for n in range(20)
    ]
    row = {"video_id": "v0", "duration": 20, "events": lines}
    text = (own / "timelines.jsonl").read_text().split("\n", 1)[1]
    (own / "timelines.jsonl").write_text(json.dumps(row) + "\n" + text)
    with Session.open(load(flags).settings) as session:
        data = run.load(named("nextqa"), own, "val")
        told = sources.Sources(named("nextqa"), data, Folders(), session)
        model = Scripted(say=taps)
        task = run.Asking(named("nextqa"), data, told, session, run.Selection("val"), model)
        statuses = {row.item.id: row.kept.response.status for row in rows(task, tmp_path)}
    assert statuses["q0"] == "too_long"
    assert statuses["q1"] == "answered"


# -- taking up again


def test_a_second_run_asks_nothing_and_says_the_same(asking: Make, tmp_path: Path) -> None:
    model = Scripted(say=taps)
    first = rows(asking(model), tmp_path)
    asked = len(model.asked)
    assert rows(asking(model), tmp_path) == first
    assert len(model.asked) == asked == 6


def test_a_run_that_stopped_goes_on_where_it_was(asking: Make, tmp_path: Path) -> None:
    def dies(prompt: str) -> str:
        if len(model.asked) > 4:
            raise LimitReached("enough")
        return OPTIONS[1]

    model = Scripted(say=dies)
    with pytest.raises(LimitReached):
        rows(asking(model), tmp_path)
    again = Scripted(say=taps)
    assert len(rows(asking(again), tmp_path)) == 6
    assert len(again.asked) == 2


def test_a_line_that_a_kill_tore_is_asked_again(asking: Make, tmp_path: Path) -> None:
    first = rows(asking(Scripted(say=taps)), tmp_path)
    path = tmp_path / "answers.jsonl"
    path.write_text(path.read_text()[:-40])
    again = Scripted(say=taps)
    second = rows(asking(again), tmp_path)
    assert len(again.asked) == 1
    assert [row.kept.response for row in second] == [row.kept.response for row in first]
    assert len(path.read_text().splitlines()) == 6


def test_a_kill_in_the_middle_of_a_letter_is_no_error(asking: Make, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    rows(asking(Scripted(say=taps)), tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole + '{"key":"é'.encode()[:-1])
    with answers.Log(path) as log:
        assert len(log.found) == 6
    assert path.read_bytes() == whole


def test_more_questions_hold_the_fewer(asking: Make, tmp_path: Path) -> None:
    model = Scripted(say=taps)
    few = {row.item.id for row in rows(asking(model, limit=2, seed=7), tmp_path)}
    many = {row.item.id for row in rows(asking(model, limit=4, seed=7), tmp_path)}
    assert len(few) == 2
    assert few < many
    assert len(model.asked) == 4
    assert {i.id for i in run.selected(asking().data.items, run.Selection("val", 2, 8))} != few


def test_questions_on_one_video_are_asked_in_a_row(asking: Make) -> None:
    videos = [item.video for item in run.selected(asking().data.items, run.Selection("val"))]
    assert videos == ["v0", "v0", "v1", "v1", "v2", "v2"]


def test_what_changes_the_answer_changes_the_key(
    asking: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Scripted(say=taps)
    rows(asking(model), tmp_path)
    settings = asking(model).session.settings
    changed = settings.model_copy(
        update={"reasoning": settings.reasoning.model_copy(update={"seed": 5})}
    )
    irrelevant = settings.model_copy(
        update={"calls": settings.calls.model_copy(update={"timeout": 5.0})}
    )
    assert asked_with(asking(model), irrelevant, tmp_path) == 0
    assert asked_with(asking(model), changed, tmp_path) == 6
    monkeypatch.setattr(Scripted, "fingerprint", lambda self: "scripted@2")
    assert asked_with(asking(model), settings, tmp_path) == 6


def asked_with(task: run.Asking, settings: Settings, path: Path) -> int:
    """How many calls the model got by the task under other settings."""
    from dataclasses import replace

    model = task.model
    assert isinstance(model, Scripted)
    before = len(model.asked)
    rows(replace(task, session=replace(task.session, settings=settings)), path)
    return len(model.asked) - before


def test_an_unusable_reply_stays_unless_it_is_asked_again(asking: Make, tmp_path: Path) -> None:
    rows(asking(Scripted(say=lambda prompt: "purple")), tmp_path)
    better = Scripted(say=taps)
    assert all(r.figures["accuracy"] == 0 for r in rows(asking(better), tmp_path))
    assert not better.asked
    assert all(r.figures["accuracy"] == 1 for r in rows(asking(better, retry=True), tmp_path))


def test_a_foreign_answer_file_is_told(asking: Make, tmp_path: Path) -> None:
    (tmp_path / "answers.jsonl").write_text('{"some": "thing"}\n')
    with pytest.raises(InputError, match="line 1 is no answer of this silvr"):
        rows(asking(Scripted(say=taps)), tmp_path)


# -- records and comparison


def test_records_replay(asking: Make, tmp_path: Path) -> None:
    found = rows(asking(Scripted(say=taps)), tmp_path)
    (tmp_path / results.RECORDS).write_text(results.as_lines(found))
    assert results.read(tmp_path) == found
    assert results.figures(named("nextqa"), found[0].item, found[0].kept) == {"accuracy": 1.0}


def test_two_runs_are_compared_question_by_question(asking: Make, tmp_path: Path) -> None:
    good = rows(asking(Scripted(say=taps)), tmp_path / "a")
    bad = rows(asking(Scripted(say=lambda prompt: OPTIONS[0])), tmp_path / "b")
    found = compare(named("nextqa"), bad, good[:5])
    assert (found.questions, found.alone) == (5, 1)
    difference = found.differences["accuracy"]
    assert (difference.a, difference.b, difference.difference) == (0.0, 1.0, 1.0)
    # McNemar: five differ, all one way.
    assert difference.p == pytest.approx(2 / 2**5)
    with pytest.raises(UsageError, match="share no question"):
        compare(named("nextqa"), bad[:1], good[5:])


# -- folders of captions and subtitles


def mme(session: Session, name: str = "silvr", speech: bool = True) -> sources.Sources:
    benchmark, folder = named("video_mme"), OFFICIAL / name
    data = run.load(benchmark, OFFICIAL / "video_mme", "short")
    folders = Folders(captions=folder, subtitles=folder / "subtitles" if speech else None)
    return sources.Sources(benchmark, data, folders, session)


def test_the_silvr_layout_is_read_as_it_is(session: Session) -> None:
    told = mme(session)
    described = told.described(told.data.items[0])
    finest, *coarser = (described.timeline, *described.coarser)
    captions = [[n for n in each.lines if n.kind == "caption"] for each in (finest, *coarser)]
    assert [len(lines) for lines in captions] == [128, 16, 2]
    assert [lines[1].start for lines in captions] == [1.0, 8.0, 64.0]
    # captions_64s_qwen7b is another model's: it is taken only where it is named.
    assert captions[2][0].text == "A man drinks at a desk."
    for each in (finest, *coarser):
        assert [n.text for n in each.lines if n.kind == "speech"] == [
            "Cheers to all.",
            "One more cup.",
        ]
    assert told.without == {}


def test_without_subtitles_is_not_giving_them(session: Session) -> None:
    told = mme(session, speech=False)
    described = told.described(told.data.items[0])
    assert {n.kind for n in described.timeline.lines} == {"caption"}


def test_one_folder_of_captions_is_enough(session: Session) -> None:
    told = mme(session, "silvr/captions_8s", speech=False)
    described = told.described(told.data.items[0])
    assert len(described.timeline.lines) == 16
    assert described.coarser == ()


@pytest.mark.parametrize(("budget", "clips", "length"), [(4000, 128, 1), (600, 16, 8), (64, 2, 64)])
def test_adaptive_context_reduction_reads_the_finest_captions_that_fit(
    budget: int, clips: int, length: int, tmp_path: Path
) -> None:
    flags = {"reduction.method": "paper", "reduction.budget": budget}
    with Session.open(load(flags).settings) as session:
        told = mme(session, speech=False)
        model = Scripted(say=lambda prompt: "9.", reading=None)
        model.context_length = 9000
        task = run.Asking(told.benchmark, told.data, told, session, run.Selection("short"), model)
        found = rows(task, tmp_path)
    assert f"captions of {length}-second clips" in found[0].kept.plan
    assert model.asked[0].count("caption:") == clips
    assert found[0].figures == {"accuracy": 1.0}


def test_what_a_folder_lacks_is_counted_and_told(session: Session, tmp_path: Path) -> None:
    folders = Folders(captions=OFFICIAL / "silvr", subtitles=tmp_path)
    benchmark = named("video_mme")
    data = run.load(benchmark, OFFICIAL / "video_mme", "test")
    told = sources.Sources(benchmark, data, folders, session)
    told.described(data.items[0])
    with pytest.raises(InputError, match="no captions or subtitles of 601"):
        told.described(data.items[2])
    assert told.without == {"subtitles": {"fFjv93ACGo8", "601"}, "captions": {"601"}}


def test_longvideobench_subtitles_count_from_where_the_video_begins(session: Session) -> None:
    benchmark = named("longvideobench")
    told = []
    for split in ("val", "test"):
        data = run.load(benchmark, OFFICIAL / "longvideobench", split)
        folders = Folders(subtitles=OFFICIAL / "longvideobench" / "subtitles")
        source = sources.Sources(benchmark, data, folders, session)
        lines = source.described(data.items[0]).timeline.lines
        told.append([(n.start, n.end, n.text) for n in lines])
    assert told == [
        [(0.0, 2.5, "and so it begins"), (60.0, 63.0, "hold the rope")],
        [(0.5, 2.0, "a wall"), (9.0, 9.0, "the end")],
    ]


def test_subtitles_in_another_form_take_the_place_of_ears(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from silvr_cli import pipeline
    from silvr_cli.records import Line, Timeline, Video
    from silvr_cli.session import Described, Source

    heard: list[str] = []

    def describe(source: Source, given: Session) -> Described:
        heard.append(given.settings.models.speech)
        seen = Line(0.0, 8.0, "caption", "a rope", 8.0)
        return Described(Timeline(Video("v", "v", 200.0), (seen,)))

    monkeypatch.setattr(pipeline, "describe", describe)
    (tmp_path / "86CxyhFV9MI.mp4").touch()
    folders = Folders(videos=tmp_path, subtitles=OFFICIAL / "longvideobench" / "subtitles")
    data = run.load(named("longvideobench"), OFFICIAL / "longvideobench", "val")
    told = sources.Sources(named("longvideobench"), data, folders, session)
    lines = told.described(data.items[0]).timeline.lines
    assert [line.text for line in lines] == ["and so it begins", "a rope", "hold the rope"]
    assert heard == ["none"]


def test_nothing_after_the_question_is_read(session: Session) -> None:
    item = Item("1", "v0", "?", ("a", "b"), gold=0, since=2.0, until=10.0)
    lines = [
        {"start": s, "end": e, "text": f"{s}-{e}", "kind": "caption"}
        for s, e in ((0, 1), (1, 4), (4, 9), (8, 12), (12, 14))
    ]
    from silvr_cli.evals import own_jsonl
    from silvr_cli.records import Line

    made = own_jsonl.made(
        "v0", 20.0, [Line(n["start"], n["end"], "caption", n["text"]) for n in lines]
    )
    told = sources.Sources(named("nextqa"), Data((item,), {"v0": made}), Folders(), session)
    assert [n.text for n in told.described(item).timeline.lines] == ["1-4", "4-9"]


def test_an_id_leads_to_no_other_folder(session: Session, tmp_path: Path) -> None:
    item = Item("1", "../../secret", "?", ("a", "b"), gold=0)
    folders = Folders(captions=tmp_path)
    told = sources.Sources(named("nextqa"), Data((item,)), folders, session)
    with pytest.raises(InputError, match="leads out of"):
        told.described(item)


def test_questions_without_anything_to_read_are_a_mistake(session: Session) -> None:
    data = run.load(named("video_mme"), OFFICIAL / "video_mme", "test")
    with pytest.raises(UsageError, match="give --videos DIR"):
        sources.Sources(named("video_mme"), data, Folders(), session)


# -- the judge


@pytest.mark.parametrize(
    ("reply", "mark"),
    [('{"why": "all of it", "score": 5}', 1.0), ('{"score": 1}', 0.0), ('{"score": 3}', 0.5)],
)
def test_a_judge_marks_from_0_to_1(session: Session, reply: str, mark: float) -> None:
    model = Scripted(reply)
    assert Judge(model, session.meter).mark("Who?", "Ann", "It was Ann.") == mark
    assert "It was Ann." in model.asked[0]


@pytest.mark.parametrize("reply", ["five", '{"score": 9}', '{"score": true}', '{"score": "5"}'])
def test_a_judge_that_gives_no_mark_gives_none(session: Session, reply: str) -> None:
    assert Judge(Scripted(reply), session.meter).mark("Who?", "Ann", "Bo") is None


def test_no_answer_is_judged_wrong_without_a_call(session: Session) -> None:
    model = Scripted()
    kept = answers.Kept("k", Response("unparsable"))
    item = Item("1", "v", "?", (), ("open",), "Ann")
    assert Judge(model, session.meter).marked(item, kept).judged == 0.0
    assert model.asked == []


# -- the command


def silvr(*words: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "silvr_cli", *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, **environ},
        check=False,
    )


def test_the_command_keeps_records_and_two_runs_of_one_seed_agree(
    own: Path, tmp_path: Path
) -> None:
    told = []
    for name in ("one", "two"):
        words = ("eval", "nextqa", "--data", own, "--llm", "fake", "--limit", "4", "--seed", "3")
        done = silvr(*words, "-o", tmp_path / name, "--json", "-q")
        assert done.returncode == 0, done.stderr
        told.append(json.loads(done.stdout))
    for each in told:
        each["run"].pop("command")
        each["costs"].pop("seconds")
    assert told[0] == told[1]
    assert told[0]["questions"] == 4
    (folder,) = (tmp_path / "one").iterdir()
    assert {path.name for path in folder.iterdir()} == {
        "answers.jsonl",
        "records.jsonl",
        "report.json",
        "report.html",
        "report.md",
    }
    again = silvr("eval", "score", folder)
    assert again.stdout == (folder / "report.md").read_text()
    (other,) = (tmp_path / "two").iterdir()
    compared = silvr("eval", "compare", folder, other, "--json")
    assert json.loads(compared.stdout)["differences"]["accuracy"]["difference"] == 0.0


def test_a_split_without_answers_makes_a_submission(tmp_path: Path) -> None:
    words = ("eval", "longvideobench", "--split", "test", "--llm", "fake", "-q")
    data = OFFICIAL / "longvideobench"
    done = silvr(*words, "--data", data, "--subtitles", data / "subtitles", "-o", tmp_path / "r")
    assert done.returncode == 0, done.stderr
    assert "no public answers: nothing is scored here" in done.stdout
    (folder,) = (tmp_path / "r").iterdir()
    told = json.loads((folder / "longvideobench_submission.json").read_text())
    assert told == {"vfbe1Zq1E4Y_0": ""}


def test_videos_are_watched_and_a_missing_one_is_counted(tmp_path: Path) -> None:
    examples = Path(__file__).parents[1] / "examples"
    header = "video,frame_count,width,height,question,answer,qid,type,a0,a1,a2,a3,a4\n"
    rows = "tour,9,9,9,what is shown,0,1,DO,a,b,c,d,e\nlost,9,9,9,who,0,2,DO,a,b,c,d,e\n"
    (tmp_path / "val.csv").write_text(header + rows)
    words = ("eval", "nextqa", "--data", tmp_path, "--videos", examples, "--dry-run", "--json")
    done = silvr(*words, "--set", "reasoning.style=words", "-o", tmp_path / "r", "-q")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["statuses"] == {"answered": 1, "missing": 1}
    (folder,) = (tmp_path / "r").iterdir()
    watched, lost = results.read(folder)
    # The fake's words match no option; held to the options, it takes the first.
    assert watched.kept.response.choice == 0
    assert watched.kept.usage.calls >= 2
    assert "holds no video lost" in lost.kept.response.problem


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (["eval", "nexqa", "--data", "."], 2, "no benchmark is called 'nexqa' (known: "),
        (
            ["eval", "nextqa", "--data", ".", "--split", "x"],
            2,
            "has no split 'x' (it has val, test",
        ),
        (["eval", "nextqa", "--data", "nowhere"], 3, "nowhere is no folder"),
        (["eval", "nextqa"], 2, "Missing option '--data'"),
        (["eval"], 2, "eval needs a command ("),
        (["eval", "compare", ".", "."], 3, "report.json cannot be read"),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], code: int, complaint: str) -> None:
    done = silvr(*words)
    assert done.returncode == code
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_a_killed_run_goes_on(own: Path, tmp_path: Path) -> None:
    """kill -9 in the middle; the next run asks only what is left."""
    code = (
        "import sys, time; sys.path.insert(0, sys.argv.pop(1))\n"
        "from silvr_cli.backends import fake\n"
        "plain = fake.FakeText.chat\n"
        "def slow(*a, **k):\n    time.sleep(0.3)\n    return plain(*a, **k)\n"
        "fake.FakeText.chat = slow; fake.FakeText.slots = 1\n"
        "from silvr_cli.cli.app import main\nmain()\n"
    )
    root = str(Path(__file__).parents[1])
    words = ["eval", "nextqa", "--data", str(own), "--llm", "fake", "-o", str(tmp_path / "r")]
    running = subprocess.Popen(
        [sys.executable, "-c", code, root, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )

    def kept() -> int:
        return sum(
            len(p.read_text().splitlines()) for p in (tmp_path / "r").glob("*/answers.jsonl")
        )

    until(lambda: kept() >= 2 or running.poll() is not None)
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    before = kept()
    assert 2 <= before < 6
    done = silvr(*words)
    assert done.returncode == 0, done.stderr
    assert kept() == 6
    (folder,) = (tmp_path / "r").iterdir()
    assert len(results.read(folder)) == 6
