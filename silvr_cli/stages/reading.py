"""Stretches of a video and a query -> how well each answers it, read by a text model.

A small model is bad at saying whether a stretch answers a question, and good at guessing what would
be asked after it: the likelihood of the query after each stretch ranks them (Sachan et al.,
"Improving Passage Retrieval with Zero-Shot Question Generation", EMNLP 2022). Models that tell no
likelihoods, large ones on servers, put all stretches in order at once (Sun et al., "Is ChatGPT
Good at Search?", EMNLP 2023). Knows the TextModel behind a Talk and no provider.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import prompts, replies
from ..errors import ReplyError, UsageError
from ..sentences import shortened

if TYPE_CHECKING:
    from ..protocols import Reply, TextModel, Work
    from ..talk import Talk

# Tokens of the prompts besides stretches and query, of a number in a list, and the least that is
# left of a model's context for what it reads.
PROMPT_TOKENS, NUMBER_TOKENS, LEAST_ROOM = 400, 6, 64
NUMBER = re.compile(r"\s*(\d{1,4})(?:\.0+)?\s*")
ORDER = {
    "type": "object",
    "properties": {"places": {"type": "array", "items": {"type": "integer"}}},
    "required": ["places"],
}


def read(texts: Sequence[str], query: str, talk: Talk, work: Work, room: int) -> tuple[float, ...]:
    """A figure for each text, the higher the better it answers the query; only their order and
    their distances from each other mean something. `room` is for a model that thinks, in tokens.

    Raises ReplyError when the model puts no text in order, UsageError when the query is too long.
    """
    query = " ".join(query.split())
    left = talk.model.context_length - PROMPT_TOKENS - talk.model.count([query])[0]
    if left < LEAST_ROOM:
        raise UsageError(f"the query is too long for {talk.model.name}", "ask for less at once")
    shown = _fitting(texts, left, talk.model)
    found: list[float] = []
    for number, text in enumerate(shown):
        key = f"stretch {number}"
        told = work.get(key)
        if told is None:
            told = talk.likelihood("place_query", query, context=prompts.fenced(text))
            if told is None:
                found = _ordered(texts, query, talk, room)
                work.report(len(texts), len(texts))
                break
            work.put(key, told)
        found.append(float(told))
        work.report(number + 1, len(texts))
    return tuple(found)


def _ordered(texts: Sequence[str], query: str, talk: Talk, room: int) -> list[float]:
    """By the place that the model gives each text; those that it leaves out come last."""
    room += NUMBER_TOKENS * len(texts)
    left = talk.model.context_length - room - PROMPT_TOKENS - talk.model.count([query])[0]
    # Of a model with little room each stretch gets its share.
    fitting = _fitting(texts, left // max(1, len(texts)), talk.model)
    shown = "\n\n".join(f"{number}. {text}" for number, text in enumerate(fitting, 1))
    values = {"context": prompts.fenced(shown), "query": query}
    reply = talk.ask("place_order", room, ORDER, **values)
    named = _named(reply, len(texts))
    if named is None:
        reply = talk.ask_again("place_order", room, **values)
        named = _named(reply, len(texts))
    if named is None:
        hint = "raise --set reasoning.max_tokens=…" if reply.finish == "length" else None
        said = f"{talk.model.name} put no stretches in order: {reply.text[:80]!r}"
        raise ReplyError(said, hint)
    places = {number: place for place, number in enumerate(named)}
    return [-float(places.get(number, len(texts))) for number in range(1, len(texts) + 1)]


def _named(reply: Reply, count: int) -> list[int] | None:
    """The numbers of stretches in a reply's list, each once; None where it holds nothing usable."""
    said: Any = (replies.json_object(reply.text) or {}).get("places")
    if not isinstance(said, list):
        return None
    told = (NUMBER.fullmatch(str(item)) for item in said if not isinstance(item, bool))
    named = [n for n in dict.fromkeys(int(m[1]) for m in told if m) if 1 <= n <= count]
    return named if named or not said else None


def _fitting(texts: Sequence[str], tokens: int, model: TextModel) -> list[str]:
    """The texts, those of more tokens shortened to about so many."""
    sizes = model.count(texts)
    return [
        text if size <= tokens else shortened(text, max(1, len(text) * max(1, tokens) // size))
        for text, size in zip(texts, sizes, strict=True)
    ]
