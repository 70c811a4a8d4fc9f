"""The cores that this process may use, and how several workers divide them."""

from __future__ import annotations

import itertools
import os
from contextlib import suppress


def ours() -> list[int]:
    """Their numbers; those of the whole machine where the system does not say which are ours."""
    try:
        return sorted(os.sched_getaffinity(0))
    except AttributeError:
        return list(range(os.cpu_count() or 1))


def shares(cores: list[int], count: int) -> list[list[int]]:
    """`cores` dealt out to `count` workers, all of them and none twice; every worker gets all of
    them where there are not enough.
    """
    if count > len(cores):
        return [cores] * count
    ends = [place * len(cores) // count for place in range(count + 1)]
    return [cores[begin:end] for begin, end in itertools.pairwise(ends)]


def stay(cores: list[int]) -> None:
    """Keep this process, and what it starts from now on, on these cores, where that can be said.

    A thread that takes Python's lock from one on another core waits for that core to wake. It only
    saves time, so where the system refuses it goes without.
    """
    if hasattr(os, "sched_setaffinity"):
        with suppress(OSError):
            os.sched_setaffinity(0, cores)


def memory_gb() -> float | None:
    """This machine's memory in gigabytes; None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):
        return None
