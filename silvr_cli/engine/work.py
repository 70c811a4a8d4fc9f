"""The work itself, step by step: look, describe, answer; and `work`, all of it for one job.

Each step takes a job and a session, gives a picklable record, and knows neither the screen nor
the output file, so that threads, processes and clusters can run it alike.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import backends, intake, pipeline, prompts
from ..errors import InputError, LimitReached, SilvrError, UsageError
from ..media.probe import content_id
from ..metering import added
from ..session import Described, Session, Source
from ..settings import Settings
from .jobs import Ask, Done, Failure, Job, Result, Seen, Task, Told, ask_key, digest, talks
from .jobs import failure as told_failure
from .jobs import line as result_line
from .spending import Tab

if TYPE_CHECKING:
    from ..graph import StageState
    from ..protocols import TextModel


def look(job: Job, session: Session) -> Seen:
    """Identify the video and name its timeline; reads headers, runs no stage.

    Raises CacheError and SettingsError; a video that cannot be read is a Seen with its failure.
    """
    content: str | None = None
    try:
        source = _source(job)
        with _held(source, session) as held:
            content = _content(source, held, session)
            found = pipeline.survey(source, session)
            if held and any(state.state != "cached" for state in found):
                held.keep()
            return Seen(content, digest([content, [state.key for state in found]]))
    except UsageError:
        raise
    except SilvrError as error:
        return Seen(content, digest([content, job.video, str(error)]), told_failure(error))


def states(job: Job, session: Session) -> tuple[StageState, ...]:
    """What the cache knows of each stage of the timeline, and of chapters or a summary.

    Raises InputError, and ModelError when the text model is missing.
    """
    if job.task == "chapters" or job.task == "summarize":
        return pipeline.plan(_source(job), replace(session, tell=lambda text: None), job.task)
    return pipeline.survey(_source(job), session)


def describe(job: Job, session: Session, ask: Ask | None = None) -> Told:
    """Bring the whole language stage into the cache, and answer `ask` while it is at hand.

    Raises SilvrError when the language stage fails; an answer that fails is told.
    """
    started = time.monotonic()
    tab = Tab(session.meter)
    quiet = replace(session, tell=lambda text: None)
    outlines = job.task in ("chapters", "summarize")
    with closing(pipeline.open_text_model(quiet)) if outlines else nullcontext() as model:
        found = pipeline.describe(_source(job), replace(session, meter=tab), model)
    told = Told(found.notes, tab.spent, time.monotonic() - started)
    if ask is None:
        return told
    # Read from the cache like every other answer, so that all have the same numbers.
    return replace(told, done=attempt(lambda: answer(job, ask, described(job, session), session)))


def described(job: Job, session: Session) -> Described:
    """The timeline as `describe` left it in the cache."""
    return pipeline.describe(_source(job), session)


def answer(
    job: Job, ask: Ask, told: Described, session: Session, model: TextModel | None = None
) -> Done:
    """One ask of a described video; `model` for the tasks that talk. Raises SilvrError."""
    started = time.monotonic()
    tab = Tab(session.meter)
    result = _result(job.task, ask, told, replace(session, meter=tab), model)
    return Done(result, tab.spent, time.monotonic() - started)


def _result(
    task: Task, ask: Ask, told: Described, session: Session, model: TextModel | None
) -> Any:
    if task == "ask":
        return pipeline.ask(told, ask.question, ask.choices, session, model).answer
    if task == "chapters":
        return pipeline.chapters(told, session, model=model)
    if task == "summarize":
        return pipeline.summarize(told, session, model)
    if task == "find":
        return pipeline.find(told, ask.question, session, model)
    # The same file may lie in several folders: where it lies is told beside the result.
    return replace(told.timeline, video=replace(told.timeline.video, path=None))


def work(job: Job, settings: Settings) -> tuple[Result, ...]:
    """All lines of one job, one after another, in a session of their own."""
    with Session.open(settings) as session:
        seen = look(job, session)
        task, models = identity(job.task, settings), named(job.task, settings)
        keys = [ask_key(seen, job.task, ask, task) for ask in job.asks]
        pairs = list(zip(job.asks, keys, strict=True))
        if seen.failure:
            return tuple(result_line(job, a, seen, k, models, seen.failure) for a, k in pairs)
        first = attempt(lambda: describe(job, session))
        if isinstance(first, Failure):
            return tuple(result_line(job, a, seen, k, models, first) for a, k in pairs)
        told = described(job, session)
        with _model(job.task, session) as model:
            done = [attempt(lambda a=a: answer(job, a, told, session, model)) for a in job.asks]
    lines = [result_line(job, a, seen, k, models, d) for (a, k), d in zip(pairs, done, strict=True)]
    return tuple(with_language(one, first, not at) for at, one in enumerate(lines))


def attempt(step: Any) -> Any:
    """The step's record, or its Failure: nothing that a video does may stop the others."""
    try:
        return step()
    except (LimitReached, UsageError) as error:
        return told_failure(error, stops=True)
    except Exception as error:  # noqa: BLE001 - the line tells it, type and all
        return told_failure(error)


def with_language(one: Result, told: Told, first: bool) -> Result:
    """The line with its video's notes; the first line carries what the language stage took."""
    if not first:
        return replace(one, notes=told.notes)
    spent = added(one.usage, told.usage)
    return replace(one, notes=told.notes, usage=spent, seconds=one.seconds + told.seconds)


def identity(task: Task, settings: Settings) -> dict[str, Any]:
    """All that a task's result depends on besides the timeline; asks models for fingerprints."""
    sections, names = _depends(task, settings)
    found: dict[str, Any] = {
        name: getattr(settings, name).model_dump(mode="json") for name in sections
    }
    if "reasoning" in found and task != "ask":
        # Other tasks take no more of it than how a model is asked.
        how = {"temperature", "seed"}
        found["reasoning"] = settings.reasoning.model_dump(mode="json", include=how)
    found["prompts"] = {name: prompts.load(name).sha for name in names}
    if talks(task, settings):
        found["llm"] = backends.fingerprint("llm", settings.models.llm, settings)
    if task == "ask" and _sees(settings):
        found["vision"] = backends.fingerprint("vision", settings.models.vision, settings)
    if task != "timeline":
        found["embed"] = backends.fingerprint("embed", settings.models.embed, settings)
    return found


def _depends(task: Task, settings: Settings) -> tuple[tuple[str, ...], list[str]]:
    """Settings sections and prompts that a task uses."""
    every = prompts.names()
    chapter = [name for name in every if name.startswith("chapter_")]
    if task == "ask":
        names = [name for name in every if name.startswith("answer_")]
        names += ["notes"] if settings.reduction.method == "segments" else []
        if not _sees(settings):
            return ("reasoning", "reduction", "notes"), names
        names += [name for name in every if name.startswith("caption_")]
        return ("reasoning", "reduction", "notes", "zoom", "captions"), names
    if task == "chapters":
        return ("chapters", "reasoning"), chapter
    if task == "summarize":
        summary = [name for name in every if name.startswith("summary_")]
        parts = chapter if settings.summary.style in ("detailed", "minutes") else []
        return ("summary", "chapters", "reasoning"), summary + parts
    if task == "find" and settings.reading.find:
        return ("moments", "reading", "reasoning"), [
            name for name in every if name.startswith("place_")
        ]
    return (("moments",) if task == "find" else ()), []


def _sees(settings: Settings) -> bool:
    """Whether an answer in doubt is looked into closer."""
    return settings.models.vision not in ("embedded", "none")


def named(task: Task, settings: Settings) -> dict[str, str]:
    """The models that a line names, by role; `auto` of speech where there are no subtitles."""
    models = settings.models
    roles: dict[backends.Role, str] = {
        "speech": models.speech,
        "vision": models.vision,
        "reader": models.reader,
    }
    if talks(task, settings):
        roles["llm"] = models.llm
    if task != "timeline":
        roles["embed"] = models.embed
    return {role: backends.resolve(role, spec, settings).spec for role, spec in roles.items()}


def resolved(settings: Settings) -> Settings:
    """The same settings with `auto` replaced by what it stands for, so that all workers agree.

    Raises UsageError for a provider that nobody knows.
    """
    models = settings.models
    found = {"llm": backends.resolve("llm", models.llm, settings).spec}
    found["vision"] = backends.resolve("vision", models.vision, settings).spec
    # `auto` means more than a model in these: subtitles first, and words alone without weights.
    for role in ("speech", "reader", "embed"):
        backends.resolve(role, getattr(models, role), settings)
    return settings.model_copy(update={"models": models.model_copy(update=found)})


def _source(job: Job) -> Source:
    return Source(intake.place(job.video))


@contextmanager
def _held(source: Source, session: Session) -> Iterator[intake.Input | None]:
    """A remote video, fetched once for all that looking at it takes; None for a file."""
    if not isinstance(source.video, str):
        yield None
        return
    with intake.taken(source.video, session) as found:
        yield found


def _content(source: Source, held: intake.Input | None, session: Session) -> str:
    """The content id, also of a file that is no video; raises InputError when it is unreadable."""
    if held:
        return held.video.id
    path = Path(str(source.video))
    try:
        return intake.identify(path, session.store).id
    except InputError:
        # Not Path.is_file, which raises where a folder above may not be entered.
        if os.path.isfile(path):
            return content_id(path)
        raise


@contextmanager
def _model(task: Task, session: Session) -> Iterator[TextModel | None]:
    if not talks(task, session.settings):
        yield None
        return
    with closing(pipeline.open_text_model(session)) as model:
        yield model
