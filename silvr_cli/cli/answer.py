"""How an answer is shown: as text for a person, as one JSON document for a program."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from ..timeline import clock

if TYPE_CHECKING:
    from ..pipeline import Answered
    from ..records import Answer

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


def as_document(answered: Answered) -> dict[str, Any]:
    """What --json prints; its schema is docs/answer.schema.json."""
    video = answered.video
    return {
        "schema": SCHEMA,
        "id": answered.id,
        "video": {"id": video.id, "name": video.name, "duration": video.duration},
        "answer": answered.answer,
        "context": answered.context.text,
    }


def json_schema() -> dict[str, Any]:
    """The JSON schema of `as_document`; published as docs/answer.schema.json."""
    from pydantic import TypeAdapter

    from ..records import Answer

    answer = TypeAdapter(Answer).json_schema(mode="serialization")
    video = {"id": {"type": "string"}, "name": {"type": "string"}, "duration": {"type": "number"}}
    properties = {
        "schema": {"const": SCHEMA},
        "id": {"type": "string"},
        "video": {"type": "object", "properties": video, "required": list(video)},
        "answer": {"$ref": "#/$defs/Answer"},
        "context": {"type": "string"},
    }
    kinds = {**answer.pop("$defs"), "Answer": answer}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "$defs": kinds,
    }


def provenance(answer: Answer) -> str:
    """How the answer came about: model, prompts, plan, tokens, seconds."""
    plan, usage = answer.plan, answer.usage
    rows = [("question", answer.question), ("model", answer.model)]
    rows += [(f"prompt {name}", sha) for name, sha in answer.prompts.items()]
    if plan:
        rows.append(("reduction", f"{plan.reduction}: {plan.reason}"))
        rows.append(
            ("read", f"{plan.tokens} tokens, {plan.lines_kept} of {plan.lines_total} lines")
        )
        rows.append(("left out", ", ".join(plan.left_out) or "nothing"))
    rows.append(
        (
            "calls",
            f"{usage.calls}, {usage.prompt_tokens} tokens in, "
            f"{usage.completion_tokens} out, {usage.seconds:.1f} s",
        )
    )
    return "\n".join(f"{name + ':':18}{value}" for name, value in rows)


def _headline(answer: Answer) -> str:
    if answer.choice is not None:
        return f"{chr(ord('A') + answer.choice)}. {answer.choices[answer.choice]}"
    return answer.text


def _section(title: str, text: str) -> str:
    return f"--- {title} ---\n{text.strip()}\n---"


def _note(note: str) -> str:
    return f"Note: {note}"
