"""One worker at a time for one piece of work, across processes and machines that share the file.

A lease is alive while its `beats` keep changing; watchers time that with their own monotonic
clock, so wall clocks that differ or jump do no harm. On one machine, nobody waits for a process
that is gone.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from ..errors import CacheError

if TYPE_CHECKING:
    from .store import Store

BEAT_SECONDS = 2.0
STALE_SECONDS = 15.0
POLL_SECONDS = 0.25
BEAT = "UPDATE leases SET beats = beats + 1 WHERE key = ? AND owner = ?"


@contextmanager
def lease(
    store: Store, key: str, check: Callable[[], None] = lambda: None, stale: float = STALE_SECONDS
) -> Iterator[None]:
    """Hold `key` alone; waits for another owner until it lets go or stops beating.

    `check` is called while waiting and may raise to give up.
    """
    owner = f"{_place()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    _acquire(store, key, owner, check, stale)
    _heart.keep(store, key, owner)
    try:
        yield
    finally:
        _heart.drop(owner)
        store.write("DELETE FROM leases WHERE key = ? AND owner = ?", key, owner)


def _acquire(store: Store, key: str, owner: str, check: Callable[[], None], stale: float) -> None:
    seen: tuple[str, int] | None = None
    since = time.monotonic()
    while True:
        held = store.rows("SELECT owner, beats FROM leases WHERE key = ?", key)
        now = (held[0][0], held[0][1]) if held else None
        if now != seen:
            seen, since = now, time.monotonic()
        if now is None:
            taken = store.write("INSERT OR IGNORE INTO leases VALUES (?, ?, 0)", key, owner)
        elif time.monotonic() - since >= stale or _gone(now[0]):
            taken = store.write(
                "UPDATE leases SET owner = ?, beats = 0 WHERE key = ? AND owner = ? AND beats = ?",
                owner,
                key,
                *now,
            )
        else:
            taken = 0
        if taken:
            return
        check()
        time.sleep(POLL_SECONDS)


@lru_cache
def _place() -> str:
    """Where a process id means the same process: a machine, and a container's own numbering."""
    try:
        return f"{socket.gethostname()}/{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return socket.gethostname()


def _gone(owner: str) -> bool:
    """Whether the owner was a process here that has ended; False when nobody can know."""
    place, _, rest = owner.rpartition(":")[0].rpartition(":")
    return place == _place() and rest.isdigit() and is_gone(int(rest))


def is_gone(process: int) -> bool:
    """Whether no process of this machine has that number; False when nobody can know."""
    if os.name != "posix":
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


class _Heart:
    """Beats for all leases of this process in one thread, which ends when there are none.

    Most leases are let go long before their first beat: a thread for each would cost more than
    all else that a lease takes.
    """

    def __init__(self) -> None:
        # Held while beating, so that who lets go of a lease may close its store.
        self._lock = threading.Lock()
        self._held: dict[str, tuple[Store, str]] = {}
        self._beating = False

    def keep(self, store: Store, key: str, owner: str) -> None:
        with self._lock:
            self._held[owner] = store, key
            if not self._beating:
                threading.Thread(target=self._beat, name="leases", daemon=True).start()
                self._beating = True

    def drop(self, owner: str) -> None:
        with self._lock:
            self._held.pop(owner, None)

    def _beat(self) -> None:
        while True:
            time.sleep(BEAT_SECONDS)
            with self._lock:
                if not self._held:
                    self._beating = False
                    return
                for owner, (store, key) in self._held.items():
                    # What the cache refuses here, the work under the lease meets and tells.
                    with suppress(CacheError):
                        store.write(BEAT, key, owner)


_heart = _Heart()
