"""The graph: order, keys, cache, pieces, errors and interruption."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from silvr_cli import graph, interrupt
from silvr_cli.cache.store import Store
from silvr_cli.errors import InputError
from silvr_cli.graph import Stage
from silvr_cli.protocols import Work
from silvr_cli.records import Line, Scene

ROOT = "sha256:root"
LINES = tuple[Line, ...]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "cache.sqlite") as opened:
        yield opened


class Counted:
    """Stages that count how often they run."""

    def __init__(self) -> None:
        self.runs: list[str] = []

    def stage(
        self, name: str, needs: tuple[str, ...] = (), identity: Mapping[str, Any] | None = None
    ) -> Stage:
        def run(inputs: Mapping[str, Any], work: Work) -> tuple[Line, ...]:
            self.runs.append(name)
            work.note(f"{name} was here")
            return (Line(0.0, 1.0, "speech", f"{name} reads {sorted(inputs)}"),)

        return Stage(name, 1, needs, identity or {}, LINES, run)


def test_each_stage_runs_once_and_is_then_read_from_the_cache(store: Store) -> None:
    counted = Counted()
    stages = [counted.stage("b", ("a",)), counted.stage("a")]
    first = graph.run(stages, ROOT, store)
    second = graph.run(stages, ROOT, store)
    assert counted.runs == ["a", "b"]
    assert first.ran == ("a", "b")
    assert second.ran == ()
    assert second.outputs == first.outputs
    assert second.notes == first.notes == ("a was here", "b was here")


def test_a_change_redoes_what_it_touches_and_nothing_else(store: Store) -> None:
    counted = Counted()
    graph.run([counted.stage("a"), counted.stage("b", ("a",)), counted.stage("c")], ROOT, store)
    counted.runs.clear()
    changed = counted.stage("a", identity={"model": "new"})
    graph.run([changed, counted.stage("b", ("a",)), counted.stage("c")], ROOT, store)
    assert counted.runs == ["a", "b"]


def test_another_video_shares_nothing(store: Store) -> None:
    counted = Counted()
    graph.run([counted.stage("a")], ROOT, store)
    graph.run([counted.stage("a")], "sha256:other", store)
    assert counted.runs == ["a", "a"]


def test_records_other_than_lines_round_trip(store: Store) -> None:
    scenes = (Scene(0.0, 2.5, 0.7), Scene(2.5, 9.0))
    stage = Stage("scenes", 1, (), {}, tuple[Scene, ...], lambda inputs, work: scenes)
    graph.run([stage], ROOT, store)
    assert graph.run([stage], ROOT, store).outputs["scenes"] == scenes


def test_independent_stages_run_side_by_side(store: Store) -> None:
    meeting = threading.Barrier(2, timeout=10)

    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Line, ...]:
        meeting.wait()
        return ()

    graph.run([Stage(name, 1, (), {}, LINES, run) for name in "ab"], ROOT, store)


def test_unmet_needs_are_refused(store: Store) -> None:
    counted = Counted()
    with pytest.raises(ValueError, match="nobody meets"):
        graph.run([counted.stage("a", ("b",)), counted.stage("b", ("a",))], ROOT, store)


def piecemeal(pieces: int, stop_at: int, fail: Callable[[], None]) -> tuple[Stage, list[int]]:
    made: list[int] = []

    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Line, ...]:
        for index in range(pieces):
            if work.get(str(index)) is None:
                if index == stop_at:
                    fail()
                made.append(index)
                work.put(str(index), {"text": f"piece {index}"})
            work.report(index + 1, pieces)
        texts = [work.get(str(index))["text"] for index in range(pieces)]
        return tuple(Line(float(i), i + 1.0, "caption", text) for i, text in enumerate(texts))

    return Stage("captions", 1, (), {}, LINES, run), made


def test_a_failed_stage_stores_its_error_and_goes_on_from_its_pieces(store: Store) -> None:
    def fail() -> None:
        raise InputError("the model said no")

    stage, made = piecemeal(4, 2, fail)
    with pytest.raises(InputError, match="the model said no"):
        graph.run([stage], ROOT, store)
    (state,) = graph.plan([stage], ROOT, store)
    assert (state.state, state.pieces, state.error) == ("failed", 2, "the model said no")
    assert store.rows("SELECT count(*) FROM lines") == [(0,)]
    mended, made_later = piecemeal(4, -1, fail)
    outcome = graph.run([mended], ROOT, store)
    assert (made, made_later) == ([0, 1], [2, 3])
    assert [line.text for line in outcome.outputs["captions"]] == [f"piece {i}" for i in range(4)]
    assert store.rows("SELECT count(*) FROM pieces") == [(0,)]


def test_an_interrupt_stops_the_others_and_keeps_their_pieces(store: Store) -> None:
    started = threading.Event()

    def endless(inputs: Mapping[str, Any], work: Work) -> tuple[Line, ...]:
        work.put("0", "kept")
        started.set()
        while True:
            work.report(0, 1)
            time.sleep(0.01)

    def interrupted(inputs: Mapping[str, Any], work: Work) -> tuple[Line, ...]:
        started.wait(10)
        raise KeyboardInterrupt

    stages = [Stage("a", 1, (), {}, LINES, endless), Stage("b", 1, (), {}, LINES, interrupted)]
    with pytest.raises(KeyboardInterrupt):
        graph.run(stages, ROOT, store)
    states = {state.name: state for state in graph.plan(stages, ROOT, store)}
    assert states["a"].state == "partial"
    assert states["a"].pieces == 1
    assert store.rows("SELECT count(*) FROM leases") == [(0,)]


def test_plan_tells_what_would_run_without_running(store: Store) -> None:
    counted = Counted()
    graph.run([counted.stage("a")], ROOT, store)
    states = graph.plan([counted.stage("a"), counted.stage("b", ("a",))], ROOT, store)
    assert [(s.name, s.state) for s in states] == [("a", "cached"), ("b", "to run")]
    assert counted.runs == ["a"]


def test_progress_is_told_by_stage_name(store: Store) -> None:
    told: list[tuple[str, float, float]] = []
    stage, _ = piecemeal(2, -1, lambda: None)
    graph.run([stage], ROOT, store, lambda name, done, total: told.append((name, done, total)))
    assert told == [("captions", 1, 2), ("captions", 2, 2)]


def test_an_interrupt_that_got_lost_is_noticed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when Python drops a KeyboardInterrupt that strikes in a destructor."""

    def lose(inputs: Any, work: Any) -> tuple[Line, ...]:
        interrupt._asked.set()
        while True:
            work.report(0, 1)
            time.sleep(0.01)

    stage = Stage("slow", 1, (), {}, LINES, lose)
    monkeypatch.setattr(interrupt, "_asked", threading.Event())
    with pytest.raises(KeyboardInterrupt):
        graph.run([stage], ROOT, store)
