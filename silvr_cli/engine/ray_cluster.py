"""The crew on Ray: an actor a worker, on this machine or on a cluster; alone knows Ray.

Workers write to a private cache and tell the driver of every write while they work; the driver
replays that on the cache, so that it alone writes there, and a worker that dies takes at most its
last second along, and the piece in flight. Models are loaded once a worker.
"""

from __future__ import annotations

import logging
import math
import os
import queue
import shutil
import socket
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__, prompts
from ..cache.addresses import met
from ..cache.diary import Diary, pack, replay
from ..errors import BackendMissing, CacheError, InputError, ModelError, SilvrError, UsageError
from ..metering import Meter, Prices, added, check_limits
from ..records import Usage
from ..remote.addresses import key, place
from ..session import Session
from .crew import Crew, Order, Worker, carry_out, default_workers
from .jobs import Done, Failure, Seen, Told, digest, failure
from .spending import SharedMeter

if TYPE_CHECKING:
    from ..cache.diary import Entry, Parcel
    from ..cache.store import Store
    from ..settings import Calls, Settings
    from .crew import Outfit
    from .spending import Purse

KNOCK_SECONDS = 10.0
# What a worker writes is told so late at most: each telling costs both sides some milliseconds,
# and this much work is all that more is lost with a worker.
LINGER_SECONDS = 1.0
# HTTP/2: the client's preface with an empty SETTINGS frame, and that frame's type.
SETTINGS = b"\x04"
HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0" + SETTINGS + b"\0" * 5
Outcome = Seen | Told | Done | Failure


@dataclass(frozen=True, slots=True)
class Home:
    """What the driver's side looks like: workers go to its folder and must be of its build."""

    folder: str
    build: str


@dataclass(frozen=True, slots=True)
class Ended:
    """An order's end; `blind` names the worker's machine where the file cannot be read there."""

    outcome: Outcome
    blind: str = ""


class RayCrew(Crew):
    """Workers wherever Ray has room for them; `store` is the cache, this process its only writer.

    Raises BackendMissing without Ray, ModelError when the cluster does not answer, UsageError
    when no machine of it has what a worker takes.
    """

    # Machines of a cluster come and go: that a worker dies says little about its order.
    chances = 4

    def __init__(self, settings: Settings, store: Store) -> None:
        self.ray = _connected(settings)
        self.store = store
        self.home = Home(os.getcwd(), build())
        # Copies of one video wait for the first: what it leaves in the cache serves them too.
        self.reading: set[str] = set()
        self.parked: deque[Order] = deque()
        super().__init__(settings)

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            self.ray.kill(worker.process)
        self.ray.shutdown()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def room(self) -> int:
        # A place on a cluster that nobody uses still costs.
        return max(super().room, self.size)

    @property
    def busy(self) -> bool:
        return bool(self.parked) or super().busy

    def hear(self, event: Any) -> Sequence[tuple[Order, Outcome]]:
        worker, ticket, outcome = event
        if worker not in self.workers:
            # All orders of a worker that dies say so.
            return []
        if ticket is None:
            worker.connection = outcome
        ended = super().hear(event)
        for order, _ in ended:
            if order.step == "describe" and order.content:
                self.reading.discard(order.content)
        self._unpark()
        return ended

    def _size(self) -> int:
        engine = self.settings.engine
        wanted = engine.workers
        if not engine.address:
            return wanted or default_workers()
        places = self._places()
        if not places:
            takes = f"{engine.cpus:g} cores and {engine.gpus:g} graphics cards"
            raise UsageError(
                f"no machine of the Ray cluster {engine.address} has {takes} for a worker",
                "--set engine.cpus=… and engine.gpus=… say what one takes",
            )
        return min(wanted or places, places)

    def _places(self) -> int:
        """How many workers the machines that are up have room for, were they idle."""
        engine, found = self.settings.engine, 0
        for node in self.ray.nodes():
            if node["Alive"]:
                has = node["Resources"]
                places = has.get("CPU", 0) / engine.cpus
                if engine.gpus:
                    places = min(places, has.get("GPU", 0) / engine.gpus)
                found += math.floor(places)
        return found

    def _purse(self) -> Purse:
        return RayPurse(self.ray.remote(num_cpus=0)(Till).remote())

    def _place(self, order: Order) -> None:
        if order.step == "describe" and order.content:
            if order.content in self.reading:
                self.parked.append(order)
                return
            self.reading.add(order.content)
        super()._place(order)

    def _unpark(self) -> None:
        for _ in range(len(self.parked)):
            order = self.parked.popleft()
            if order.content in self.reading or not self._open():
                self.parked.append(order)
            else:
                self._place(order)

    def _hire(self) -> None:
        if self.workers and self.settings.engine.address and self._places() <= len(self.workers):
            # A machine has gone, and its place with it.
            return
        engine = self.settings.engine
        hand = self.ray.remote(
            num_cpus=engine.cpus, num_gpus=engine.gpus, max_concurrency=self.threads
        )(Hand)
        self.workers.append(Worker(hand.remote(self.outfit, self.home), ""))

    def _give(self, order: Order, worker: Worker) -> None:
        worker.hand[order.ticket] = order
        call = worker.process.carry_out.options(num_returns="streaming")
        said = call.remote(order, self._parcel(order))
        threading.Thread(target=self._follow, args=(worker, order, said), daemon=True).start()

    def _parcel(self, order: Order) -> Parcel:
        content = order.content or self._known(place(order.job.video))
        return pack(self.store, content, order.step != "look") if content else {}

    def _known(self, where: Path | str) -> str | None:
        if isinstance(where, Path):
            return self.store.video_id(where)
        found = met(self.store, key(where))
        return found.video if found else None

    def _follow(self, worker: Worker, order: Order, said: Iterator[Any]) -> None:
        """In a thread of its own: keep what the worker tells, until it tells how it ended."""
        from ray.exceptions import RayError

        try:
            for reference in said:
                *told, last = self.ray.get(reference)
                ended = last if isinstance(last, Ended) else None
                entries = told if ended else [*told, last]
                if entries:
                    replay(self.store, tuple(step for entry in entries for step in entry))
                if ended:
                    self.events.put((worker, order.ticket, _explained(order, ended)))
        except RayError as error:
            self.events.put((worker, None, _last_line(error)))
        except CacheError as error:
            self.events.put((worker, order.ticket, failure(error, stops=True)))

    def _ended(self, worker: Worker) -> str:
        self.ray.kill(worker.process)
        return str(worker.connection)


class Hand:
    """The actor: carries out orders, `threads` at once, each in a private cache."""

    def __init__(self, outfit: Outfit, home: Home) -> None:
        from ..backends.kept import keep

        self.outfit, self.home = outfit, home
        self.turn = threading.BoundedSemaphore(1)
        self.prices = Prices.load(outfit.settings.calls.prices)
        if os.path.isdir(home.folder):
            os.chdir(home.folder)
        if os.path.isdir(outfit.folder):
            tempfile.tempdir = outfit.folder
        # Open as long as the actor lives.
        keep(outfit.share).__enter__()

    def carry_out(self, order: Order, parcel: Parcel) -> Iterator[list[Entry | Ended]]:
        """What is written to the cache, soon after it happens, and at last the order's end."""
        said: queue.SimpleQueue[Entry | Ended] = queue.SimpleQueue()
        threading.Thread(target=self._work, args=(order, parcel, said), daemon=True).start()
        ended = False
        while not ended:
            told = [said.get()]
            until = time.monotonic() + LINGER_SECONDS
            with suppress(queue.Empty):
                while not isinstance(told[-1], Ended):
                    told.append(said.get(timeout=max(0.0, until - time.monotonic())))
            yield told
            ended = isinstance(told[-1], Ended)

    def _work(self, order: Order, parcel: Parcel, said: queue.SimpleQueue[Entry | Ended]) -> None:
        try:
            prompts.use(self.outfit.settings.prompts.path)
            self._check()
            with closing(Diary.begin(said.put)) as store:
                store.fill(parcel)
                outcome = carry_out(order, self._session(store))
        except Exception as error:  # noqa: BLE001 - told to the driver
            said.put(Ended(failure(error, stops=True)))
            return
        said.put(Ended(outcome, _blind(order, outcome)))

    def _check(self) -> None:
        if self.home.build != build():
            raise UsageError(
                f"the worker on {socket.gethostname()} has another silvr, or other prompts",
                "install the same version on every machine of the cluster",
            )

    def _session(self, store: Store) -> Session:
        settings = self.outfit.settings
        meter = Meter(settings.calls, store.add_call, self.prices)
        if self.outfit.purse is not None:
            meter = SharedMeter(meter, self.outfit.purse)
        return Session(settings, store, meter, turn=self.turn)


class Till:
    """The actor that counts for all; it takes one call at a time, so nothing is locked."""

    def __init__(self) -> None:
        self.spent, self.held = Usage(), 0.0

    def reserve(self, settings: Calls, cost: float) -> SilvrError | None:
        """A refusal is returned: Ray would wrap what is raised."""
        try:
            check_limits(settings, self.spent, self.held, cost)
        except SilvrError as error:
            return error
        self.spent, self.held = added(self.spent, Usage(1)), self.held + cost
        return None

    def release(self, cost: float) -> None:
        self.held -= cost

    def settle(self, cost: float) -> None:
        self.spent = added(self.spent, Usage(cost=cost))


class RayPurse:
    """A Till from afar."""

    def __init__(self, till: Any) -> None:
        self.till = till

    def reserve(self, settings: Calls, cost: float) -> None:
        import ray

        refusal = ray.get(self.till.reserve.remote(settings, cost))
        if refusal is not None:
            raise refusal

    def release(self, cost: float) -> None:
        self.till.release.remote(cost)

    def settle(self, cost: float) -> None:
        self.till.settle.remote(cost)


def build() -> str:
    """What must be the same on all machines for their results to be the same."""
    return digest([__version__, {name: prompts.load(name).sha for name in prompts.names()}])


def _blind(order: Order, outcome: Outcome) -> str:
    """This machine's name when it cannot read the order's file."""
    where = place(order.job.video)
    failed = isinstance(outcome, Failure) or (isinstance(outcome, Seen) and outcome.failure)
    if not failed or isinstance(where, str) or os.access(where, os.R_OK):
        return ""
    return socket.gethostname()


def _explained(order: Order, ended: Ended) -> Outcome:
    """The outcome; a file that only the worker cannot read is told as such."""
    video = order.job.video
    if not (ended.blind and os.access(place(video), os.R_OK)):
        return ended.outcome
    reason = failure(
        InputError(
            f"the worker on {ended.blind} cannot read {video}, which this machine can",
            "mount it there under the same path",
        )
    )
    return replace(ended.outcome, failure=reason) if isinstance(ended.outcome, Seen) else reason


def _connected(settings: Settings) -> Any:
    """The module ray, connected; raises BackendMissing and ModelError."""
    # Ray tells its makers of every start unless it is told not to.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # It would let workers wait for everything else on the machine (nice 15): they are the work.
    os.environ.setdefault("RAY_worker_niceness", "0")
    try:
        import ray
    except ImportError as error:
        raise BackendMissing("the package ray is missing", "pip install 'silvr[ray]'") from error
    engine, more = settings.engine, dict[str, Any]()
    if engine.address:
        _knock(engine.address)
    else:
        workers = engine.workers or default_workers()
        more["num_cpus"] = max(os.cpu_count() or 1, math.ceil(workers * engine.cpus))
        more["include_dashboard"] = False
    try:
        ray.init(
            engine.address or "local", log_to_driver=False, logging_level=logging.ERROR, **more
        )
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise _absent(engine.address or "on this machine", _last_line(error)) from error
    return ray


def _knock(address: str) -> None:
    """Whether anybody is there: Ray itself would try for a minute and then end this process."""
    if "://" in address:
        raise UsageError(
            f"{address} is Ray's client protocol, which does not carry a batch",
            "run silvr on a machine of the cluster: --address auto, or host:6379",
        )
    host, colon, port = address.rpartition(":")
    if address == "auto":
        return
    if not (colon and port.isdigit()):
        raise UsageError(f"{address} is no address of a Ray cluster", "--address host:6379 or auto")
    plain, answer = os.environ.get("RAY_USE_TLS", "0") == "0", b""
    try:
        with socket.create_connection((host, int(port)), KNOCK_SECONDS) as door:
            if plain:
                door.sendall(HELLO)
                answer = door.recv(9)
    except OSError as error:
        raise _absent(address, error.strerror or str(error)) from error
    if plain and answer[3:4] != SETTINGS:
        raise _absent(address, "what listens there is no Ray")


def _absent(address: str, why: str) -> ModelError:
    return ModelError(
        f"no Ray cluster answers {address}: {why}", "ray start --head starts one; ray status tells"
    )


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1].strip() if str(error).strip() else repr(error)
