"""The example inside a prompt, and replies that tell of it instead of the video; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .relevance import terms

# The example stands between the first and the last of these in a template.
NOTES = re.compile(r"^Notes:", re.MULTILINE)
BLANK = re.compile(r"\{[%{#].*?[%}#]\}|\d+:\d+", re.DOTALL)
NAMED = re.compile(r"(?<=[a-z] )[A-Z][^\W\d_]+")
WORD = re.compile(r"[^\W\d_]+")
# What the examples hold as any video may.
EVERYDAY = frozenset(
    terms(
        "take takes taken sold mixes water let whole thing rests six hours two goes makes well"
        " under our much speech notes question answer sentence"
    )
)
# So many words of the example in one reply are no chance; a name is none either.
MOST = 2


def borrowed(text: str, template: str, sources: Sequence[str]) -> tuple[str, ...]:
    """The words that a reply took from its prompt's example and that no source has."""
    example = _example(template)
    only = frozenset(terms(example)) - EVERYDAY - set(terms(" ".join(sources)))
    taken = [word for word in WORD.findall(text) if only.intersection(terms(word))]
    told = {term for word in taken for term in terms(word)}
    known = len(told) >= MOST or not set(NAMED.findall(example)).isdisjoint(taken)
    return tuple(dict.fromkeys(taken)) if known else ()


def _example(template: str) -> str:
    places = [match.end() for match in NOTES.finditer(template)]
    return BLANK.sub(" ", template[places[0] : places[-1]]) if len(places) > 1 else ""
