"""START HERE: the stages in order.

    video file ─ scenes ─ clips ─ captions ─┐
               ├─ screen text ──────────────┼─ timeline ─ reduction ─ reasoning ─ answer
               ├─ sound or subtitles: speech┘             (question, budget)
               └─ vectors, if an embedder sees: for scenes, captions, reduction and search

`describe(source) -> Timeline` is the language stage, done once per video; `ask` is the reasoning
stage, done per question. This is the one place where stages meet backends, cache and media.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import embeddings, graph, intake, timeline
from .captioning import Captioner
from .errors import UsageError
from .hints import Hinter
from .language import language_stages, unused
from .metering import guarded, reached
from .overview import Given, chapter_stage, foreseen, summary_stages, untitled
from .places import cut_out, events, expected_reading, find, highlights
from .records import Answer, Chapter, Context, Line, Summary, Video
from .session import Answered, Described, Session, Source, open_text_model
from .settings import Settings

if TYPE_CHECKING:
    from .media.decode import Projector
    from .protocols import Embedder, TextModel

__all__ = [
    "Answered",
    "Described",
    "Given",
    "Session",
    "Source",
    "ask",
    "chapters",
    "cut_out",
    "describe",
    "events",
    "expected_answer",
    "expected_reading",
    "find",
    "highlights",
    "open_embedder",
    "open_text_model",
    "plan",
    "replayed",
    "summarize",
    "survey",
]

# What the prompt around the timeline needs at most, question and options included.
PROMPT_TOKENS = 512
# A reply that is checked or cannot be used is followed by one more call.
CALLS_A_QUESTION = 2


def describe(source: Source, session: Session, *then: object) -> Described:
    """The language stage: everything that is said, shown and read, as one timeline.

    `then` are the models that are asked afterwards: that one cannot be is told before the work
    begins.

    Raises InputError when nothing can be read, ModelError when a model is missing or fails.
    """
    if source.video is None:
        return _own_text(source, session)
    with intake.taken(source.video, session) as found, _projector(found, session) as projector:
        video = found.video
        stages = language_stages(source, video, projector, session)

        def ahead() -> None:
            for model in then:
                reached(model, session.meter)

        outcome = graph.run(stages, video.id, session.store, session.progress, ahead)
    lines, beyond = _inside(video, outcome.outputs)
    missing = (*_missing(video, outcome.outputs), *unused(source, session))
    notes = (*video.warnings, *missing, *beyond, *outcome.notes)
    for note in notes:
        session.tell(note)
    told, vectors = timeline.build(video, _chapters(video), *lines), outcome.outputs.get("vectors")
    cuts = tuple(scene.start for scene in outcome.outputs.get("scenes", ()) if scene.start > 0)
    return Described(told, notes, outcome.ran, vectors, cuts, place=source.video)


def ask(
    described: Described,
    question: str,
    choices: tuple[str, ...],
    session: Session,
    model: TextModel | None = None,
) -> Answered:
    """The reasoning stage: reduce the timeline to what the model reads well, then reason over it.

    Opens the model that the settings name, and closes it, unless an open one is given.

    Raises ModelError when the model is missing, fails or gives no usable reply.
    """
    if model is None:
        with closing(open_text_model(session)) as opened:
            return ask(described, question, choices, session, opened)
    from .stages import reasoning, reduction

    settings, video = session.settings, described.timeline.video
    method, room = settings.reduction.method, _room(model, settings)
    model = guarded(model, session.meter, video.id, "reasoning")
    with Captioner(described, session) as captioner:
        budget = reduction.Budget(room, model.count, captioner.coarser)
        if method == "segments":
            from .stages import notes

            context = notes.read_in_turn(described.timeline, question, room, model, settings.notes)
        if method != "segments" or not context.lines:
            # Where no notes were taken, the lines that have to do with the question are read.
            told, method = described.timeline, "focus" if method == "segments" else method
            if method == "paper":
                told = reduction.finest((told, *described.coarser), budget)
            hinter = Hinter(described, question, choices, session, model)
            context = reduction.reduce(told, question, choices, budget, method, hinter)
            context = replace(context, support=hinter.support(), meant=hinter.meant(context))

        def read(shown: Context) -> Answer:
            style = settings.reasoning
            return reasoning.answer(shown, question, choices, model, style, session.on_text)

        answer, context = captioner.settle(read(context), context, budget, read)
    answered = Answered(uuid.uuid4().hex[:12], answer, context, video)
    session.store.add_answer(answered.id, video.id, answered.record())
    return answered


def chapters(
    described: Described,
    session: Session,
    given: Given | None = None,
    model: TextModel | None = None,
) -> tuple[Chapter, ...]:
    """The video's parts with their titles, from 0 to its end; made once, then from the cache.

    Raises UsageError for a time outside the video, ModelError when the model is missing or fails.
    """
    if model is None:
        with closing(open_text_model(session)) as opened:
            return chapters(described, session, given, opened)
    stage = chapter_stage(described, given or Given(), model, session)
    found: tuple[Chapter, ...] = _finished((stage,), described, session)
    return found


def summarize(described: Described, session: Session, model: TextModel | None = None) -> Summary:
    """The video told in short, in the style that the settings name; made once for each style.

    Raises ModelError when the model is missing or fails.
    """
    if model is None:
        with closing(open_text_model(session)) as opened:
            return summarize(described, session, opened)
    by_chapters = session.settings.summary.style in ("detailed", "minutes")
    parts = (
        chapters(described, session, model=model) if by_chapters else untitled(described, session)
    )
    stages = summary_stages(described, parts, model, session)
    found: Summary = _finished(stages, described, session)
    return found


def _finished(stages: tuple[graph.Stage, ...], described: Described, session: Session) -> Any:
    """The last stage's result."""
    root = described.timeline.video.id
    outcome = graph.run(stages, root, session.store, session.progress)
    for note in outcome.notes:
        session.tell(note)
    return outcome.outputs[stages[-1].name]


def open_embedder(session: Session) -> Embedder | None:
    """The embedder that the settings name, if they do."""
    return embeddings.named(session.settings, session.progress)


def _room(model: TextModel, settings: Settings) -> int:
    """Tokens of timeline: what the user says, else what the model reads well and has room for."""
    room = model.context_length - settings.reasoning.max_tokens - PROMPT_TOKENS
    wanted = settings.reduction.budget or model.reading_budget or room
    if wanted > room:
        raise UsageError(
            f"a budget of {wanted} tokens does not fit {model.name}, which has room for {room}",
            "lower --budget",
        )
    return wanted


def replayed(beginning: str, session: Session) -> Answered:
    """The answer whose id begins so, as it was given; raises UsageError when there is none."""
    from pydantic import TypeAdapter

    return TypeAdapter(Answered).validate_python(session.store.answer(beginning))


def plan(source: Source, session: Session, task: str = "ask") -> tuple[graph.StageState, ...]:
    """Each stage's state before anything is spent, and what the task would cost at most.

    `task` is ask (one question), chapters or summarize.
    """
    states = survey(source, session)
    if task == "ask" or source.video is None:
        return (*states, expected_answer(session))
    with intake.taken(source.video, session) as taken:
        duration = taken.video.duration
    # What is known already is read from the cache: it costs nothing.
    known = all(state.state == "cached" for state in states)
    described = describe(source, session) if known else None
    with closing(open_text_model(session)) as model:
        return (*states, *foreseen(task, described, duration, model, session))


def expected_answer(session: Session) -> graph.StageState:
    """What one question costs at most."""
    with closing(open_text_model(session)) as model:
        settings = session.settings
        tokens = _room(model, settings) + PROMPT_TOKENS
        calls = CALLS_A_QUESTION * settings.reasoning.vote
        tokens_out = calls * settings.reasoning.max_tokens
        expected = session.meter.expected(model.name, calls, calls * tokens, tokens_out)
        return graph.StageState(
            "reasoning", "", "to run", model=model.fingerprint(), expected=expected
        )


def survey(source: Source, session: Session) -> tuple[graph.StageState, ...]:
    """Key and state of each stage that makes the timeline; runs nothing."""
    if source.video is None:
        raise UsageError("a plan needs a video", "silvr plan VIDEO")
    with intake.taken(source.video, session) as found, _projector(found, session) as projector:
        stages = language_stages(source, found.video, projector, session)
        return graph.plan(stages, found.video.id, session.store)


def _own_text(source: Source, session: Session) -> Described:
    from .media.own_text import read_own_text

    video, lines = read_own_text(source.captions, source.subtitles, source.clip_length)
    session.store.remember_video(None, video)
    for note in video.warnings:
        session.tell(note)
    return Described(timeline.build(video, lines))


def _projector(found: intake.Input, session: Session) -> Projector:
    from .media.decode import Projector

    # Whoever transcribes asks for the sound; subtitles need none.
    return Projector(
        found.video,
        session.settings.media,
        sound=False,
        turn=session.turn,
        original=found.original,
    )


def _chapters(video: Video) -> tuple[Line, ...]:
    """The chapters that the file itself names, as lines that answers can rest on."""
    return tuple(
        Line(c.start, c.end, "summary", f'chapter "{c.title}"', None, "container")
        for c in video.chapters
        if c.title.strip()
    )


def _inside(video: Video, outputs: Mapping[str, Any]) -> tuple[list[tuple[Line, ...]], list[str]]:
    """What is told of the video, and that text goes on when it is over: it may be another one's."""
    found, notes = [], []
    for name in ("speech", "screen_text", "captions"):
        had = outputs.get(name, ())
        # What stands on the screen is the video's own, whatever its file says of its length.
        found.append(had if name == "screen_text" else timeline.within(had, video.duration))
        late = len(had) - len(found[-1])
        if late:
            end = timeline.clock(video.duration)
            told = f"{late} of {len(had)} lines begin after the video's end at {end}"
            notes.append(f"{name}: {told} and are left out (are they of another video?)")
    return found, notes


def _missing(video: Video, outputs: Mapping[str, Any]) -> tuple[str, ...]:
    notes = []
    if not video.picture:
        notes.append("no picture: the answer can rest only on what is said")
    if not video.audio and "speech" not in outputs:
        notes.append("no speech track: the answer can rest only on what is shown")
    return tuple(notes)
