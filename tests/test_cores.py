"""Workers divide the cores of this process among them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silvr_cli import cores
from silvr_cli.engine.crew import Crew, Worker
from silvr_cli.settings import Settings

NUMBERS = st.lists(st.integers(0, 500), min_size=1, max_size=70, unique=True).map(sorted)


@given(NUMBERS, st.integers(1, 80))
def test_every_core_is_dealt_once_and_evenly(numbers: list[int], count: int) -> None:
    dealt = cores.shares(numbers, count)
    assert len(dealt) == count
    if count > len(numbers):
        assert dealt == [numbers] * count
        return
    assert [number for share in dealt for number in share] == numbers
    assert {len(share) for share in dealt} <= {len(numbers) // count, len(numbers) // count + 1}


def test_who_comes_for_a_dead_worker_gets_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "ours", lambda: [0, 1, 4, 5])
    with_three = Settings.model_validate({"engine": {"workers": 3}})
    crew = Crew(with_three)
    for _ in range(3):
        crew.workers.append(Worker(None, None, crew._share()))
    assert [worker.cores for worker in crew.workers] == [[0], [1], [4, 5]]
    del crew.workers[1]
    assert crew._share() == [1]
    os.rmdir(crew.folder)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot bind")
def test_what_a_bound_process_starts_is_bound() -> None:
    first = cores.ours()[0]
    program = (
        f"from silvr_cli import cores; import threading; cores.stay([{first}]);"
        " thread = threading.Thread(target=lambda: print(cores.ours()));"
        " thread.start(); thread.join()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"[{first}]\n"
