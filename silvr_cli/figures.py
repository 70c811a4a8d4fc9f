"""Numbers in a text, in digits or in English words, told by what they are worth; pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[½¼¾]|[^\W\d_]+|[,;:.!?()]")
LETTERS = re.compile(r"\w+")
ONES = LETTERS.findall(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
TENS = LETTERS.findall("twenty thirty forty fifty sixty seventy eighty ninety")
ORDINALS = LETTERS.findall(
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth"
)
PLAIN = {
    **{word: float(i) for i, word in enumerate(ONES)},
    **{word: 20.0 + 10 * i for i, word in enumerate(TENS)},
}
# Who says the seventeenth century says the 17th.
PLACED = {
    **{word: float(i) for i, word in enumerate(ORDINALS)},
    **{f"{word}th": PLAIN[word] for word in ONES[11:] if word != "twelve"},
    **{f"{word[:-1]}ieth": PLAIN[word] for word in TENS},
    "twelfth": 12.0,
}
SCALES = {"dozen": 12.0, "hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9}
SCALES |= {"trillion": 1e12}
PARTS = {"half": 0.5, "quarter": 0.25, "½": 0.5, "¼": 0.25, "¾": 0.75}
# How often, in a word.
OFTEN = {"once": 1.0, "twice": 2.0, "thrice": 3.0}
# Times of day in words: "half past nine", "ten to nine", "nine o'clock", "nine thirty", "3 pm".
PAST = re.compile(r"\b(half|quarter|\w+)(?: minutes?)? (past|to) (\w+)\b", re.IGNORECASE)
HOUR = rf"(\d{{1,2}}|{'|'.join(ONES[1:13])})"
CLOCK = re.compile(rf"\b{HOUR}(?: o['’]clock|[ -]((?:\w+ty[ -])?[a-z]+))\b", re.IGNORECASE)
HALVES = re.compile(r"\b(\d{1,2})(?:[:.](\d\d))? ?([ap])\.?m\b", re.IGNORECASE)
THOUSANDS = re.compile(r"\b(\d+(?:\.\d+)?)k\b", re.IGNORECASE)
POINT = re.compile(r"\b(\w+) point (\w+)\b", re.IGNORECASE)
# Words inside of a number, and between the two ends of "10 to 15 million".
INSIDE, BETWEEN = ("and", "a"), ("to", "or", "and")
LONGEST = 7
# Words that number nothing when they stand alone: no one, half the time, a quarter to ten.
LOOSE = frozenset(["one", *PARTS])


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as it is written, and where it stands in its text."""

    text: str
    start: int
    end: int


def figures(text: str, loose: bool = False) -> list[Figure]:
    """The numbers of a text; with "one" and "half" as well if they are to be taken so loosely."""
    found, tokens, at = [], list(TOKEN.finditer(text)), 0
    words = [token[0].casefold() for token in tokens]
    while at < len(words):
        length = _longest(words, at)
        if length and (loose or length > 1 or words[at] not in LOOSE):
            start, end = tokens[at].start(), tokens[at + length - 1].end()
            found.append(Figure(text[start:end], start, end))
        at += max(1, length)
    return found


@lru_cache(16384)
def worth(text: str) -> frozenset[str]:
    """All that the numbers in a text can be read as: 25 and 20 of "twenty-five", 1984 of
    "nineteen eighty-four", 10 million of "10 to 15 million".
    """
    words = [word.casefold() for word in TOKEN.findall(text)]
    found: set[str] = set()
    for at, word in enumerate(words):
        if _numeral(word) or word in PLACED:
            found.update(_alone(word))
            found.update(repr(value) for value in _from(words, at))
        elif word in OFTEN:
            found.add(repr(OFTEN[word]))
    found.update(f"t{hour}:{minute:02d}" for hour, minute in _times(text))
    found.update(repr(float(number) * 1000) for number in THOUSANDS.findall(text))
    for whole, part in POINT.findall(text):
        if whole.casefold() in PLAIN and PLAIN.get(part.casefold(), 10.0) < 10:
            found.add(repr(PLAIN[whole.casefold()] + PLAIN[part.casefold()] / 10))
    return frozenset(found)


def _times(text: str) -> Iterator[tuple[int, int]]:
    """The times of day, in hours and minutes, that words tell."""
    for minutes, way, hour in PAST.findall(text):
        told = {"half": 30, "quarter": 15}.get(minutes.casefold(), _small(minutes, 59))
        if told is not None and (at := _small(hour, 24)):
            yield (at, told) if way.casefold() == "past" else ((at - 1) or 12, 60 - told)
    for hour, minutes in CLOCK.findall(text):
        at, told = _small(hour, 12), _small(minutes, 59) if minutes else 0
        if at and told is not None and (told >= 10 or not minutes):
            yield at, told
    for hour, minutes, half in HALVES.findall(text):
        if 0 < int(hour) <= 12:
            yield int(hour), int(minutes or 0)
            yield int(hour) % 12 + (12 if half in "pP" else 0), int(minutes or 0)


def _small(word: str, most: int) -> int | None:
    """A whole number up to `most`, in digits or words."""
    value = _value([part.casefold() for part in TOKEN.findall(word)])
    return int(value) if value is not None and value <= most and value == int(value) else None


def stands(figure: Figure, have: frozenset[str] | set[str]) -> bool:
    """Whether one of the readings of a number is among those that a text has."""
    words = [word.casefold() for word in TOKEN.findall(figure.text)]
    if len(words) == 1:
        # A time of day that somebody tells is more than its hour.
        readings = _alone(words[0])
        return not have.isdisjoint(readings[:1] if ":" in words[0] else readings)
    return repr(_value(words)) in have


def _longest(words: Sequence[str], at: int) -> int:
    """How many words from here on make one number; 0 where none begins."""
    if not _numeral(words[at]):
        return 0
    lengths = range(min(LONGEST, len(words) - at), 1, -1)
    return next((n for n in lengths if _value(words[at : at + n]) is not None), 1)


def _from(words: Sequence[str], at: int) -> Iterator[float]:
    """What the words from here on can be read as together."""
    for length in range(2, min(LONGEST, len(words) - at) + 1):
        value = _value(words[at : at + length])
        if value is not None:
            yield value
        yield from _spelt(words[at : at + length])
    rest = [word for word in words[at + 1 : at + 4] if word not in BETWEEN][:2]
    if len(rest) == 2 and _numeral(rest[0]) and rest[1] in SCALES:
        yield _value([words[at], rest[1]]) or 0.0


def _spelt(words: Sequence[str]) -> Iterator[float]:
    """Digits one by one, and years in two halves."""
    values = [PLAIN.get(word) for word in words]
    if all(value is not None and value < 10 for value in values):
        yield float("".join(str(int(value or 0)) for value in values))
    first, rest = PLAIN.get(words[0], 0.0), _value(words[1:])
    if 10 <= first <= 99 and rest is not None and 10 <= rest <= 99:
        yield first * 100 + rest


def _value(words: Sequence[str]) -> float | None:
    """What the words are worth as one number; None if they are not one."""
    if not words or words[0] in INSIDE or words[-1] in INSIDE:
        return None
    total = held = 0.0
    for word in (word for word in words if word not in INSIDE):
        if word in SCALES:
            held = (held or 1.0) * SCALES[word]
            total, held = (total + held, 0.0) if SCALES[word] >= 1000 else (total, held)
        elif word in PARTS:
            held += PARTS[word]
        else:
            value = _plain(word)
            if value is None or (held and not _follows(held, value)):
                return None
            held += value
    return total + held


def _follows(held: float, value: float) -> bool:
    """Whether a number goes on so: "three hundred" with "five", "twenty" with "one"."""
    below = held % 100
    return (below == 0 and value < 100) or (below >= 20 and below % 10 == 0 and 0 < value < 10)


def _numeral(word: str) -> bool:
    return word[0].isdigit() or word in PLAIN or word in SCALES or word in PARTS


def _plain(word: str) -> float | None:
    if word[0].isdigit():
        return _decimal(word)
    return PLAIN.get(word, PLACED.get(word))


def _alone(word: str) -> tuple[str, ...]:
    """The readings of one word: of "1,5" and "1.500" as well, which not everybody reads alike."""
    if ":" in word:
        whole = re.fullmatch(r"0*(\d{1,2}):00", word)
        if whole:
            # "3 pm" and "three o'clock" name the hour alone.
            hour = int(whole[1])
            return (f"t{hour}:00", repr(float(hour)), repr(float(hour % 12 or 12)))
        return ("t" + re.sub(r"^(?:0+:)*0*(?=\d)", "", word),)
    value = SCALES.get(word, PARTS.get(word))
    value = _plain(word) if value is None else value
    others = [re.sub(r"[.,]", "", word)] if re.fullmatch(r"\d+(?:[.,]\d{3})+", word) else []
    others += [word.replace(",", ".")] if re.fullmatch(r"\d+,(?!\d{3}$)\d+", word) else []
    return (*((repr(value),) if value is not None else (word,)), *(repr(float(n)) for n in others))


def _decimal(word: str) -> float | None:
    """Digits as English writes them: commas by the thousand, one point."""
    try:
        value = float(word.replace(",", ""))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
