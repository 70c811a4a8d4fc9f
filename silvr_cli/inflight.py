"""Several calls under way at once, never more than a model takes. Knows no model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_flight(
    call: Callable[[Item], Result], items: Iterable[Item], slots: int
) -> Iterator[tuple[Item, Result]]:
    """(item, call(item)) as calls end, with at most `slots` under way; the first error is raised.

    A new call starts as soon as one ends, whether its result has been taken or not.
    """
    if slots == 1:
        yield from ((item, call(item)) for item in items)
        return
    pool = ThreadPoolExecutor(slots, thread_name_prefix="call")
    try:
        running: dict[Future[Result], Item] = {}
        waiting = iter(items)
        while True:
            for item in waiting:
                running[pool.submit(call, item)] = item
                if len(running) >= 2 * slots:
                    break
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
    finally:
        # What is under way ends by itself and stores its piece; nobody waits for it.
        pool.shutdown(wait=False, cancel_futures=True)
