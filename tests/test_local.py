"""The local engine's order of work: how much is under way at once, and what stops it."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import until

from silvr_cli.configuration import load
from silvr_cli.engine import local, work
from silvr_cli.engine.crew import Order
from silvr_cli.engine.jobs import Ask, Done, Failure, Job, Seen, Told
from silvr_cli.engine.output import Output
from silvr_cli.errors import CacheError, InputError
from silvr_cli.records import Timeline, Usage, Video
from silvr_cli.session import Described
from silvr_cli.settings import Settings

TIMELINE = Timeline(Video("sha256:1", "talk.mp4", 1.0))


class Hands:
    """In the place of worker processes: carries orders out at once, as `outcomes` says."""

    made: list[Hands] = []  # noqa: RUF012 - a test looks at the last
    outcomes: dict[str, Any] = {}  # noqa: RUF012

    purse = None

    def __init__(self, settings: Settings) -> None:
        self.events: queue.Queue[Any] = queue.Queue()
        self.room, self.tickets = settings.engine.videos, itertools.count()
        self.hand: dict[int, Order] = {}
        self.most = 0
        Hands.made.append(self)

    def __enter__(self) -> Hands:
        return self

    def __exit__(self, *_: object) -> None:
        return

    @property
    def free(self) -> int:
        """Two workers of three threads each."""
        return 6 - len(self.hand)

    @property
    def busy(self) -> bool:
        return bool(self.hand)

    def submit(
        self, step: Any, job: Job, ask: Ask | None = None, content: str | None = None
    ) -> None:
        order = Order(next(self.tickets), step, job, ask, content)
        self.hand[order.ticket] = order
        self.most = max(self.most, len(self.hand))
        outcome = self.outcomes.get(f"{step} {job.video}") or {
            "look": Seen("sha256:1", f"key of {job.video}"),
            "describe": Told(),
            "answer": Done(TIMELINE),
        }.get(step)
        self.events.put(("crew", order.ticket, outcome))

    def hear(self, event: Any) -> list[tuple[Order, Any]]:
        return [(self.hand.pop(event[1]), event[2])]


@pytest.fixture(autouse=True)
def _hands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "Crew", Hands)
    monkeypatch.setattr(Hands, "outcomes", {})
    monkeypatch.setattr(work, "described", lambda job, session: Described(TIMELINE))


@pytest.fixture
def settings() -> Settings:
    return load({"models.llm": "fake", "models.embed": "none", "engine.workers": 2}).settings


@pytest.fixture
def output(tmp_path: Path) -> Iterator[Output]:
    with Output(tmp_path / "out.jsonl") as opened:
        yield opened


def jobs(count: int, task: Any = "ask", asks: int = 1) -> list[Job]:
    asked = tuple(Ask(f"question {n}") for n in range(asks))
    return [Job(number, f"{number}.mp4", task, asked) for number in range(count)]


def quiet(tally: local.Tally, result: Any) -> None:
    assert tally.left >= 0


def test_of_a_thousand_videos_ten_at_most_are_in_memory(
    settings: Settings, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, loaded, most = threading.Lock(), [0], [0]
    described = work.described

    def counted(job: Job, session: Any) -> Described:
        with lock:
            loaded[0] += 1
            most[0] = max(most[0], loaded[0])
        return described(job, session)

    def answer(*values: Any) -> Done:
        with lock:
            loaded[0] -= 1
        return Done(TIMELINE)

    monkeypatch.setattr(work, "described", counted)
    monkeypatch.setattr(work, "answer", answer)
    tally = local.run(jobs(1000), settings, output, quiet)
    assert (tally.done, tally.left) == (1000, 0)
    assert Hands.made[-1].most + most[0] <= 10


def test_a_text_model_that_does_not_answer_holds_back_the_language_stage(
    settings: Settings, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, tallies = threading.Event(), []
    monkeypatch.setattr(work, "answer", lambda *values: go.wait() and Done(TIMELINE))

    def run() -> None:
        tallies.append(local.run(jobs(1000), settings, output, quiet))

    thread = threading.Thread(target=run)
    before = len(Hands.made)
    thread.start()
    until(lambda: len(Hands.made) > before and Hands.made[-1].hand == {} and ticket() > 20)
    seen = ticket()
    until(lambda: Hands.made[-1].events.empty())
    go.set()
    thread.join()
    assert seen <= 2 * (8 + 1 + settings.engine.videos), "two steps a video, nine asks, six videos"
    assert tallies[0].done == 1000


def ticket() -> int:
    """How many orders have been given."""
    return int(repr(Hands.made[-1].tickets).removeprefix("count(").removesuffix(")"))


def test_one_timeline_is_read_once_for_all_its_questions(
    settings: Settings, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def described(job: Job, session: Any) -> Described:
        read.append(job.video)
        return Described(TIMELINE)

    monkeypatch.setattr(work, "described", described)
    monkeypatch.setattr(work, "answer", lambda *values: Done(TIMELINE, Usage(1)))
    tally = local.run(jobs(3, asks=20), settings, output, quiet)
    assert sorted(read) == ["0.mp4", "1.mp4", "2.mp4"]
    assert (tally.done, tally.usage.calls) == (60, 60)


@pytest.mark.parametrize("step", ["look", "describe", "answer"])
def test_what_stops_one_stops_all_and_writes_no_line_for_it(
    settings: Settings, output: Output, step: str
) -> None:
    full = work.attempt(lambda: _raise(CacheError("the disk is full")))
    assert isinstance(full, Failure)
    Hands.outcomes = {f"{step} 5.mp4": full}
    tally = local.run(jobs(1000, "timeline"), settings, output, quiet)
    assert tally.stopped == full
    assert tally.done <= 20
    assert tally.left == 1000 - tally.done
    assert "5.mp4" not in [ident.video for ident in output.known]


@pytest.mark.parametrize("step", ["look", "describe", "answer"])
def test_what_fails_alone_is_a_line_of_its_own(
    settings: Settings, output: Output, step: str
) -> None:
    failure = work.attempt(lambda: _raise(InputError("broken")))
    assert isinstance(failure, Failure)
    outcome = Seen(None, "key", failure) if step == "look" else failure
    Hands.outcomes = {f"{step} 5.mp4": outcome}
    tally = local.run(jobs(10, "timeline"), settings, output, quiet)
    assert (tally.done, tally.failed, tally.errors) == (9, 1, {"input_error": 1})
    assert tally.stopped is None


def test_whoever_described_a_video_answers_its_first_ask_at_once(
    settings: Settings, output: Output
) -> None:
    broken = work.attempt(lambda: _raise(InputError("broken")))
    Hands.outcomes = {f"describe {n}.mp4": Told(done=Done(TIMELINE)) for n in range(10)}
    Hands.outcomes["describe 5.mp4"] = Told(done=broken)
    tally = local.run(jobs(10, "find", asks=3), settings, output, quiet)
    assert (tally.done, tally.failed) == (29, 1)
    assert ticket() == 10 * 4, "a look, a description with the first ask, two more asks"


def _raise(error: Exception) -> Any:
    raise error
