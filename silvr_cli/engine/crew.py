"""Worker processes: orders go out, outcomes come back, and a worker that dies takes nobody along.

Knows the steps of `work`, not what they are for. All methods are for one thread; what workers say
arrives in `events`, and `hear` makes it an outcome.
"""

from __future__ import annotations

import itertools
import math
import multiprocessing
import os
import queue
import shutil
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .. import cores
from ..cache.leases import is_gone
from ..errors import SilvrError
from .jobs import Ask, Done, Failure, Job, Seen, Told, failure
from .spending import ArrayPurse

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from ..session import Session
    from ..settings import Settings
    from .spending import Purse

Step = Literal["look", "describe", "answer"]
# A worker that dies so often without having done anything never will.
STILLBORN = 3
# Videos that one worker has under way: one is decoded, one heard, one seen.
THREADS = 3
LEAVE_SECONDS = 5.0
# What is decoded lies in folders of this name, the batch's process id and a random end.
FOLDER = "silvr-batch-"


@dataclass(frozen=True, slots=True)
class Order:
    """One step of one job; `content` as soon as it is known.

    `ask` is what `answer` answers, and `describe` right after the description if it has one.
    """

    ticket: int
    step: Step
    job: Job
    ask: Ask | None = None
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Outfit:
    """What a worker is started with: how many share the models' slots, its threads, its folder.

    `purse` holds the whole run's limits, None where there are none; `cores` is how many threads
    its models may take.
    """

    settings: Settings
    share: int
    threads: int
    cores: int
    folder: str
    purse: Purse | None = None


@dataclass(slots=True, eq=False)
class Worker:
    """A process, how to reach it, and the orders that it has; what the two are, its crew knows.

    `cores` are those that it keeps to.
    """

    process: Any
    connection: Any
    cores: list[int] = field(default_factory=list)
    hand: dict[int, Order] = field(default_factory=dict)
    # Works on one suspect alone.
    alone: bool = False


class Crew:
    """Processes of this machine, with several threads each."""

    # So many workers may die of an order before it is given up.
    chances = 2

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.events: queue.Queue[Any] = queue.Queue()
        sweep()
        self.folder = tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-")
        self.purse = self._purse() if limited(settings) else None
        self.size = self._size()
        self.threads = min(THREADS, math.ceil(settings.engine.videos / self.size))
        each = max(1, len(cores.ours()) // self.size)
        self.outfit = Outfit(settings, self.size, self.threads, each, self.folder, self.purse)
        self.tickets = itertools.count()
        self.workers: list[Worker] = []
        self.suspects: deque[Order] = deque()
        self.strikes: dict[int, int] = {}
        self.deaths = 0

    def _size(self) -> int:
        return self.settings.engine.workers or default_workers()

    def _purse(self) -> Purse:
        return ArrayPurse(multiprocessing.get_context("spawn").Array("d", 3))

    def __enter__(self) -> Crew:
        for _ in range(self.size):
            self._hire()
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.connection.close()
            worker.process.terminate()
        for worker in self.workers:
            worker.process.join(LEAVE_SECONDS)
            worker.process.kill()
        if isinstance(self.purse, ArrayPurse):
            self.purse.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def free(self) -> int:
        """How many orders the crew takes now."""
        return sum(self.threads - len(w.hand) for w in self._open())

    @property
    def room(self) -> int:
        """How many videos may be in the language stage at once."""
        return self.settings.engine.videos

    @property
    def busy(self) -> bool:
        """Whether any order is under way."""
        return bool(self.suspects) or any(w.hand for w in self.workers)

    def submit(
        self, step: Step, job: Job, ask: Ask | None = None, content: str | None = None
    ) -> None:
        """Give an order to the worker with the least to do; `free` must not be 0."""
        self._place(Order(next(self.tickets), step, job, ask, content))

    def _place(self, order: Order) -> None:
        self._give(order, min(self._open(), key=_load))

    def hear(self, event: Any) -> Sequence[tuple[Order, Seen | Told | Done | Failure]]:
        """What an event ends: an order that is done, or those that die with their worker."""
        worker, ticket, outcome = event
        if ticket is None:
            return self._bury(worker)
        order = worker.hand.pop(ticket, None)
        if order is None:
            return []
        self.deaths, worker.alone = 0, False
        self.strikes.pop(ticket, None)
        self._retry()
        return [(order, outcome)]

    def _open(self) -> list[Worker]:
        """Workers that take orders; with a suspect waiting, one is left to become idle."""
        ready = [w for w in self.workers if not w.alone and len(w.hand) < self.threads]
        return ready[1:] if self.suspects else ready

    def _give(self, order: Order, worker: Worker) -> None:
        worker.hand[order.ticket] = order
        try:
            worker.connection.send(order)
        except OSError:
            # It has died: its reader says so next, and the order is found in its hand.
            return

    def _hire(self) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        share = self._share()
        process = context.Process(target=serve, args=(theirs, self.outfit, share), daemon=True)
        with _deaf():
            process.start()
        theirs.close()
        worker = Worker(process, ours, share)
        self.workers.append(worker)
        threading.Thread(target=self._read, args=(worker,), daemon=True).start()

    def _share(self) -> list[int]:
        """The cores of the next worker: those that no other has."""
        taken = [worker.cores for worker in self.workers]
        return min(cores.shares(cores.ours(), self.size), key=taken.count)

    def _read(self, worker: Worker) -> None:
        while True:
            try:
                ticket, outcome = worker.connection.recv()
            except (EOFError, OSError):
                self.events.put((worker, None, None))
                return
            self.events.put((worker, ticket, outcome))

    def _bury(self, worker: Worker) -> list[tuple[Order, Failure]]:
        """Hire another; what the dead had in hand is tried once more, each alone."""
        how = self._ended(worker)
        self.workers.remove(worker)
        self.deaths += 1
        ended = []
        for order in worker.hand.values():
            self.strikes[order.ticket] = self.strikes.get(order.ticket, 0) + 1
            if self.strikes[order.ticket] >= self.chances:
                ended.append((order, _died(how)))
            else:
                self.suspects.append(order)
        if self.deaths > STILLBORN * self.size:
            raise SilvrError(f"workers die as soon as they start: {how}", "silvr doctor")
        self._hire()
        self._retry()
        return ended

    def _ended(self, worker: Worker) -> str:
        """How it died, once it has."""
        worker.process.join(LEAVE_SECONDS)
        code = worker.process.exitcode
        return f"signal {-code}" if code and code < 0 else f"exit code {code}"

    def _retry(self) -> None:
        for worker in self.workers:
            if self.suspects and not worker.hand:
                worker.alone = True
                self._give(self.suspects.popleft(), worker)


def _load(worker: Worker) -> int:
    return len(worker.hand)


def default_workers() -> int:
    """As many as there are cores for us, four at most: each loads models of its own."""
    return min(4, len(cores.ours()))


def limited(settings: Settings) -> bool:
    """Whether calls have to be counted over all workers together."""
    return settings.calls.max_calls is not None or settings.calls.max_cost is not None


def _died(how: str) -> Failure:
    return Failure(
        "worker_died", f"the process that read it died ({how})", "the file may be damaged"
    )


def sweep() -> None:
    """Remove what batches left behind that were killed together with their workers."""
    for path in Path(tempfile.gettempdir()).glob(f"{FOLDER}*-*"):
        number = path.name.removeprefix(FOLDER).partition("-")[0]
        if number.isdigit() and is_gone(int(number)):
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _deaf() -> Iterator[None]:
    """A process started in the block never hears Ctrl-C: this one does, and ends it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Started by the first process that needs it, it would let Ctrl-C through to that one again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def serve(connection: Connection, outfit: Outfit, share: list[int]) -> None:
    """The life of a worker, on its share of cores: orders in, outcomes out, until whoever hired it
    is gone.
    """
    cores.stay(share)
    # Model libraries ask this when they load; more threads than cores only get in their way.
    os.environ.setdefault("OMP_NUM_THREADS", str(outfit.cores))
    tempfile.tempdir = outfit.folder
    from ..media.decode import limit_threads

    limit_threads(1)
    _no_shared_lock()
    sending = threading.Lock()

    def tell(ticket: int, outcome: Any) -> None:
        with sending:
            connection.send((ticket, outcome))

    # Before the first order is taken: two threads that import one package from two ends lock each
    # other out, and Python ends one of them.
    _prepare()
    threading.Thread(target=_work, args=(connection, outfit, tell), daemon=True).start()
    threading.Event().wait()


def _prepare() -> None:
    """Import what every order needs while whoever hired us still opens the cache and a model."""
    # Where something is missing, the first order says so.
    with suppress(ImportError):
        from ..media import probe
        from . import work  # noqa: F401

        probe.prepare()


def _no_shared_lock() -> None:
    """Speech libraries draw bars with tqdm, whose lock between processes nobody needs here: it
    would outlive a worker that ends at once, and Python would complain of a leak.
    """
    from tqdm import tqdm

    tqdm.set_lock(threading.RLock())


def _work(connection: Connection, outfit: Outfit, tell: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(outfit.threads, thread_name_prefix="video")
    desk = _Desk(outfit)
    while True:
        try:
            order = connection.recv()
        except (EOFError, OSError):
            shutil.rmtree(outfit.folder, ignore_errors=True)
            os._exit(0)
        pool.submit(_carry_out, order, desk, tell)


def _carry_out(order: Order, desk: _Desk, tell: Any) -> None:
    tell(order.ticket, desk.carry_out(order))


class _Desk:
    """A worker's session, opened with the first order, and its models."""

    def __init__(self, outfit: Outfit) -> None:
        self.outfit = outfit
        self._session: Session | None = None
        self._lock = threading.Lock()

    def carry_out(self, order: Order) -> Any:
        try:
            session = self._opened()
        except Exception as error:  # noqa: BLE001 - told to whoever hired us
            return failure(error, stops=True)
        return carry_out(order, session)

    def _opened(self) -> Session:
        from dataclasses import replace

        from ..backends.kept import keep
        from ..session import Session
        from .spending import SharedMeter

        with self._lock:
            if self._session is None:
                # Open as long as the process lives.
                keep(self.outfit.share).__enter__()
                session = Session.open(self.outfit.settings)
                if self.outfit.purse is not None:
                    session = replace(session, meter=SharedMeter(session.meter, self.outfit.purse))
                self._session = replace(session, turn=threading.BoundedSemaphore(1))
            return self._session


def carry_out(order: Order, session: Session) -> Any:
    """The order's step, in a worker's session: a Seen, a Told, a Done, or a Failure."""
    from . import work

    if order.step == "look":
        return work.attempt(lambda: work.look(order.job, session))
    if order.step == "describe":
        return work.attempt(lambda: work.describe(order.job, session, order.ask))
    ask = order.ask or Ask()
    return work.attempt(
        lambda: work.answer(order.job, ask, work.described(order.job, session), session)
    )
