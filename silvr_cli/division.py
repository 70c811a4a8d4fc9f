"""Which of many moments divide a stretch best, by their strengths and the lengths of the parts.

Pure numbers; knows no sign and no video.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of more moments than this, or than so many for each that may be chosen, the strongest of each of
# as many equal cells are looked at.
MANY, MANY_FOR_EACH = 4000, 4
# The search for a price ends when it is known as exactly as this, and gives up beyond, in bits.
EXACT, BEYOND = 1e-4, 1e6


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a division is to be like: its parts' least length in seconds, how many moments.

    Each moment costs `price` bits, and each halving of a part's length `even` bits: what the
    strengths do not tell apart is so spread over the stretch.
    """

    least: float
    number: tuple[int, int]
    price: float
    even: float


def divided(moments: Sequence[tuple[float, float]], duration: float, wanted: Wanted) -> list[float]:
    """The times among `(time, strength)` that divide 0 to `duration` best, in order.

    Fewer than the lower number are given only when no more have room.
    """
    low, high = wanted.number
    inside = [m for m in moments if wanted.least <= m[0] <= duration - wanted.least]
    if not inside or high < 1:
        return []
    stretch = _Stretch(_thinned(inside, duration, high), duration, wanted)
    found = stretch.path(wanted.price)
    if not low <= len(found) <= high:
        found = stretch.numbered(low if len(found) < low else high)
    return [float(stretch.times[i]) for i in found]


def _thinned(
    moments: Sequence[tuple[float, float]], duration: float, high: int
) -> list[tuple[float, float]]:
    """The strongest of each cell, where there are more moments than a search has time for."""
    cells = max(MANY, MANY_FOR_EACH * high)
    if len(moments) <= cells:
        return list(moments)
    best: dict[int, tuple[float, float]] = {}
    for moment in moments:
        cell = int(moment[0] / duration * cells)
        if cell not in best or moment[1] > best[cell][1]:
            best[cell] = moment
    return list(best.values())


class _Stretch:
    """Moments in order, 0 before them and the end behind them; `before`: how many are far enough
    before each to be the one chosen before it.
    """

    def __init__(
        self, moments: Sequence[tuple[float, float]], duration: float, wanted: Wanted
    ) -> None:
        self.times: NDArray[Any] = np.array([0.0, *(t for t, _ in moments), duration])
        self.strengths: NDArray[Any] = np.array([0.0, *(s for _, s in moments), 0.0])
        self.wanted = wanted
        before = np.searchsorted(self.times, self.times - wanted.least, side="right")
        self.before = np.clip(before, 1, np.maximum(1, np.arange(len(self.times))))

    def path(self, price: float) -> list[int]:
        """The moments whose strengths, less their price, and parts come to the most.

        What a part is worth is concave in its length. So the best moment to come from never
        goes back as we go on, and what lies before it needs no look again: Galil and Park, "Dynamic
        programming with convexity, concavity and sparsity" (1992).
        """
        worth = np.zeros(len(self.times))
        came = np.zeros(len(self.times), np.int64)
        first = 0
        for place in range(1, len(self.times)):
            stop = int(self.before[place])
            lengths = self.times[place] - self.times[first:stop]
            sums = worth[first:stop] + self.wanted.even * np.log2(lengths / self.wanted.least)
            best = int(sums.argmax())
            first += best
            came[place] = first
            worth[place] = sums[best] + self.strengths[place] - price
        found, place = [], int(came[-1])
        while place:
            found.append(place)
            place = int(came[place])
        return found[::-1]

    def numbered(self, number: int) -> list[int]:
        """The best so many, else as many as there is room for: the lower the price, the more."""
        longest = math.log2(float(self.times[-1]) / self.wanted.least)
        upper, below = float(self.strengths.max()) + self.wanted.even * longest, 1.0
        fewer: list[int] = []
        found = self.path(upper - below)
        while len(found) < number and below < BEYOND:
            below *= 2
            found = self.path(upper - below)
        lower = upper - below
        while len(found) > number and upper - lower > EXACT:
            middle = (lower + upper) / 2
            tried = self.path(middle)
            if len(tried) >= number:
                lower, found = middle, tried
            else:
                upper, fewer = middle, tried
        return self._spliced(fewer, found, number) if len(found) > number else found

    def _spliced(self, fewer: Sequence[int], more: Sequence[int], number: int) -> list[int]:
        """So many, from the moments of two paths that are worth the same at one price.

        Where a part of the one lies within a part of the other, we may change from path to path:
        of parts that are concave in length, crossing ones are worth no less than nested ones.
        """
        outer, inner = [0, *fewer, len(self.times) - 1], [0, *more, len(self.times) - 1]
        ahead = number - len(fewer)
        at = next(i for i, end in enumerate(outer[1:]) if inner[i + ahead + 1] <= end)
        return [*inner[1 : at + ahead + 1], *outer[at + 1 : -1]]
