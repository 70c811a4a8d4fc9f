"""Follow-up questions: what they point back to is put in, and conversations are taken up again."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import VideoMaker
from test_cli import silvr
from test_reasoning import Script

from silvr_cli.conversation import Turn, stand_alone
from silvr_cli.records import Line

SRT = """1
00:00:01,000 --> 00:00:04,000
Anna Weber opened the gate.

2
00:00:05,000 --> 00:00:08,000
Then she fed the goat.
"""
TURNS = (Turn("Who opened the gate?", "Who opened the gate?", "Anna Weber.", "r1", 1.0, 4.0),)


def test_a_question_that_points_to_nothing_is_asked_as_it_is() -> None:
    model = Script()
    assert stand_alone("What does Anna Weber feed?", TURNS, model) == "What does Anna Weber feed?"
    assert stand_alone("And after that?", (), model) == "And after that?"
    assert model.asked == []


@pytest.mark.parametrize(
    "question",
    [
        "Who is Tom?",
        "Who won?",
        "What is said at 0:36?",
        "And what does she say at 0:36?",
        'What does "it is over" mean?',
        "What happens after the harvest?",
        "Why is Anna Weber at the gate?",
        "Who stands next to Anna Weber?",
    ],
)
def test_a_question_that_stands_alone_is_asked_as_it_is(question: str) -> None:
    model = Script()
    assert stand_alone(question, TURNS, model) == question
    assert model.asked == []


@pytest.mark.parametrize(
    "question",
    [
        "And after that?",
        "What happened right before?",
        "Why?",
        "How so?",
        "Who else?",
        "What else is fed?",
        "How much was it?",
        "How long?",
        "Which colour?",
        "What about Tom?",
        "And at 0:36?",
        "At 0:36?",
        "Afterwards?",
        "Really?",
        'And "the goat"?',
        "Why does he feed the goat there?",
    ],
)
def test_a_question_that_goes_back_is_not_asked_as_it_is(question: str) -> None:
    assert stand_alone(question, TURNS, Script("")) != question


def test_what_a_question_points_to_is_put_in() -> None:
    model = Script("What did Anna Weber do after she opened the gate?")
    understood = stand_alone("And what did she do after that?", TURNS, model)
    assert understood == "What did Anna Weber do after she opened the gate?"
    assert "Anna Weber." in model.asked[0][0]


@pytest.mark.parametrize(
    "rewriting",
    ["What happens next?", "Anna Weber opened it", "What did Anna Weber feed the dragon?", ""],
)
def test_a_rewriting_that_loses_or_invents_is_not_believed(rewriting: str) -> None:
    understood = stand_alone("And what did she feed?", TURNS, Script(rewriting))
    assert understood.startswith("And what did she feed? (This goes back to: Who opened the gate?")
    assert "Anna Weber. at 0:01" in understood


def typed(text: str, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "silvr_cli", *map(str, words)],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def chat(tmp_path: Path, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "talk.srt").write_text(SRT, "utf-8")
    return typed(text, "chat", "--subtitles", tmp_path / "talk.srt", "--llm", "fake", *words)


@pytest.mark.parametrize("question", ["and after that?", "What happens next?", "And then?"])
def test_what_was_asked_is_not_asked_again_where_something_follows(question: str) -> None:
    model = Script(*["Who opened the gate?"] * 3)
    shown = Line(4, 5, "screen", "The goat")
    said = Line(5, 8, "speech", "Then she fed the goat.")
    assert stand_alone(question, TURNS, model, (shown, said)) == "What is said at 0:05?"
    assert stand_alone(question, TURNS, model, (shown,)) == "What is shown at 0:04?"
    assert stand_alone(question, TURNS, model) == "What is after 0:04?"


def test_what_was_put_in_does_not_grow_from_turn_to_turn() -> None:
    turns = list(TURNS)
    for number in range(4):
        question = f"And what did she feed on day {number}?"
        understood = stand_alone(question, turns, Script("?"))
        turns.append(Turn(question, understood, "A goat. " * 100, "r", None, None))
        assert understood.count("(This goes back to:") == 1
        assert len(understood) < 600


def test_the_same_question_may_be_understood_the_same_again() -> None:
    rewriting = "Did Anna Weber feed the gate?"
    turns = (*TURNS, Turn("Did she feed the gate?", rewriting, "Yes.", "r2", 5.0, 8.0))
    assert stand_alone("Did she feed the gate?", turns, Script(rewriting)) == rewriting


def test_a_conversation_is_kept_and_taken_up_again(tmp_path: Path) -> None:
    first = chat(tmp_path, "Who opened the gate?\n\nAnd then?\n/exit\nnever asked\n")
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("[fake]") == 2
    assert "understood as: And then? (This goes back to: Who opened the gate?" in first.stderr
    listed = silvr("chat", "--list")
    known = first.stderr.split("--resume ")[1].strip()
    again = chat(tmp_path, "And who was that?\n", "--resume", known[:6], "--json")
    assert again.returncode == 0, again.stderr
    assert "And who was that?" in json.loads(again.stdout)["answer"]["question"]
    assert listed.stdout.splitlines()[1].split("\t")[:4] == [
        *(known, "talk.srt", "2", "Who opened the gate?")
    ]
    assert chat(tmp_path, "x\n", "--resume", "zzz").returncode == 2


def test_a_conversation_that_ends_in_an_error_can_be_gone_on_with(tmp_path: Path) -> None:
    ran = chat(tmp_path, "Who opened the gate?\nWhat was fed?\n", "--max-calls", "1")
    assert ran.returncode == 5, ran.stderr
    assert "go on with: silvr chat" in ran.stderr


def test_the_command_to_go_on_with_works_as_it_is_told(
    subtitled: VideoMaker, tmp_path: Path
) -> None:
    own = subtitled(SRT).rename(tmp_path / "Anna's talk.mp4")
    captions = tmp_path / "my captions.srt"
    captions.write_text(SRT, "utf-8")
    cache = ("--cache", tmp_path / "its own.sqlite", "--llm", "fake", "--max-calls", 9)
    dry = ("--set", "models.embed=none", "--set", "reasoning.seed=2", "--dry-run")
    for words in ((own, *dry), ("--captions", captions, *cache), ("--subtitles", captions, *dry)):
        first = typed("Who opened the gate?\n", "chat", *words)
        told = shlex.split(first.stderr.rpartition("go on with: ")[2])
        assert told[:2] == ["silvr", "chat"], first.stderr
        again = typed("Who?\n", *told[1:])
        assert (again.returncode, again.stdout.count("[fake]")) == (0, 1), again.stderr
        assert "goes back to: Who opened the gate?" in again.stderr
        assert shlex.split(again.stderr.rpartition("go on with: ")[2]) == told
        assert [word for word in map(str, words) if word not in told] == []


def test_the_command_to_go_on_with_tells_no_secrets(tmp_path: Path) -> None:
    server = "http://me:7731@127.0.0.1:9/v1"
    told = chat(
        tmp_path, "Who?\n", "--base-url", server, "--set", f"servers.base_url={server}"
    ).stderr
    assert "--base-url http://127.0.0.1:9/v1 --set servers.base_url=http://127.0.0.1:9/v1" in told
    assert "7731" not in told


def test_a_line_that_cannot_be_asked_does_not_end_the_chat(tmp_path: Path) -> None:
    (tmp_path / "talk.srt").write_text(SRT, "utf-8")
    command = ["chat", "--subtitles", str(tmp_path / "talk.srt"), "--llm", "fake"]
    ran = subprocess.run(
        [sys.executable, "-m", "silvr_cli", *command],
        input=b"Who opened the gate?\nbad \xff byte\n!!!\nWhat does Anna Weber feed?\n",
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count(b"[fake]") == 2
    assert ran.stderr.count(b"silvr: the question is not UTF-8") == 1
    assert ran.stderr.count(b"silvr: the question '!!!' has no words") == 1
    assert b"Traceback" not in ran.stderr


def test_commands_are_not_asked_of_the_model(tmp_path: Path) -> None:
    ran = chat(tmp_path, "/help\n/bogus\n/exit\n")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert "one question a line" in ran.stderr
    assert "there is no /bogus" in ran.stderr


def test_what_is_forgotten_takes_its_conversations_along(tmp_path: Path) -> None:
    chat(tmp_path, "Who opened the gate?\n")
    assert silvr("cache", "rm", "--all", "--yes").returncode == 0
    assert json.loads(silvr("chat", "--list", "--json").stdout) == []


def test_a_conversation_about_another_video_is_not_mixed_in(tmp_path: Path) -> None:
    known = chat(tmp_path, "Who opened the gate?\n").stderr.split("--resume ")[1].strip()
    (tmp_path / "other.srt").write_text(SRT.replace("Anna", "Bert"), "utf-8")
    command = ["chat", "--subtitles", str(tmp_path / "other.srt"), "--llm", "fake"]
    ran = subprocess.run(
        [sys.executable, "-m", "silvr_cli", *command, "--resume", known],
        input="Who?\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert "about another video" in ran.stderr
