"""What a batch would do and cost at most: the stages of all its videos, added up; runs nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import cache

from .. import pipeline
from ..backends.kept import keep
from ..errors import SilvrError
from ..graph import StageState
from ..legible import legible
from ..metering import added
from ..records import Usage
from ..session import Session
from . import work
from .jobs import Job, ask_key, shown
from .lines import Known


@dataclass(slots=True)
class StageTotal:
    """One stage over all videos: in how many it is done, begun, or still to run."""

    name: str
    model: str = ""
    cached: int = 0
    partial: int = 0
    to_run: int = 0
    expected: Usage = Usage()


@dataclass(slots=True)
class Estimate:
    """Totals by stage in their order, and the videos that cannot be read with the reason.

    `kept` of the lines are in the output already.
    """

    videos: int = 0
    lines: int = 0
    kept: int = 0
    stages: dict[str, StageTotal] = field(default_factory=dict)
    unreadable: list[tuple[str, str]] = field(default_factory=list)


def estimate(
    jobs: Iterable[Job],
    session: Session,
    before: Collection[Known] = (),
    report: Callable[[int], None] = lambda done: None,
) -> Estimate:
    """Look at every video; `report` is told how many are done. Raises CacheError.

    What `before` has, the lines of the output, is not to be done again.
    """
    found = Estimate()
    answer = cache(lambda: pipeline.expected_answer(session))
    reading = cache(lambda: pipeline.expected_reading(session))
    with keep():
        for job in jobs:
            found.videos += 1
            found.lines += len(job.asks)
            try:
                kept = _kept(job, session, before) if before else 0
                states = work.states(job, session) if kept < len(job.asks) else ()
            except SilvrError as error:
                if error.exit_code != 3:
                    raise
                found.unreadable.append((legible(shown(job.video)), legible(error.message)))
                continue
            found.kept += kept
            if job.task == "ask":
                states = (*states, *(answer() for _ in range(len(job.asks) - kept)))
            elif job.task == "find" and session.settings.reading.find:
                states = (*states, *(reading() for _ in range(len(job.asks) - kept)))
            _add(found, states)
            report(found.videos)
    return found


def _kept(job: Job, session: Session, before: Collection[Known]) -> int:
    """How many of a video's lines are there."""
    seen, identity = work.look(job, session), work.identity(job.task, session.settings)
    keys = [ask_key(seen, job.task, ask, identity) for ask in job.asks]
    return sum(any(Known(key, status) in before for status in ("done", "failed")) for key in keys)


def _add(found: Estimate, states: Iterable[StageState]) -> None:
    for state in states:
        total = found.stages.setdefault(state.name, StageTotal(state.name))
        total.model = state.model.partition("@")[0] or total.model
        total.cached += state.state == "cached"
        total.partial += state.state == "partial"
        total.to_run += state.state in ("to run", "failed")
        total.expected = added(total.expected, state.expected)
