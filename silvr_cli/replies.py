"""What a model's reply means: its thinking taken off, its letter or words matched to an option.

Pure text. Whatever cannot be told apart is None: nothing here guesses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from .figures import figures, worth
from .records import Answer
from .relevance import terms

THINK = re.compile(r"<think>(.*?)(?:</think>|\Z)", re.DOTALL)
LETTER = re.compile(
    r"\A\W*(?:(?:the\s+)?(?:correct\s+|right\s+|best\s+)?(?:answer|option|choice)"
    r"\s*(?:is)?\s*:?\s*)?"
    r"[(\[*\"']*([A-Z])(?:[)\].:*\"']+(?:\s|\Z)|\s*(?:\n|\Z))",
    re.IGNORECASE,
)
# After "answer", "option" or the like, or in the marks that models are trained to answer in.
# "A" and "I" are words too: before another word they are no letters, but for "A because …".
# "The answer is B or C" names none.
NAMED = re.compile(
    r"(?:(?:(?i:answer|option|choice)(?:\s+is)?[:>]?|(?i:it is|it's|go with|choose|pick|select)"
    r"|\\boxed\{)\s*\**[(\[]?([A-Z])[)\].*}]*)"
    r"(?:(?<![AI])(?=\W|\Z)|(?<=[AI])(?=\s*(?:[^\w\s]|\Z)|\s+(?:because|since|as)\b))"
    r"(?!\s*(?:or|and|/|&)\s*[(\[]?[A-Z]\b)"
)
# Who says nothing, before or after the verb: a contract that specifies no date is no denial.
DENIAL = re.compile(
    r"\b(?:video|notes?|recording|transcript|captions?|text|context|clip|passages?|timeline"
    r"|information)\b[^.!?]{0,40}?\b(?:do|does|did|is|are|was|were)(?: not|n['’]t)"
    r" (?:say|mention|state|specify|provide|contain|include|tell|give|said|given|provided)\b"
    r"|\b(?:speakers?|narrator|(?:\A|[.!?])\W*it) (?:do|does|did)(?: not|n['’]t)"
    r" (?:say|mention|state|specify)\b"
    r"|\b(?:is|are|was|were)(?: not|n['’]t)(?: \w+ly)? (?:mentioned|stated|specified)\b"
    r"|\bnot (?:said|given|provided|shown)\b[^.!?]{0,20}\b(?:in|by) the (?:video|notes?|recording"
    r"|transcript|captions?|text|context|clip|passages?)\b"
    r"|\A\W*not (?:stated|mentioned|said|specified|provided|given)\b"
    r"|\bno information (?:about|on|of|regarding|(?:is|was) (?:given|provided|available))\b"
    r"|\b(?:there (?:is|was)|has|have|gives?) no (?:such )?information\b|\bcannot be determined\b",
    re.IGNORECASE,
)
REFUSAL = re.compile(
    r"\W*(?:i'?m sorry|sorry|as an ai|i can(?:no|')t|i am unable)\b", re.IGNORECASE
)
# Words that turn an answer into another one.
TURNS = re.compile(r"\b(?:no|not|never|nobody|nothing|none|without|before|after|yes)\b|\w+n['’]t\b")
LABEL = re.compile(r"^\s*(?:answer|question)\s*:", re.IGNORECASE)
ANSWER_KEYS = ("answer", "choice", "option", "letter")
ALIKE = 0.72
MARGIN = 0.08
MISSPELT = 0.9


def without_thinking(text: str) -> tuple[str, str]:
    """(reply, thinking): `<think>…</think>` taken out of a reply.

    Where the prompt itself opened the thinking, the reply has no more than its end.
    """
    text = clean(text)
    if "</think>" in text and "<think>" not in text.partition("</think>")[0]:
        text = "<think>" + text
    thoughts = " ".join(part.strip() for part in THINK.findall(text))
    return THINK.sub("", text).strip(), thoughts


def clean(text: str) -> str:
    """The text without halves of letters, which JSON can spell and nothing can store."""
    return text.encode("utf-8", "replace").decode("utf-8")


def first_line(text: str) -> str:
    """The first line with words, its label taken off; small models go on with questions of their
    own.
    """
    lines = (LABEL.sub("", line).strip() for line in text.splitlines())
    return next((line for line in lines if line), "")


def denies(text: str) -> bool:
    """Whether the reply says that the video does not say."""
    return bool(DENIAL.search(text))


def refuses(text: str) -> bool:
    """Whether the reply excuses itself instead of answering."""
    return bool(REFUSAL.match(text))


def json_object(text: str) -> dict[str, Any] | None:
    """The first JSON object in a reply, with or without a fence around it.

    One that is nested without end is none.
    """
    decoder = json.JSONDecoder()
    for match in re.finditer(r"\{", text):
        try:
            found, _ = decoder.raw_decode(text, match.start())
            return dict(_cleaned(found))
        except RecursionError:
            return None
        except ValueError:
            continue
    return None


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(key): _cleaned(item) for key, item in value.items()}
    return [_cleaned(item) for item in value] if isinstance(value, list) else value


def option(reply: str, options: Sequence[str]) -> int | None:
    """The index of the option that a reply means, by letter or by words; None when unclear."""
    text, _ = without_thinking(reply)
    found = json_object(text)
    named = [found[key] for key in ANSWER_KEYS if found and isinstance(found.get(key), str)]
    if named:
        text = named[0]
    # Said as it stands it is no letter, though it begins as one does: "C. elegans".
    same = _same(text, options)
    if same is not None and len(options[same]) > 1:
        return same
    in_words = by_words(text, options)
    by_letter = letter(text, len(options))
    # "A man runs" is no letter; a reply that is both, such as "B. a dog", is told by its letter.
    return by_letter if by_letter is not None else in_words


def alike(answer: Answer, answers: Sequence[Answer], question: str) -> list[Answer]:
    """Those of `answers` that mean the same as `answer`: the same verdict, and the same option or,
    besides the question's own words, the same numbers and turns and hardly another word.
    """
    mine = _meant(answer.text, question)
    return [
        other
        for other in answers
        if other.verdict == answer.verdict
        and other.choice == answer.choice
        and (answer.choice is not None or _agree(mine, _meant(other.text, question)))
    ]


class _Meant(NamedTuple):
    """What an answer has and its question has not."""

    words: set[str]
    numbers: set[str]
    turns: set[str]


def _meant(text: str, question: str) -> _Meant:
    told, small = figures(text), text.casefold()
    words = set(terms(TURNS.sub(" ", small))) - set(terms(question))
    turns = {"not" if word.endswith(("'t", "’t")) else word for word in TURNS.findall(small)}
    numbers = set(worth(text)) - worth(question)
    counted = {term for figure in told for term in terms(figure.text)}
    return _Meant(words - counted, numbers, turns)


def _agree(mine: _Meant, other: _Meant) -> bool:
    if mine.turns != other.turns or bool(mine.numbers) != bool(other.numbers):
        return False
    if mine.numbers and mine.numbers.isdisjoint(other.numbers):
        return False
    fewer = min(len(mine.words), len(other.words))
    # Who says more says the same; who says something else instead does not.
    says = fewer > 0 or mine == other or bool(mine.numbers or mine.turns)
    return says and len(mine.words & other.words) >= ALIKE * fewer


def letter(text: str, count: int) -> int | None:
    """The index of a lone letter at the reply's beginning, or of "answer is X" in its prose."""
    match = LETTER.match(text.strip()) or None
    named = NAMED.findall(text)
    name = match[1] if match else named[-1] if named else None
    index = ord(name.upper()) - ord("A") if name else -1
    return index if 0 <= index < count else None


def _same(reply: str, options: Sequence[str]) -> int | None:
    """The only option that a reply repeats with all its signs: "C++", "-5"."""
    told = reply.strip().casefold()
    same = [i for i, option in enumerate(options) if option.strip().casefold() == told]
    return same[0] if len(same) == 1 else None


def by_words(reply: str, options: Sequence[str]) -> int | None:
    """The option whose words the reply holds or resembles, if it is the only one."""
    said = _plain(reply)
    if not said:
        return None
    whole = _same(reply, options)
    if whole is not None:
        return whole
    plain = [_plain(text) for text in options]
    exact = [i for i, text in enumerate(plain) if text == said]
    if len(exact) == 1:
        return exact[0]
    held = [i for i, text in enumerate(plain) if text and f" {text} " in f" {said} "]
    if held:
        # "New York" holds "York": the longest of nested options is meant.
        longest = max(held, key=lambda i: len(plain[i]))
        return longest if all(plain[i] in plain[longest] for i in held) else None
    figures = _numbers(set(terms(said)))
    same = [i for i, text in enumerate(plain) if figures and _numbers(set(terms(text))) == figures]
    if len(same) == 1:
        # "About 300 million" is "well over 300 million", not "about 700 million".
        return same[0]
    return _likeliest([_likeness(said, text) for text in plain])


def _likeness(said: str, option_text: str) -> float:
    mine, other = set(terms(said)), set(terms(option_text))
    if _numbers(mine) and _numbers(other) and not _numbers(mine) & _numbers(other):
        return 0.0
    ratio = SequenceMatcher(None, said, option_text, autojunk=False).ratio()
    if not mine & other:
        # Without one word in common letters must all but agree: a cake is no fake.
        return ratio if ratio >= MISSPELT else 0.0
    return max(len(mine & other) / max(1, len(other)), ratio)


def _likeliest(scores: Sequence[float]) -> int | None:
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    best = order[0]
    if scores[best] < ALIKE:
        return None
    if len(order) > 1 and scores[best] - scores[order[1]] < MARGIN:
        return None
    return best


def _numbers(words: set[str]) -> set[str]:
    return {word for word in words if word[0].isdigit()}


def _plain(text: str) -> str:
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text.casefold())
    return " ".join(re.findall(r"\d+(?:[.:]\d+)*|[^\W\d_]+", text))
