"""The example video is what its README says: small, short, and its questions are answerable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
TOUR = json.loads((EXAMPLES / "tour.questions.json").read_text("utf-8"))
SPEECH = " ".join(sentence["text"] for sentence in TOUR["speech"]).lower()


def test_video_is_small_and_holds_picture_and_sound() -> None:
    import av

    assert (EXAMPLES / "tour.mp4").stat().st_size < 5_000_000
    with av.open(str(EXAMPLES / "tour.mp4")) as container:
        assert container.duration is not None
        assert container.duration / av.time_base == pytest.approx(TOUR["duration"], abs=0.5)
        assert {stream.type for stream in container.streams} == {"video", "audio"}
    assert 120 <= TOUR["duration"] <= 240


def test_chapters_cover_the_video_in_order() -> None:
    chapters = TOUR["chapters"]
    assert chapters[0]["start"] == 0
    assert chapters[-1]["end"] == TOUR["duration"]
    assert [c["end"] for c in chapters[:-1]] == [c["start"] for c in chapters[1:]]


@pytest.mark.parametrize("question", TOUR["questions"], ids=lambda question: question["id"])
def test_question_is_whole(question: dict[str, Any]) -> None:
    if question["options"]:
        assert question["options"][question["answer_idx"]] == question["answer"]
        assert len(set(question["options"])) == 4
    assert bool(question["gold_spans"]) == (question["type"] != "absent")
    assert all(0 <= start < end <= TOUR["duration"] for start, end in question["gold_spans"])


@pytest.mark.parametrize(
    "answer", [q["answer"] for q in TOUR["questions"] if q["type"] == "onscreen_only"]
)
def test_what_is_only_on_the_screen_is_never_said(answer: str) -> None:
    assert not [
        word for word in answer.lower().split() if any(map(str.isdigit, word)) and word in SPEECH
    ]
    assert answer.lower() not in SPEECH
