"""Leases: one worker at a time, and nobody waits for the dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import until

from silvr_cli.cache import leases
from silvr_cli.cache.leases import lease
from silvr_cli.cache.store import Store
from silvr_cli.errors import CacheError, InputError

# Longer than a busy machine ever keeps a thread from beating, shorter than a test may take.
STALE = 1.0


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(leases, "POLL_SECONDS", 0.02)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "cache.sqlite") as opened:
        yield opened


class GaveUp(Exception):
    pass


def give_up() -> None:
    raise GaveUp


def held(store: Store) -> list[str]:
    return [row[0] for row in store.rows("SELECT key FROM leases")]


HOLDER = """
import sys, time
from pathlib import Path
from silvr_cli.cache.leases import lease
from silvr_cli.cache.store import Store

with Store.open(Path(sys.argv[1])) as store, lease(store, "key"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(store: Store) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lease until its stdin is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, store.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_another_process_waits_until_the_lease_is_let_go(
    store: Store, holder: subprocess.Popen[str]
) -> None:
    polls: list[int] = []

    def let_go_at_the_third_poll() -> None:
        polls.append(len(held(store)))
        if len(polls) == 3:
            holder.communicate()

    with lease(store, "key", let_go_at_the_third_poll):
        assert polls[:3] == [1, 1, 1]
        assert holder.returncode == 0
    assert held(store) == []


def test_another_key_is_free(store: Store, holder: subprocess.Popen[str]) -> None:
    with lease(store, "other", give_up):
        assert sorted(held(store)) == ["key", "other"]


def test_the_lease_of_a_killed_process_is_taken_over(
    store: Store, holder: subprocess.Popen[str]
) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    (before,) = store.rows("SELECT owner FROM leases")
    with lease(store, "key", stale=0.2):
        (after,) = store.rows("SELECT owner FROM leases")
        assert before != after
        assert f":{os.getpid()}:" in after[0]
    assert held(store) == []


def test_nobody_waits_for_a_process_that_is_gone(
    store: Store, holder: subprocess.Popen[str]
) -> None:
    holder.kill()
    holder.wait()
    with lease(store, "key", give_up, stale=1e9):
        assert held(store) == ["key"]


def test_a_process_of_another_machine_is_not_taken_for_one_of_ours(store: Store) -> None:
    place, _, _ = leases._place().partition("/")
    for owner in (f"{place}/1:999999999:x", "elsewhere:999999999:x", "odd"):
        store.write("INSERT OR REPLACE INTO leases VALUES ('key', ?, 0)", owner)
        with pytest.raises(GaveUp), lease(store, "key", give_up):
            pytest.fail("two hold one lease")


def test_only_one_of_those_who_wait_takes_over(store: Store) -> None:
    store.write("INSERT INTO leases VALUES ('key', 'dead', 7)")
    inside: list[int] = []

    def work(number: int) -> None:
        with Store.open(store.path) as own, lease(own, "key", stale=STALE):
            inside.append(number)
            assert held(own) == ["key"]
            assert len(inside) == 1
            inside.remove(number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert held(store) == []


def test_a_beating_lease_is_kept_for_longer_than_it_takes_to_go_stale(store: Store) -> None:
    def beats() -> int:
        return int(store.rows("SELECT beats FROM leases")[0][0])

    def give_up_late() -> None:
        if beats() * leases.BEAT_SECONDS > 1.2 * STALE:
            raise GaveUp

    with Store.open(store.path) as own, lease(own, "key"):
        with pytest.raises(GaveUp), lease(store, "key", give_up_late, STALE):
            pytest.fail("a living owner lost its lease")
        assert held(store) == ["key"]


def test_whoever_waits_can_give_up(store: Store, holder: subprocess.Popen[str]) -> None:
    owner = store.rows("SELECT owner FROM leases")
    with pytest.raises(GaveUp), lease(store, "key", give_up):
        pytest.fail("two hold one lease")
    assert store.rows("SELECT owner FROM leases") == owner


@pytest.mark.parametrize("error", [InputError("no"), KeyboardInterrupt()])
def test_an_error_lets_go(store: Store, error: BaseException) -> None:
    def fail() -> None:
        with lease(store, "key"):
            assert held(store) == ["key"]
            raise error

    with pytest.raises(type(error)):
        fail()
    assert held(store) == []


def test_an_owner_that_was_taken_for_dead_does_not_end_its_heirs_lease(store: Store) -> None:
    with lease(store, "key"):
        store.write("UPDATE leases SET owner = 'heir', beats = 0")
        time.sleep(4 * leases.BEAT_SECONDS)
    assert store.rows("SELECT owner, beats FROM leases") == [("heir", 0)]


def test_one_thread_beats_for_all_and_ends_with_the_last(store: Store) -> None:
    def beating() -> int:
        return sum(thread.name == "leases" for thread in threading.enumerate())

    until(lambda: beating() == 0)
    with lease(store, "one"), lease(store, "other"):
        assert beating() == 1
        until(lambda: all(beats for (beats,) in store.rows("SELECT beats FROM leases")))
    until(lambda: beating() == 0)


def test_a_cache_that_refuses_a_beat_is_asked_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[str] = []
    write = Store.write

    def refusing(self: Store, sql: str, *values: str) -> int:
        if sql == leases.BEAT and not refused:
            refused.append(sql)
            raise CacheError("the disk is full")
        return write(self, sql, *values)

    monkeypatch.setattr(Store, "write", refusing)
    with lease(store, "key"):
        until(lambda: bool(refused) and bool(store.rows("SELECT beats FROM leases")[0][0]))
