"""How likely a small model holds each option by its letter: every option has its turn at each."""

from __future__ import annotations

from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .talk import Talk

# How many candidates for the letter are looked at, and what a letter that is none of them gets
# (natural log).
CANDIDATES, UNSEEN = 20, -15.0
# There are no more letters for options.
MOST = 26


def likelihoods(talk: Talk, choices: Sequence[str], values: dict[str, Any]) -> list[float]:
    """Each option's log-likelihood, summed over its turns at the letters, for small models like
    some letters better than others; [] when they are not told. Each turn is a call; the notes stand
    first, so a server that keeps its prefix reads them once.
    """
    sums = [0.0] * len(choices)
    for turn in range(len(choices)):
        order = turned(choices, turn)
        some = {**values, "choices": [choices[i] for i in order]}
        first = talk.likeliest("answer_letter", CANDIDATES, **some)
        if not first:
            return []
        told: dict[str, float] = {}
        for token, likelihood in first:
            told.setdefault(token.strip(), likelihood)
        for place, i in enumerate(order):
            sums[i] += told.get(chr(ord("A") + place), UNSEEN)
    return sums


def turned(choices: Sequence[str], turn: int) -> list[int]:
    """The options' indices in the order in which they stand after so many turns."""
    return [(i + turn) % len(choices) for i in range(len(choices))]


def standard(scores: Sequence[float]) -> list[float]:
    """In standard deviations from the mean; all zeros when all are alike."""
    spread = pstdev(scores)
    return [(score - fmean(scores)) / spread if spread else 0.0 for score in scores]
