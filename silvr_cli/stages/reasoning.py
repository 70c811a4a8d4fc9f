"""Context and question -> answer: reason over the text, then check what the model said.

Knows the TextModel protocol, no provider. The timeline stands first in the prompt and the question
last, so that a second question reuses the server's prefix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import evidence, prompts, replies
from ..errors import ReplyError
from ..records import Answer, Confidence, Context, Evidence, Verdict
from ..talk import Talk

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..protocols import TextModel
    from ..settings import Reasoning

NOT_SAID = "The video does not say."
WORDS_TOKENS = 96
STRUCTURED = {
    "type": "object",
    "properties": {
        "reasoning": {"type": "string"},
        "answer": {"type": "string"},
        "evidence": {
            "type": "array",
            "maxItems": 4,
            "items": {
                "type": "object",
                "properties": {"time": {"type": "string"}, "quote": {"type": "string"}},
                "required": ["time", "quote"],
                "additionalProperties": False,
            },
        },
        "confidence": {"type": "string", "enum": ["high", "medium", "low"]},
        "verdict": {"type": "string", "enum": ["found", "not_found", "unclear"]},
    },
    "required": ["reasoning", "answer", "evidence", "confidence", "verdict"],
    "additionalProperties": False,
}


def answer(
    context: Context,
    question: str,
    choices: Sequence[str],
    model: TextModel,
    settings: Reasoning,
    on_text: Callable[[str], None] | None = None,
) -> Answer:
    """Answer from the context alone; evidence is checked against it.

    Raises ReplyError when the model gives nothing usable, ContextOverflow, ModelError.
    """
    talk = Talk(model, settings.temperature, settings.seed, on_text)
    if not context.lines:
        found = _not_said(
            "no line of the timeline has to do with the question"
            if context.plan.lines_total
            else "nothing was seen, read or heard"
        )
    elif model.prefers_words:
        found = _in_words(context, question, choices, talk)
    else:
        found = _structured(context, question, choices, talk, settings.max_tokens)
    return replace(
        found,
        question=question,
        choices=tuple(choices),
        model=model.name,
        plan=context.plan,
        prompts=talk.used,
        usage=talk.usage,
    )


def _in_words(context: Context, question: str, choices: Sequence[str], talk: Talk) -> Answer:
    """For small models: a short answer in words, matched and checked by rules."""
    fenced = prompts.fenced(context.text)
    if not choices:
        return _open_in_words(context, fenced, question, talk)
    values: dict[str, Any] = {"context": fenced, "question": question, "choices": choices}
    reply = talk.ask("answer_choice", WORDS_TOKENS, **values)
    chosen = replies.by_words(reply.text, choices)
    notes = []
    if chosen is None:
        notes.append(f'the reply "{_short(reply.text)}" is none of the options; asked again')
        again = talk.ask("answer_choice", WORDS_TOKENS, {"enum": list(choices)}, **values)
        chosen = replies.by_words(again.text.strip('"'), choices)
    if chosen is None:
        raise ReplyError(f'the reply "{_short(reply.text)}" is none of the options')
    rests = evidence.supporting(context.lines, question, choices[chosen])
    confidence: Confidence = "low" if notes else "high" if rests else "medium"
    text = choices[chosen]
    return _found(text, confidence, rests, chosen, reply.text, notes)


def _open_in_words(context: Context, fenced: str, question: str, talk: Talk) -> Answer:
    if 2 * len(context.unheard) > context.asked:
        # Small models would rather invent than deny: what nobody mentions is not asked of them.
        return _not_said(f"nothing in the video mentions: {', '.join(context.unheard)}")
    reply = talk.ask("answer_open", WORDS_TOKENS, context=fenced, question=question)
    text = replies.first_line(reply.text)
    if not text:
        raise ReplyError(f"{talk.model.name} gave an empty reply")
    if replies.denies(text):
        return _not_said()
    rests = evidence.supporting(context.lines, question, text)
    strange = evidence.unsupported(text, context.lines)
    notes = [f"not in the timeline: {', '.join(strange)}"] if strange else []
    confidence: Confidence = "high" if rests and not context.unheard else "medium"
    if strange or not rests or 2 * len(context.unheard) == context.asked > 0:
        confidence = "low"
    return _found(text, confidence, rests, None, reply.text, notes)


def _structured(
    context: Context, question: str, choices: Sequence[str], talk: Talk, max_tokens: int
) -> Answer:
    """For larger models: think step by step, then one JSON object."""
    reply = talk.ask(
        "answer_structured",
        max_tokens,
        STRUCTURED,
        context=prompts.fenced(context.text),
        question=question,
        choices=choices,
    )
    said = replies.json_object(reply.text)
    if said is None:
        if reply.finish == "length":
            raise ReplyError(
                f"{talk.model.name} needed more than {max_tokens} tokens",
                "raise --set reasoning.max_tokens=…",
            )
        raise ReplyError(f'{talk.model.name} gave no JSON: "{_short(reply.text)}"')
    reasoning = reply.reasoning or str(said.get("reasoning", ""))
    verdict = said.get("verdict", "unclear")
    text = str(said.get("answer", "")).strip()
    chosen = replies.option(text, choices) if choices else None
    if choices and chosen is None and verdict != "not_found":
        raise ReplyError(f'the reply "{_short(text)}" is none of the options')
    if verdict == "not_found" and chosen is None:
        return replace(_not_said(), reasoning=reasoning)
    rests, notes = evidence.checked(_claims(said), context.lines)
    strange = evidence.unsupported(text, context.lines) if not choices else []
    if strange:
        notes.append(f"not in the timeline: {', '.join(strange)}")
    confidence = said.get("confidence", "low")
    if strange or confidence not in ("high", "medium") or (notes and not rests):
        confidence = "low"
    found = _found(
        choices[chosen] if chosen is not None else text, confidence, rests, chosen, reasoning, notes
    )
    return replace(found, verdict=verdict if verdict in ("found", "unclear") else "unclear")


def _claims(said: dict[str, Any]) -> list[tuple[str, str]]:
    items = said.get("evidence")
    return [
        (str(item.get("time", "")), str(item["quote"]))
        for item in (items if isinstance(items, list) else [])
        if isinstance(item, dict) and item.get("quote")
    ]


def _found(
    text: str,
    confidence: Confidence,
    rests: Sequence[Evidence],
    chosen: int | None,
    reasoning: str,
    notes: Sequence[str],
) -> Answer:
    verdict: Verdict = "found"
    return Answer("", text, verdict, confidence, tuple(rests), (), chosen, reasoning, tuple(notes))


def _not_said(*notes: str) -> Answer:
    return Answer("", NOT_SAID, "not_found", "medium", notes=notes)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:79] + "…"
