"""Many videos on this machine: worker processes for the language stage, threads for reasoning.

    look ─ describe ─┬─ answer ─ line       of as many videos at once as `Engine.videos` allows
                     └─ answer ─ line       this process alone asks the text model and writes lines

Knows no screen: `watch` is told of every line.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .. import interrupt, pipeline
from ..backends.kept import keep
from ..metering import added, reached
from ..records import Usage
from ..session import Session
from . import work
from .crew import Crew, Order
from .jobs import ASKING, Ask, Done, Failure, Job, Result, Seen, Told, ask_key, line, talks
from .lines import Ident
from .output import Output
from .spending import SharedMeter

if TYPE_CHECKING:
    from ..cache.store import Store
    from ..protocols import TextModel
    from ..session import Described
    from ..settings import Settings

TICK_SECONDS = 0.25


@dataclass(slots=True)
class Tally:
    """How far the batch is, in lines; `kept` and `kept_failed` were there before."""

    lines: int
    done: int = 0
    failed: int = 0
    kept: int = 0
    kept_failed: int = 0
    described: int = 0
    usage: Usage = Usage()
    language_seconds: float = 0.0
    task_seconds: float = 0.0
    errors: dict[str, int] = field(default_factory=dict)
    stopped: Failure | None = None

    @property
    def left(self) -> int:
        return self.lines - self.done - self.failed - self.kept - self.kept_failed


Watch = Callable[[Tally, "Result | None"], None]


@dataclass(slots=True, eq=False)
class _Flight:
    """A video between its first look and its last line."""

    job: Job
    seen: Seen | None = None
    todo: list[tuple[Ask, str]] = field(default_factory=list)
    told: Told | None = None
    first: bool = True
    described: Described | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


def run(
    jobs: Sequence[Job],
    settings: Settings,
    output: Output,
    watch: Watch,
    retry_failed: bool = False,
) -> Tally:
    """Write every line that the output does not have yet.

    One video's failure is its line's; what stops all of them stands in the tally. Raises
    ModelError when the text model cannot be asked at all, KeyboardInterrupt on Ctrl-C.
    """
    tally = Tally(sum(len(job.asks) for job in jobs))
    if not jobs:
        return tally
    with ExitStack() as stack:
        engine = _Engine(jobs, settings, output, watch, tally)
        engine.open(stack, retry_failed)
        try:
            engine.walk()
        except KeyboardInterrupt:
            engine.drain()
            raise
    return tally


class _Engine:
    def __init__(
        self, jobs: Sequence[Job], settings: Settings, output: Output, watch: Watch, tally: Tally
    ) -> None:
        self.settings, self.output, self.watch, self.tally = settings, output, watch, tally
        self.task, self.waiting = jobs[0].task, iter(jobs)
        self.flights: dict[int, _Flight] = {}
        self.orders: deque[tuple[Any, Job, Ask | None]] = deque()
        self.asking, self.slots, self.retry = 0, 0, False
        self.model: TextModel | None = None
        self.reached = False
        self.pool: ThreadPoolExecutor | None = None

    def open(self, stack: ExitStack, retry: bool) -> None:
        """The session, the text model and the workers."""
        self.retry, settings = retry, self.settings
        crew: Crew | None = None
        if settings.engine.name == "local":
            # Its processes start while this one opens the cache and the model.
            crew = stack.enter_context(Crew(settings))
        stack.enter_context(keep())
        session = stack.enter_context(Session.open(settings))
        # A closer look decodes once more, beside the workers.
        self.session = replace(session, turn=threading.BoundedSemaphore(1))
        if talks(self.task, settings):
            self.model = pipeline.open_text_model(self.session)
            self.slots = self.model.slots
            self.pool = ThreadPoolExecutor(self.slots, thread_name_prefix="ask")
            stack.callback(self.pool.shutdown, wait=False, cancel_futures=True)
        self.identity = work.identity(self.task, settings)
        self.models = work.named(self.task, settings)
        self.crew = crew or stack.enter_context(_ray_crew(settings, self.session.store))
        if self.crew.purse is not None:
            meter = SharedMeter(self.session.meter, self.crew.purse)
            self.session = replace(self.session, meter=meter)

    def walk(self) -> None:
        """Until every line is written, or nothing more can be done."""
        self._fill()
        while self._busy():
            interrupt.check()
            try:
                event = self.crew.events.get(timeout=TICK_SECONDS)
            except queue.Empty:
                self.watch(self.tally, None)
                continue
            self._take(event)
            self._fill()

    def drain(self) -> None:
        """Write what had ended when Ctrl-C struck."""
        with interrupt.held(), suppress(queue.Empty):
            while True:
                self._take(self.crew.events.get_nowait())

    def _busy(self) -> bool:
        if self.tally.stopped:
            return bool(self.asking or self.crew.busy)
        return bool(self.flights)

    def _take(self, event: Any) -> None:
        if isinstance(event[0], _Flight):
            self._answered(*event)
            return
        for order, outcome in self.crew.hear(event):
            self._carried_out(order, outcome)

    def _fill(self) -> None:
        """Keep the workers busy, finishing what is begun before beginning more."""
        while self.crew.free and not self.tally.stopped:
            if not self.orders and not self._begin():
                return
            step, job, ask = self.orders.popleft()
            seen = self.flights[job.number].seen
            self.crew.submit(step, job, ask, seen.content if seen else None)

    def _begin(self) -> bool:
        """Take up the next video if there is room: backpressure from the text model ends here."""
        describing = sum(1 for flight in self.flights.values() if flight.told is None)
        if describing >= self.crew.room or self.asking > self.slots * 2:
            return False
        job = next(self.waiting, None)
        if job is None:
            return False
        self.flights[job.number] = _Flight(job)
        self.orders.append(("look", job, None))
        return True

    def _carried_out(self, order: Order, outcome: Seen | Told | Done | Failure) -> None:
        flight = self.flights[order.job.number]
        if order.step == "look":
            self._looked(flight, outcome)
        elif order.step == "describe":
            self._described(flight, outcome)
        else:
            self._answered(flight, order.ask, outcome)

    def _looked(self, flight: _Flight, outcome: Any) -> None:
        job = flight.job
        seen = outcome if isinstance(outcome, Seen) else Seen(None, job.video, outcome)
        flight.seen = seen
        for ask in job.asks:
            key = ask_key(seen, job.task, ask, self.identity)
            ident = Ident.of(job, ask)
            if self.output.take(ident, key, "done"):
                self.tally.kept += 1
            elif not self.retry and self.output.take(ident, key, "failed"):
                self.tally.kept_failed += 1
            else:
                flight.todo.append((ask, key))
        if seen.failure:
            self._fail(flight, seen.failure)
        elif flight.todo:
            if not self.reached:
                # Before the first video is described: hours of it are of no use without the model.
                # Chapters and summaries may all be in the cache.
                if self.task in ASKING:
                    reached(self.model, self.session.meter)
                    reached(pipeline.open_embedder(self.session), self.session.meter)
                self.reached = True
            # What workers answer themselves, one answers right after it has described.
            first = flight.todo[0][0] if self.pool is None else None
            self.orders.append(("describe", job, first))
        self._close(flight)

    def _described(self, flight: _Flight, outcome: Any) -> None:
        if isinstance(outcome, Failure):
            self._fail(flight, outcome)
        else:
            flight.told = outcome
            self.tally.described += 1
            self.tally.language_seconds += outcome.seconds
            asks = [ask for ask, _ in flight.todo]
            if outcome.done is not None:
                self._answered(flight, asks.pop(0), outcome.done)
            for ask in asks:
                self._ask(flight, ask)
        self._close(flight)

    def _ask(self, flight: _Flight, ask: Ask) -> None:
        if self.pool is None:
            self.orders.append(("answer", flight.job, ask))
            return
        self.asking += 1
        self.pool.submit(self._answer, flight, ask)

    def _answer(self, flight: _Flight, ask: Ask) -> None:
        """In a thread of the pool: the timeline is read once for all of its questions."""

        def step() -> Done:
            with flight.lock:
                if flight.described is None:
                    flight.described = work.described(flight.job, self.session)
            return work.answer(flight.job, ask, flight.described, self.session, self.model)

        outcome = Failure("", "", stops=True) if self.tally.stopped else work.attempt(step)
        self.crew.events.put((flight, ask, outcome))

    def _answered(self, flight: _Flight, ask: Any, outcome: Any) -> None:
        if self.pool is not None:
            self.asking -= 1
        entry = next(entry for entry in flight.todo if entry[0] == ask)
        flight.todo.remove(entry)
        self._write(flight, entry, outcome)
        self._close(flight)

    def _fail(self, flight: _Flight, reason: Failure) -> None:
        for entry in flight.todo:
            self._write(flight, entry, reason)
        flight.todo.clear()

    def _write(self, flight: _Flight, entry: tuple[Ask, str], outcome: Done | Failure) -> None:
        if isinstance(outcome, Failure) and outcome.stops:
            self.tally.stopped = self.tally.stopped or outcome
            return
        ask, key = entry
        seen = flight.seen or Seen(None, "")
        result = line(flight.job, ask, seen, key, self.models, outcome)
        if flight.told:
            result = work.with_language(result, flight.told, flight.first)
            flight.first = False
        self.output.write(result)
        self._count(result, outcome)
        self.watch(self.tally, result)

    def _count(self, result: Result, outcome: Done | Failure) -> None:
        tally = self.tally
        tally.usage = added(tally.usage, result.usage)
        if isinstance(outcome, Failure):
            tally.failed += 1
            tally.errors[outcome.code] = tally.errors.get(outcome.code, 0) + 1
        else:
            tally.done += 1
            tally.task_seconds += outcome.seconds

    def _close(self, flight: _Flight) -> None:
        """Forget a video that has nothing more to come; all that is not begun when we stop."""
        if not flight.todo:
            self.flights.pop(flight.job.number, None)


def _ray_crew(settings: Settings, store: Store) -> Crew:
    from .ray_cluster import RayCrew

    return RayCrew(settings, store)
