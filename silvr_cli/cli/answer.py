"""How an answer is shown: as text for a person, as one JSON document for a program."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ..timeline import clock

if TYPE_CHECKING:
    from ..records import Answer, Context, Video

SCHEMA = "silvr-answer/1"


def as_text(answer: Answer, context_text: str, shown: Collection[str] = ()) -> str:
    """The answer, its evidence with times, and what was asked to be shown, for a person."""
    parts = []
    if "context" in shown:
        parts.append(_section("Context", context_text))
    if "reasoning" in shown:
        parts.append(_section("Reasoning", answer.reasoning or "(none)"))
    parts.append(_headline(answer))
    if answer.evidence:
        rows = (
            f"  {clock(item.start)}-{clock(item.end)}  {item.kind or 'text'}: {item.quote}"
            for item in answer.evidence
        )
        parts.append("Evidence\n" + "\n".join(rows))
    parts.append("\n".join([f"Confidence: {answer.confidence}", *map(_note, answer.notes)]))
    return "\n\n".join(parts)


def as_document(answer_id: str, answer: Answer, context: Context, video: Video) -> dict[str, Any]:
    """What --json prints; its schema is docs/answer.schema.json."""
    return {
        "schema": SCHEMA,
        "id": answer_id,
        "video": {"id": video.id, "name": video.name, "duration": video.duration},
        "answer": answer,
        "context": context.text,
    }


def _headline(answer: Answer) -> str:
    if answer.choice is not None:
        return f"{chr(ord('A') + answer.choice)}. {answer.choices[answer.choice]}"
    return answer.text


def _section(title: str, text: str) -> str:
    return f"--- {title} ---\n{text.strip()}\n---"


def _note(note: str) -> str:
    return f"Note: {note}"
