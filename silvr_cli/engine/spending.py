"""Meters for many jobs: a tab for each job, and one purse that several processes share.

Knows no model; prices and limits are the Meter's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from ..metering import Meter, added, check_limits
from ..records import Usage

if TYPE_CHECKING:
    from ..settings import Calls

# What a purse counts: calls, dollars spent, dollars held back for calls under way.
CALLS, SPENT, HELD = range(3)


class Purse(Protocol):
    """A run's calls and dollars, counted in one place for all of its processes."""

    def reserve(self, settings: Calls, cost: float) -> None:
        """Hold back `cost` and count a call; raises LimitReached."""

    def release(self, cost: float) -> None: ...

    def settle(self, cost: float) -> None: ...


class ArrayPurse:
    """For the processes of one machine; made of `multiprocessing.Array("d", 3)`."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def close(self) -> None:
        """Give its lock back: silvr ends at once, and Python would complain of a leak."""
        del self.array

    def reserve(self, settings: Calls, cost: float) -> None:
        with self.array.get_lock():
            spent = Usage(int(self.array[CALLS]), cost=self.array[SPENT])
            check_limits(settings, spent, self.array[HELD], cost)
            self.array[CALLS] += 1
            self.array[HELD] += cost

    def release(self, cost: float) -> None:
        with self.array.get_lock():
            self.array[HELD] -= cost

    def settle(self, cost: float) -> None:
        with self.array.get_lock():
            self.array[SPENT] += cost


class Tab(Meter):
    """One job's share of a meter: limits are the whole run's, the count is the job's own."""

    def __init__(self, whole: Meter) -> None:
        super().__init__(whole.settings, whole.record, whole.prices)
        self.whole, self.stopping = whole, whole.stopping

    @contextmanager
    def reserved(self, cost: float) -> Iterator[None]:
        with self.whole.reserved(cost):
            with self._lock:
                self.spent = added(self.spent, Usage(1))
            yield

    def settle(self, video: str, stage: str, model: str, usage: Usage) -> None:
        with self._lock:
            self.spent = added(self.spent, replace(usage, calls=0))
        self.whole.settle(video, stage, model, usage)


class SharedMeter(Meter):
    """A meter whose limits hold over all processes that have its purse."""

    def __init__(self, whole: Meter, purse: Purse) -> None:
        super().__init__(whole.settings, whole.record, whole.prices)
        self.stopping, self.purse = whole.stopping, purse

    @contextmanager
    def reserved(self, cost: float) -> Iterator[None]:
        self.purse.reserve(self.settings, cost)
        try:
            yield
        finally:
            self.purse.release(cost)

    def settle(self, video: str, stage: str, model: str, usage: Usage) -> None:
        self.purse.settle(usage.cost)
        super().settle(video, stage, model, usage)
