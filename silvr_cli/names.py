"""Names in a reply, capitalized words, that stand nowhere in what it was made from; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .relevance import SHARED, STOP, WORD, bare, stem

# Capitalized words one after another, and where sentences begin.
UPPER = "".join(letter for letter in map(chr, range(0x41, 0x250)) if letter.isupper())
RUN = re.compile(rf"(?<![\w\"“‘'])[{UPPER}][^\W\d_]+(?: [{UPPER}][^\W\d_]+)*")
SENTENCE = re.compile(r"(?:^|[.!?:]\s+)[\s\"“‘'*(-]*(?:A )?\Z")
# What begins a sentence, stands before a name or is an answer by itself, and is no name.
ORDINARY = STOP | frozenset(
    re.findall(
        r"\w+",
        """
    yes no not none nothing nobody never always maybe perhaps unknown unclear both neither
    either true false here there now today later next first last finally also then thus however
    meanwhile once twice only even but yet because since until during near over under through
    between inside outside above below behind across against without within although though if
    nor each every everyone everybody someone somebody anyone another other others such several
    some few most more many different two three four five six seven eight nine ten mr mrs ms
    miss dr doctor sir madam lady lord king queen prince princess president vice minister
    senator judge mayor governor captain general colonel sergeant officer chief director manager
    professor teacher coach host speaker narrator reporter author uncle aunt father mother
    brother sister son daughter saint dear red blue green yellow black white orange brown purple
    pink grey gray silver gold golden man men woman women boy girl people person child children
    male female happy sad angry morning evening night noon left right north south east west up
    down high low big small old young good bad
    """,
    )
)
# Endings that make ordinary words; letters in common that make two words one.
MADE = re.compile(r"(?:ing|ly|ed|ness|ment|tion)$")
AKIN = 4
# What makes words of names, and up to how many letters a name takes no ending but a plural's.
LATIN, ENDLESS = r"[a-z\u00df-\u024f]", 4
# Words inside of a sentence, the share of them that is capitalized where nouns are, and too few to
# tell; English has more than so few function words of its own.
INSIDE = re.compile(r"(?<=[a-zß-ÿ,] )[^\W\d_]{2,}")
NOUNS, FEW, ENGLISH = 0.15, 8, 0.03


def foreign(text: str, sources: Sequence[str]) -> list[str]:
    """The names of a text that the sources do not have.

    A sentence's first word is one only before another capitalized word, or where the whole text
    is no longer than that: "Paris.", "Emma Brooks recorded it."
    """
    told = " ".join(map(bare, sources))
    if _capitalizes(sources):
        return []
    found = []
    for match in RUN.finditer(text):
        first = bool(SENTENCE.search(text[: match.start()]))
        name = _name(match[0].split(), first, len(text.split()) <= 2, told)
        if name and not _held(bare(name), told) and not _titled(name, first, sources, told):
            found.append(name)
    return list(dict.fromkeys(found))


def _capitalizes(sources: Sequence[str]) -> bool:
    """Whether the sources' language writes any noun as a name is written, as German does."""
    text = " ".join(sources)
    words, inside = WORD.findall(text.casefold()), INSIDE.findall(text)
    english = sum(word in STOP and word not in SHARED for word in words)
    nouns = sum(word[0].isupper() for word in inside)
    few = len(inside) < FEW or nouns <= NOUNS * len(inside)
    return not few and english < ENGLISH * len(words)


def _held(name: str, told: str) -> bool:
    """Whether a name stands there as a word of its own, in one word or two: "Sea World" for
    "SeaWorld", "Berlin" for "Berliner", but not "Emma" for "them many".
    """
    letters = " ?".join(map(re.escape, name.replace(" ", "")))
    ending = rf"{LATIN}{{0,3}}" if len(name) > ENDLESS else "(?:e?s)?"
    return bool(letters and re.search(rf"(?<!{LATIN}){letters}{ending}(?!{LATIN})", told))


def _name(words: list[str], first: bool, short: bool, told: str) -> str:
    """A run of capitalized words without what is ordinary about it; "" when nothing is left."""
    begun = len(words)
    while first and words and words[0].casefold() in ORDINARY:
        words = words[1:]
    placed = begun == len(words) and not short
    if first and len(words) == 1 and (placed or _known(words[0], told)):
        return ""
    return " ".join(words)


def _known(word: str, told: str) -> bool:
    """Whether a word that is capitalized for its place alone is one of everyday, or of the text."""
    plain = stem(word.casefold())
    akin = plain[: max(AKIN, len(plain) - 2)]
    return bool(MADE.search(word)) or any(other.startswith(akin) for other in told.split())


def _titled(name: str, first: bool, sources: Sequence[str], told: str) -> bool:
    """Whether only the first word of a sentence is new before a name that stands there by itself:
    "Baker Lena", but not "Emma Brooks" where the sources tell of Emily Brooks.
    """
    _, _, rest = name.partition(" ")
    if not first or not rest or bare(rest) not in told:
        return False
    before = re.compile(rf"\b([{UPPER}][^\W\d_]+) {re.escape(rest)}\b")
    others = {other for text in sources for other in before.findall(text)}
    return " " in rest or not any(other.casefold() not in ORDINARY for other in others)
