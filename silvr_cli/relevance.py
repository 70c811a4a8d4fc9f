"""How much lines of text have to do with a question, by words alone; pure, no model.

BM25 after Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009), section 3.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

K1, B = 1.2, 0.5
# Words whose terms are remembered at once: those of the longest videos and more.
WORDS_KEPT = 200_000
WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+", re.UNICODE)
# Thai, Lao, Burmese, Khmer, Chinese and Japanese letters: scripts without spaces between words; and
# Korean ones, where endings of many kinds are written to a word.
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af]")
SUFFIX = re.compile(r"(?:ations?|ings?|ied|ies|ed|es|s|ly)$")
# Words that questions are made of and that tell nothing about where the answer stands.
STOP = frozenset(
    [
        "a",
        "about",
        "according",
        "after",
        "all",
        "also",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "been",
        "before",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "doing",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "many",
        "me",
        "much",
        "my",
        "of",
        "on",
        "or",
        "our",
        "part",
        "say",
        "says",
        "said",
        "she",
        "should",
        "so",
        "tell",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "up",
        "us",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "whose",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
        "video",
        "clip",
        "shown",
        "mentioned",
        "mention",
        "one",
    ]
)

# Of these, words that other languages have too: "Was kostet das?" is no English.
SHARED = frozenset(
    [
        "a",
        "all",
        "also",
        "an",
        "as",
        "at",
        "clip",
        "do",
        "for",
        "had",
        "has",
        "he",
        "her",
        "i",
        "in",
        "is",
        "me",
        "of",
        "on",
        "one",
        "or",
        "part",
        "so",
        "video",
        "was",
        "we",
        "will",
    ]
)


def terms(text: str) -> list[str]:
    """Words without their endings and without stop words; numbers keep their digits only. Runs of
    scripts without spaces are told two letters at a time.
    """
    words = WORD.findall(text.casefold())
    if not text.isascii() and UNSPACED.search(text):
        words = [part for word in words for part in _parts(word)]
    return [term for term in map(_TERMS.__getitem__, words) if term]


def _parts(word: str) -> list[str]:
    return pairs(word) if UNSPACED.search(word) else [word]


def pairs(word: str) -> list[str]:
    """The letters of a word two by two, each but the outer ones twice; one letter alone."""
    return [word[i : i + 2] for i in range(max(1, len(word) - 1))]


class _Terms(dict[str, str]):
    """What each word is looked up by, "" for a stop word; worked out once a word."""

    def __missing__(self, word: str) -> str:
        number = word[0].isdigit()
        term = word.replace(",", "") if number else "" if word in STOP else stem(word)
        if len(self) >= WORDS_KEPT:
            self.clear()
        self[word] = term
        return term


_TERMS = _Terms()


def bare(text: str) -> str:
    """Words and numbers alone, in small letters, a space between: tells what is the same."""
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def is_english(text: str, share: float = 0.15) -> bool:
    """Whether English function words make up a fair part of the words, as in any English text."""
    words = WORD.findall(text.casefold())
    return sum(word in STOP for word in words) >= share * max(1, len(words))


def asks_in_english(question: str) -> bool:
    """Whether a question is surely English: one function word at least is of no other language."""
    words = WORD.findall(question.casefold())
    return is_english(question) and any(word in STOP and word not in SHARED for word in words)


def worded(found: Iterable[str], text: str) -> list[str]:
    """The words of the text that stand behind these terms, as they are written there."""
    wanted, words = set(found), WORD.findall(text)
    return [*dict.fromkeys(word for word in words if wanted.intersection(terms(word)))]


def stem(word: str) -> str:
    """The word without a common English ending, if three letters stay."""
    bare = SUFFIX.sub("", word)
    return bare if len(bare) >= 3 else word


def grams(text: str, size: int = 4) -> list[str]:
    """The runs of `size` letters in each telling word, its bounds marked; numbers stay whole.

    They meet where stems do not: crop and cropping, marque and marquee. McNamee and Mayfield,
    "Character N-Gram Tokenization for European Language Text Retrieval" (2004).
    """
    found = []
    for word in WORD.findall(text.casefold()):
        if word[0].isdigit():
            found.append(word.replace(",", ""))
        elif UNSPACED.search(word):
            found += pairs(word)
        elif word not in STOP:
            bound = f"_{word}_"
            found += [bound[at : at + size] for at in range(max(1, len(bound) - size + 1))]
    return found


class Index:
    """BM25 over a list of texts, by words or by whatever `split` makes of them.

    `holders` tells for each term how often it stands in which texts.
    """

    def __init__(self, texts: Sequence[str], split: Callable[[str], list[str]] = terms) -> None:
        self.split = split
        self.lengths: list[int] = []
        self.holders: dict[str, dict[int, int]] = {}
        holders = self.holders
        for index, text in enumerate(texts):
            words = split(text)
            self.lengths.append(len(words))
            for word in words:
                held = holders.get(word)
                if held is None:
                    holders[word] = {index: 1}
                else:
                    held[index] = held.get(index, 0) + 1
        self.average = sum(self.lengths) / max(1, len(texts)) or 1.0
        self.frequency = {term: len(held) for term, held in holders.items()}

    def weight(self, term: str) -> float:
        """Inverse document frequency; 0 for a term that no text has."""
        have = self.frequency.get(term, 0)
        if not have:
            return 0.0
        return math.log(1 + (len(self.lengths) - have + 0.5) / (have + 0.5))

    def scores(self, query: str) -> list[float]:
        """One score a text, 0 where no word is shared."""
        found = [0.0] * len(self.lengths)
        for term in dict.fromkeys(self.split(query)):
            weight = self.weight(term)
            for index, times in self.holders.get(term, {}).items():
                norm = K1 * (1 - B + B * self.lengths[index] / self.average)
                found[index] += weight * times * (K1 + 1) / (times + norm)
        return found

    def joined(self, query: str, runs: Sequence[tuple[int, int]]) -> list[float]:
        """One score for each run [a, b) of the texts, as if it were one text among the runs; takes
        time by the texts and runs, however long these are.
        """
        lengths = [0, *accumulate(self.lengths)]
        sizes = [lengths[b] - lengths[a] for a, b in runs]
        average = sum(sizes) / max(1, len(runs)) or 1.0
        norms = [K1 * (1 - B + B * size / average) for size in sizes]
        found = [0.0] * len(runs)
        for term in dict.fromkeys(self.split(query)):
            held = self.holders.get(term, {})
            told = [0, *accumulate(held.get(i, 0) for i in range(len(self.lengths)))]
            times = [told[b] - told[a] for a, b in runs]
            have = sum(map(bool, times))
            weight = math.log(1 + (len(runs) - have + 0.5) / (have + 0.5))
            for index, count in enumerate(times):
                if count:
                    found[index] += weight * count * (K1 + 1) / (count + norms[index])
        return found

    def holding(self, words: Iterable[str]) -> set[int]:
        """The texts that have all of the words."""
        held = [set(self.holders.get(word, ())) for word in words]
        return set.intersection(*held) if held else set()
