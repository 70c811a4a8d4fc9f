"""Stretches of a video and a query -> how well each answers it, read by a text model.

A small model is bad at saying whether a stretch answers a question, and good at guessing what would
be asked after it: the likelihood of the query after each stretch ranks them (Sachan et al.,
"Improving Passage Retrieval with Zero-Shot Question Generation", EMNLP 2022). Models that tell no
likelihoods, large ones on servers, put all stretches in order at once (Sun et al., "Is ChatGPT
Good at Search?", EMNLP 2023). Knows the TextModel behind a Talk and no provider.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import prompts, replies
from ..errors import ReplyError
from ..sentences import shortened

if TYPE_CHECKING:
    from ..protocols import Work
    from ..talk import Talk

ORDER_TOKENS, PROMPT_TOKENS = 200, 400
ORDER = {
    "type": "object",
    "properties": {"places": {"type": "array", "items": {"type": "integer"}}},
    "required": ["places"],
}


def read(texts: Sequence[str], query: str, talk: Talk, work: Work) -> tuple[float, ...]:
    """A figure for each text, the higher the better it answers the query; only their order and
    their distances from each other mean something.

    Raises ReplyError when the model puts no text in order.
    """
    query = " ".join(query.split())
    found: list[float] = []
    for number, text in enumerate(texts):
        key = f"stretch {number}"
        told = work.get(key)
        if told is None:
            told = talk.likelihood("place_query", query, context=prompts.fenced(text))
            if told is None:
                found = _ordered(texts, query, talk)
                work.report(len(texts), len(texts))
                break
            work.put(key, told)
        found.append(float(told))
        work.report(number + 1, len(texts))
    return tuple(found)


def _ordered(texts: Sequence[str], query: str, talk: Talk) -> list[float]:
    """By the place that the model gives each text; those that it leaves out come last."""
    room = (talk.model.context_length - ORDER_TOKENS - PROMPT_TOKENS) // max(1, len(texts))
    sizes = talk.model.count(texts)
    # Of a model with little room each stretch gets its share.
    fitting = [
        text if size <= room else shortened(text, max(1, len(text) * room // size))
        for text, size in zip(texts, sizes, strict=True)
    ]
    shown = "\n\n".join(f"{number}. {text}" for number, text in enumerate(fitting, 1))
    reply = talk.ask("place_order", ORDER_TOKENS, ORDER, context=prompts.fenced(shown), query=query)
    said = (replies.json_object(reply.text) or {}).get("places")
    if not isinstance(said, list):
        raise ReplyError(f"{talk.model.name} put no stretches in order: {reply.text[:80]!r}")
    named = dict.fromkeys(n for n in said if isinstance(n, int) and 1 <= n <= len(texts))
    places = {number: place for place, number in enumerate(named)}
    return [-float(places.get(number, len(texts))) for number in range(1, len(texts) + 1)]
