"""The batch on Ray: the same lines as here, whoever dies. What needs Ray itself is an extra."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import VideoMaker, until

from silvr_cli.backends.kept import keep
from silvr_cli.cache.diary import pack, replay
from silvr_cli.cache.store import Store
from silvr_cli.configuration import load
from silvr_cli.engine import local, ray_cluster
from silvr_cli.engine.crew import Order, Outfit
from silvr_cli.engine.jobs import Ask, Done, Failure, Job, Seen, Told
from silvr_cli.engine.output import Output
from silvr_cli.engine.ray_cluster import Ended, Hand, Home, Till, build
from silvr_cli.errors import BackendMissing, LimitReached, ModelError, UsageError
from silvr_cli.records import Usage
from silvr_cli.session import Session
from silvr_cli.settings import Calls, Settings

FAKE = {f"models.{role}": "fake" for role in ("llm", "speech", "vision", "reader")}


@pytest.fixture
def settings() -> Settings:
    return load(FAKE).settings


@pytest.fixture
def hand(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hand]:
    """A worker in this process, with no Ray around it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", None)
    with keep():
        yield Hand(Outfit(settings, 1, 1, 1, str(tmp_path)), Home(str(tmp_path), build()))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "driver.sqlite") as store:
        yield store


def film(make_video: VideoMaker, name: str = "talk.mp4", shade: int = 60) -> Path:
    return make_video(name, [np.full((36, 64, 3), shade, np.uint8) for _ in range(10)])


def through(hand: Hand, store: Store, order: Order) -> Ended:
    """What the driver does with one order."""
    parcel = pack(store, order.content) if order.content else {}
    for told in [told for said in hand.carry_out(order, parcel) for told in said]:
        if isinstance(told, Ended):
            return told
        replay(store, told)
    raise AssertionError("the order has no end")


def looked(hand: Hand, store: Store, job: Job) -> Seen:
    seen = through(hand, store, Order(0, "look", job)).outcome
    assert isinstance(seen, Seen)
    return seen


def test_a_worker_leaves_all_its_work_in_the_drivers_cache(
    hand: Hand, store: Store, settings: Settings, make_video: VideoMaker
) -> None:
    job = Job(0, film(make_video).name, "ask", (Ask("Who?"),))
    seen = looked(hand, store, job)
    assert seen.content
    assert not seen.failure
    told = through(hand, store, Order(1, "describe", job, content=seen.content)).outcome
    assert isinstance(told, Told)
    assert told.usage.calls
    from silvr_cli.engine import work

    with Session.open(settings) as session:
        assert work.look(job, session) == seen
        assert work.describe(job, session).notes == told.notes
        keys = "SELECT key, name, state, output, notes FROM stages ORDER BY key"
        assert session.store.rows(keys) == store.rows(keys)
    # From what the driver knows, the next worker has nothing left to do.
    again = through(hand, store, Order(2, "describe", job, content=seen.content)).outcome
    assert isinstance(again, Told)
    assert again.usage == Usage()
    assert again.done is None


def test_a_worker_answers_the_ask_that_comes_with_a_description(
    hand: Hand, store: Store, make_video: VideoMaker
) -> None:
    job = Job(0, film(make_video).name, "timeline")
    seen = looked(hand, store, job)
    told = through(hand, store, Order(1, "describe", job, Ask(), seen.content)).outcome
    assert isinstance(told, Told)
    answered = through(hand, store, Order(2, "answer", job, Ask(), seen.content)).outcome
    assert isinstance(told.done, Done)
    assert isinstance(answered, Done)
    assert told.done.result == answered.result


def test_what_a_dying_worker_has_told_is_not_done_again(
    hand: Hand, store: Store, make_video: VideoMaker
) -> None:
    job = Job(0, film(make_video).name, "timeline")
    seen = looked(hand, store, job)
    order = Order(1, "describe", job, content=seen.content)
    told = [t for said in hand.carry_out(order, pack(store, str(seen.content))) for t in said]
    entries = [entry for entry in told if not isinstance(entry, Ended)]
    # All pieces, but not that the last stage is finished: no call is between the two.
    for entry in entries[:-1]:
        replay(store, entry)
    finished = "SELECT key, created FROM stages WHERE state = 'done'"
    before = store.rows(finished)
    assert before
    assert store.rows("SELECT * FROM pieces")
    assert isinstance(through(hand, store, order).outcome, Told)
    assert len(store.rows(finished)) == len(before) + 1
    assert set(store.rows(finished)) > set(before)
    calls = store.rows("SELECT stage FROM calls")
    assert len(calls) == len([e for e in entries if "INSERT INTO calls" in e[0][0]])


def test_a_worker_of_another_build_stops_the_batch(hand: Hand, make_video: VideoMaker) -> None:
    hand.home = Home(hand.home.folder, "another")
    job = Job(0, film(make_video).name, "timeline")
    ((ended,),) = hand.carry_out(Order(0, "look", job), {})
    assert isinstance(ended, Ended)
    assert isinstance(ended.outcome, Failure)
    assert ended.outcome.stops
    assert "another silvr" in ended.outcome.message


def test_a_file_that_only_the_worker_cannot_read_is_told_as_such(
    hand: Hand, make_video: VideoMaker, tmp_path: Path
) -> None:
    order = Order(0, "look", Job(0, "away.mp4", "timeline"))
    *_, (ended,) = hand.carry_out(order, {})
    assert isinstance(ended, Ended)
    assert ended.blind == socket.gethostname()
    nobody = ray_cluster._explained(order, ended)
    assert isinstance(nobody, Seen)
    assert nobody == ended.outcome
    film(make_video, "away.mp4")
    seen = ray_cluster._explained(order, ended)
    assert isinstance(seen, Seen)
    assert seen.failure
    assert "cannot read away.mp4, which this machine can" in seen.failure.message


def test_the_till_refuses_what_passes_a_limit_and_takes_back_what_is_not_spent() -> None:
    till, limits = Till(), Calls(max_calls=3, max_cost=1.0)
    assert till.reserve(limits, 0.9) is None
    assert isinstance(till.reserve(limits, 0.2), LimitReached)
    till.release(0.9)
    till.settle(0.1)
    assert till.reserve(limits, 0.8) is None
    till.release(0.8)
    assert till.reserve(limits, 0.0) is None
    assert isinstance(till.reserve(limits, 0.0), LimitReached)


def test_without_ray_the_extra_is_named(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BackendMissing, match="ray is missing") as caught:
        ray_cluster._connected(settings)
    assert caught.value.hint == "pip install 'silvr[ray]'"


def test_addresses_that_lead_nowhere_are_told_before_ray_is_asked() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ModelError, match=f"no Ray cluster answers 127.0.0.1:{port}"):
        ray_cluster._knock(f"127.0.0.1:{port}")
    with socket.create_server(("127.0.0.1", 0)) as other:
        threading.Thread(
            target=answered, args=(other, b"HTTP/1.1 400 Bad Request"), daemon=True
        ).start()
        with pytest.raises(ModelError, match="what listens there is no Ray"):
            ray_cluster._knock(f"127.0.0.1:{other.getsockname()[1]}")
    with pytest.raises(UsageError, match="client protocol"):
        ray_cluster._knock("ray://127.0.0.1:10001")
    with pytest.raises(UsageError, match="no address"):
        ray_cluster._knock("somewhere")


def answered(server: socket.socket, words: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.sendall(words)
        connection.recv(1024)


# -- the crew, on actors that are objects of this process


class RayError(Exception):
    """Stands for ray.exceptions.RayError."""


class Ray:
    """As much of Ray as the crew asks for. `doomed`: so many calls of a step die half-way."""

    def __init__(self, cores: Sequence[float] = (2,)) -> None:
        self.cores, self.doomed, self.killed = list(cores), Counter[str](), 0

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": cores > 0, "Resources": {"CPU": cores}} for cores in self.cores]

    def remote(self, **options: Any) -> Callable[[type], Any]:
        return lambda kind: SimpleNamespace(remote=lambda *given: Actor(kind(*given), self))

    def get(self, value: Any) -> Any:
        return value

    def kill(self, actor: Any) -> None:
        self.killed += 1
        actor.dead = True

    def shutdown(self) -> None:
        # Each worker's own, where workers are processes.
        tempfile.tempdir = None


class Actor:
    def __init__(self, inner: Any, ray: Ray) -> None:
        self.inner, self.ray, self.carry_out, self.dead = inner, ray, self, False

    def options(self, num_returns: str) -> Actor:
        return self

    def remote(self, order: Order, parcel: Any) -> Iterator[Any]:
        dies = self.ray.doomed[order.step] > 0
        self.ray.doomed[order.step] -= 1
        for said in self.inner.carry_out(order, parcel):
            if self.dead or (dies and isinstance(said[-1], Ended)):
                raise RayError("trace\nThe actor died.")
            yield said


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Ray:
    ray = Ray()
    monkeypatch.setattr(ray_cluster, "_connected", lambda settings: ray)
    monkeypatch.setitem(sys.modules, "ray.exceptions", SimpleNamespace(RayError=RayError))
    monkeypatch.setattr("tempfile.tempdir", None)
    return ray


@pytest.fixture
def jobs(tmp_path: Path, make_video: VideoMaker, monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """A video, its copy, another, and what is none."""
    monkeypatch.chdir(tmp_path)
    film(make_video, "a.mp4")
    shutil.copy("a.mp4", "copy.mp4")
    film(make_video, "b.mp4", 200)
    Path("broken.mp4").write_text("no video", "utf-8")
    names = ("a.mp4", "copy.mp4", "b.mp4", "broken.mp4")
    return [Job(at, name, "ask", (Ask("Who?"),)) for at, name in enumerate(names)]


def batch(jobs: Sequence[Job], out: Path) -> dict[str, dict[str, Any]]:
    settings = load({**FAKE, "engine.name": "ray", "engine.workers": 2}).settings
    with Output(out) as output:
        local.run(jobs, settings, output, lambda tally, result: None)
    return lines(out)


def expected(jobs: Sequence[Job], settings: Settings, out: Path) -> dict[str, dict[str, Any]]:
    """What a plain walk over the jobs writes, with a cache of its own."""
    from silvr_cli.engine import work

    alone = settings.model_copy(update={"cache": settings.cache.model_copy(update={"path": out})})
    written = out.with_suffix(".jsonl")
    with Output(written) as output:
        for job in jobs:
            for line in work.work(job, alone):
                output.write(line)
    return lines(written)


def test_the_crew_writes_the_lines_that_a_plain_walk_writes(
    ray: Ray, jobs: list[Job], settings: Settings, tmp_path: Path
) -> None:
    assert batch(jobs, tmp_path / "out.jsonl") == expected(jobs, settings, tmp_path / "alone")
    with Store.open(tmp_path / "cache.sqlite") as store:
        # Copies are read once.
        captions = store.rows("SELECT video FROM calls WHERE stage = 'captions'")
        assert len(captions) == len(set(captions)) == 2


def test_workers_that_die_cost_nothing_but_time(
    ray: Ray, jobs: list[Job], settings: Settings, tmp_path: Path
) -> None:
    ray.doomed = Counter(look=2, describe=3)
    assert batch(jobs, tmp_path / "out.jsonl") == expected(jobs, settings, tmp_path / "alone")
    assert ray.doomed["look"] <= 0
    assert ray.doomed["describe"] <= 0


def test_an_order_that_kills_every_worker_is_given_up(
    ray: Ray, jobs: list[Job], tmp_path: Path
) -> None:
    ray.doomed = Counter(describe=100)
    (line,) = batch(jobs[2:3], tmp_path / "out.jsonl").values()
    assert line["error"]["code"] == "worker_died"
    assert "The actor died." in line["error"]["message"]
    assert 100 - ray.doomed["describe"] == ray_cluster.RayCrew.chances


def test_there_are_as_many_workers_as_the_machines_that_are_up_have_room_for(
    ray: Ray, store: Store
) -> None:
    def crew(**engine: Any) -> ray_cluster.RayCrew:
        flags = {f"engine.{key}": value for key, value in engine.items()}
        return ray_cluster.RayCrew(load({"engine.address": "auto", **flags}).settings, store)

    ray.cores = [4, 3, 0]
    with crew(cpus=2) as found:
        assert len(found.workers) == found.size == 3
        assert found.room == 6
        ray.cores = [4, 0, 0]
        found.hear((found.workers[0], None, "node died"))
        assert len(found.workers) == 2
    assert ray.killed == 3
    with crew(workers=1) as found:
        assert len(found.workers) == 1
    with pytest.raises(UsageError, match="no machine of the Ray cluster auto has 8 cores"):
        crew(cpus=8)


# -- with Ray


def lines(path: Path) -> dict[str, dict[str, Any]]:
    """Lines by video and question, without what a run took; a line that stands twice is an error.

    Of two copies of one video, either may be the first that is read, and pays for it.
    """
    read = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    found = {f"{line['video']} {line['question']}": line for line in read}
    assert len(found) == len(read)
    for line in read:
        line["seconds"], line["usage"] = 0, 0
        if isinstance(line["result"], dict):
            line["result"].pop("usage", None)
    return found


def command(*words: object) -> list[str]:
    models = [
        word for role in ("llm", "speech", "vision", "reader") for word in (f"--{role}", "fake")
    ]
    return [sys.executable, "-m", "silvr_cli", "batch", *models, *map(str, words)]


def silvr(folder: Path, *words: object, code: int = 0) -> str:
    done = subprocess.run(command(*words), capture_output=True, text=True, cwd=folder)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr


@pytest.fixture
def films(tmp_path: Path, make_video: VideoMaker) -> Path:
    """Twelve videos, a copy, and a file that is no video."""
    folder = tmp_path / "films"
    folder.mkdir()
    for number in range(12):
        shutil.move(film(make_video, f"{number}.mp4", 20 * number), folder)
    shutil.copy(folder / "0.mp4", folder / "copy.mp4")
    (folder / "broken.mp4").write_text("no video", "utf-8")
    return folder


@pytest.mark.extras
@pytest.mark.timeout(900)
def test_lines_are_those_of_the_local_engine_and_are_not_made_twice(
    films: Path, tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    asked = ("films", "--question", "Who?", "--workers", "2", "--ordered")
    silvr(tmp_path, *asked, "-o", "here.jsonl", "--cache", "here.sqlite", code=5)
    ray = ("--engine", "ray", "--cache", "ray.sqlite", "-o", "ray.jsonl")
    silvr(tmp_path, *asked, *ray, code=5)
    assert list(lines(tmp_path / "ray.jsonl").items()) == list(
        lines(tmp_path / "here.jsonl").items()
    )
    before = (tmp_path / "ray.jsonl").read_bytes()
    assert "13 before" in silvr(tmp_path, *asked, *ray, code=5)
    assert (tmp_path / "ray.jsonl").read_bytes() == before


@pytest.mark.extras
@pytest.mark.timeout(900)
def test_a_worker_killed_half_way_changes_nothing(films: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    asked = ("films", "--task", "timeline", "--workers", "2")
    silvr(tmp_path, *asked, "-o", "here.jsonl", "--cache", "here.sqlite", code=5)
    out = tmp_path / "ray.jsonl"
    words = command(*asked, "--engine", "ray", "-o", out, "--cache", "ray.sqlite", "--quiet")
    with subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as batch:
        until(lambda: out.exists() and out.read_bytes().count(b"\n") >= 4)
        killed = [pid for pid in offspring(batch.pid) if name(pid).startswith("ray::Hand")][:1]
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        _, told = batch.communicate()
    assert killed
    assert batch.returncode == 5, told
    assert lines(out) == lines(tmp_path / "here.jsonl")


@pytest.mark.extras
@pytest.mark.timeout(300)
def test_a_cluster_that_is_not_there_is_exit_4(films: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    asked = ("films", "--task", "timeline", "--engine", "ray", "--address", address)
    told = silvr(tmp_path, *asked, "-o", "out.jsonl", code=4)
    assert f"no Ray cluster answers {address}" in told


def offspring(pid: int) -> list[int]:
    """Processes below this one, by /proc."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, level = list[int](), [pid]
    while level:
        level = [child for child, parent in parents.items() if parent in level]
        found += level
    return found


def name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
