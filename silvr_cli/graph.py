"""Orders stages, runs the independent ones side by side, and keeps what they finish.

Per stage: key, cache, run, store, report. Knows no stage by name and no model.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from . import interrupt
from .cache.keys import stage_key
from .cache.leases import lease
from .cache.store import Store, StoredStage
from .errors import SilvrError
from .records import Line, Usage

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from .protocols import Progress, Work

State = Literal["cached", "partial", "to run", "failed"]
LINES = tuple[Line, ...]
GRACE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Stage:
    """One node: `identity` is JSON of all that changes the result, `returns` the result's type.

    `expected` is what its calls to models come to at most; `reach` sees whether its model can be
    asked at all, before any stage runs.
    """

    name: str
    version: int
    needs: tuple[str, ...]
    identity: Mapping[str, Any]
    returns: Any
    run: Callable[[Mapping[str, Any], Work], Any]
    expected: Usage = Usage()
    reach: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class StageState:
    """What the cache knows of a stage before it runs, and what is still to be spent at most."""

    name: str
    key: str
    state: State
    pieces: int = 0
    seconds: float | None = None
    error: str | None = None
    model: str = ""
    expected: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Outcome:
    """Results by stage name, notes for the user in stage order, and which stages had to run."""

    outputs: dict[str, Any]
    notes: tuple[str, ...]
    ran: tuple[str, ...]


class Cancelled(Exception):
    """Raised inside a stage at its next report, get or put, once the run is being stopped."""


def run(
    stages: Sequence[Stage],
    root: str,
    store: Store,
    progress: Progress | None = None,
    ahead: Callable[[], None] | None = None,
) -> Outcome:
    """Finish every stage, each once and from the cache where it can be.

    `ahead` is called first where any stage has to run: what comes after them needs it. The first
    error of a stage is raised when the stages that run beside it have stopped; what is finished by
    then stays. Raises ValueError for needs that are unknown or form a circle.
    """
    return _Run(_ordered(stages), root, store, progress).finish(ahead)


def plan(stages: Sequence[Stage], root: str, store: Store) -> tuple[StageState, ...]:
    """The state of each stage, in the order in which they would run; runs nothing."""
    ordered = _ordered(stages)
    keys = _keys(ordered, root)
    return tuple(_state(stage, keys[stage.name], store) for stage in ordered)


def _state(stage: Stage, key: str, store: Store) -> StageState:
    stored, pieces = store.stage(key), store.count_pieces(key)
    model = str(stage.identity.get("model", ""))
    if stored and stored.state == "done":
        return StageState(stage.name, key, "cached", 0, stored.seconds, None, model)
    if stored:
        seconds, error = stored.seconds, stored.error
        return StageState(stage.name, key, "failed", pieces, seconds, error, model, stage.expected)
    state: State = "partial" if pieces else "to run"
    return StageState(
        stage.name, key, state, pieces, model=model, expected=_left(stage.expected, pieces)
    )


def _left(expected: Usage, pieces: int) -> Usage:
    """What is left of an estimate when so many of its calls are done."""
    if not expected.calls:
        return expected
    share = max(0, expected.calls - pieces) / expected.calls
    return Usage(
        round(expected.calls * share),
        round(expected.prompt_tokens * share),
        round(expected.completion_tokens * share),
        expected.seconds * share,
        expected.cost * share,
    )


def _ordered(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    left, done = list(stages), dict[str, Stage]()
    while left:
        ready = [stage for stage in left if all(name in done for name in stage.needs)]
        if not ready:
            raise ValueError(f"stages with needs nobody meets: {[stage.name for stage in left]}")
        done.update({stage.name: stage for stage in ready})
        left = [stage for stage in left if stage.name not in done]
    return tuple(done.values())


def _keys(ordered: Sequence[Stage], root: str) -> dict[str, str]:
    keys: dict[str, str] = {}
    for stage in ordered:
        needs = [keys[name] for name in stage.needs]
        keys[stage.name] = stage_key(root, stage.name, stage.version, stage.identity, needs)
    return keys


@dataclass(slots=True)
class _Desk:
    """A running stage's Work; its pieces go to the store at once."""

    stage: str
    video: str
    key: str
    store: Store
    progress: Progress | None
    stopping: threading.Event
    notes: list[str] = field(default_factory=list)

    def get(self, key: str) -> Any | None:
        self.check()
        return self.store.piece(self.key, key)

    def put(self, key: str, value: Any) -> None:
        self.store.put_piece(self.video, self.key, key, value)
        self.check()

    def report(self, done: float, total: float) -> None:
        self.check()
        if self.progress:
            self.progress(self.stage, done, total)

    def note(self, message: str) -> None:
        self.notes.append(message)

    def check(self) -> None:
        if self.stopping.is_set():
            raise Cancelled


class _Run:
    """One walk over the graph."""

    def __init__(
        self, ordered: Sequence[Stage], root: str, store: Store, progress: Progress | None
    ) -> None:
        self.ordered, self.root, self.store, self.progress = ordered, root, store, progress
        self.keys = _keys(ordered, root)
        self.stopping = threading.Event()
        self.outputs: dict[str, Any] = {}
        self.notes: dict[str, tuple[str, ...]] = {}
        self.ran: list[str] = []

    def finish(self, ahead: Callable[[], None] | None) -> Outcome:
        for stage in self.ordered:
            self._take(stage)
        missing = [stage for stage in self.ordered if stage.name not in self.outputs]
        if missing:
            for check in (ahead, *(stage.reach for stage in missing)):
                if check:
                    check()
            pool = ThreadPoolExecutor(len(missing), thread_name_prefix="stage")
            running: dict[Future[None], Stage] = {}
            try:
                self._walk(list(missing), pool, running)
            except BaseException:
                self.stopping.set()
                # A call to a server may take minutes: what it brings is not waited for.
                wait(running, timeout=GRACE_SECONDS)
                raise
            finally:
                pool.shutdown(wait=False)
        notes = tuple(note for stage in self.ordered for note in self.notes[stage.name])
        return Outcome(self.outputs, notes, tuple(self.ran))

    def _walk(
        self, missing: list[Stage], pool: ThreadPoolExecutor, running: dict[Future[None], Stage]
    ) -> None:
        while missing or running:
            for stage in [s for s in missing if all(n in self.outputs for n in s.needs)]:
                missing.remove(stage)
                running[pool.submit(self._finish, stage)] = stage
            done, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            interrupt.check()
            for future in done:
                del running[future]
                future.result()

    def _take(self, stage: Stage) -> bool:
        """Take a finished result from the cache."""
        stored = self.store.stage(self.keys[stage.name])
        if stored is None or stored.state != "done":
            return False
        lines = stage.returns == LINES
        self.outputs[stage.name] = (
            stored.lines if lines else _adapter(stage.returns).validate_python(stored.output)
        )
        self.notes[stage.name] = stored.notes
        return True

    def _finish(self, stage: Stage) -> None:
        key = self.keys[stage.name]
        desk = _Desk(stage.name, self.root, key, self.store, self.progress, self.stopping)
        with lease(self.store, key, desk.check):
            if self._take(stage):
                return
            started = time.monotonic()
            try:
                result = stage.run(self.outputs, desk)
            except SilvrError as error:
                self._keep(stage, "failed", (), str(error), started, desk)
                raise
            self._keep(stage, "done", result, None, started, desk)
        self.outputs[stage.name] = result
        self.notes[stage.name] = tuple(desk.notes)
        self.ran.append(stage.name)

    def _keep(
        self, stage: Stage, state: str, result: Any, error: str | None, started: float, desk: _Desk
    ) -> None:
        lines = result if stage.returns == LINES else ()
        output = None
        if state == "done" and stage.returns != LINES:
            output = _adapter(stage.returns).dump_python(result, mode="json")
        stored = StoredStage(
            desk.key,
            state,
            output,
            tuple(lines),
            tuple(desk.notes),
            error,
            time.monotonic() - started,
        )
        self.store.finish_stage(stored, stage.name, self.root, dict(stage.identity))


@lru_cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
