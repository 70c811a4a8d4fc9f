"""Follow-up questions: what they point back to is put in, and conversations are taken up again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_reasoning import Script

from silvr_cli.conversation import Turn, stand_alone

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


def chat(tmp_path: Path, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "talk.srt").write_text(SRT, "utf-8")
    command = [sys.executable, "-m", "silvr_cli", "chat", "--subtitles", tmp_path / "talk.srt"]
    return subprocess.run(
        [*map(str, command), "--llm", "fake", *words],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_a_conversation_is_kept_and_taken_up_again(tmp_path: Path) -> None:
    first = chat(tmp_path, "Who opened the gate?\n\nAnd then?\n/exit\nnever asked\n")
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("[fake]") == 2
    assert "understood as: And then? (This goes back to: Who opened the gate?" in first.stderr
    known = first.stderr.split("--resume ")[1].strip()
    again = chat(tmp_path, "And who was that?\n", "--resume", known[:6], "--json")
    assert again.returncode == 0, again.stderr
    assert "And then?" in json.loads(again.stdout)["answer"]["question"]
    assert chat(tmp_path, "x\n", "--resume", "zzz").returncode == 2


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
