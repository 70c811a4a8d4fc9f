"""START HERE: the stages in order.

    video file ─ scenes ─ clips ─ captions ─┐
               ├─ screen text ──────────────┼─ timeline ─ reduction ─ reasoning ─ answer
               └─ sound or subtitles: speech┘             (question, budget)

`describe(source) -> Timeline` is the language stage, done once per video; `ask` is the reasoning
stage, done per question. This is the one place where stages meet backends, cache and media.
"""

from __future__ import annotations

import uuid
from contextlib import closing
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import backends, graph, timeline
from .cache.store import Store
from .errors import InputError, UsageError
from .records import Answer, Clip, Context, Line, Scene, Timeline, Video
from .settings import Settings, cache_path

if TYPE_CHECKING:
    from types import TracebackType

    from .media.decode import Projector
    from .protocols import Progress, TextModel, Work

Tell = Callable[[str], None]
# What the prompt around the timeline needs at most, question and options included.
PROMPT_TOKENS = 512


@dataclass(frozen=True, slots=True)
class Source:
    """What the user brought: a video file, their own captions or subtitles, or both.

    `clip_length` is the seconds that one line of a plain caption file stands for.
    """

    video: Path | None = None
    captions: Path | None = None
    subtitles: Path | None = None
    clip_length: float | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """A timeline, what the user should know about it, and the stages that had to run."""

    timeline: Timeline
    notes: tuple[str, ...] = ()
    ran: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, the id of its stored record, and the exact text that was read."""

    id: str
    answer: Answer
    context: Context
    video: Video

    def record(self) -> dict[str, Any]:
        """Everything that `replayed` needs to give it back, as JSON."""
        from pydantic_core import to_jsonable_python

        return dict(to_jsonable_python(asdict(self)))


@dataclass(frozen=True, slots=True)
class Session:
    """Settings, an open cache, and whom to tell: what every command needs to run the pipeline."""

    settings: Settings
    store: Store
    progress: Progress | None = None
    tell: Tell = field(default=lambda message: None)
    on_text: Tell | None = None

    @classmethod
    def open(
        cls, settings: Settings, progress: Progress | None = None, tell: Tell | None = None
    ) -> Session:
        """Open the cache that the settings name; raises CacheError."""
        store = Store.open(cache_path(settings))
        return cls(settings, store, progress, tell or (lambda message: None))

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.store.close()


def describe(source: Source, session: Session) -> Described:
    """The language stage: everything that is said, shown and read, as one timeline.

    Raises InputError when nothing can be read, ModelError when a model is missing or fails.
    """
    if source.video is None:
        return _own_text(source, session)
    video = identify(source.video, session.store)
    with _projector(video, session) as projector:
        stages = language_stages(source, video, projector, session)
        outcome = graph.run(stages, video.id, session.store, session.progress)
    lines = [
        outcome.outputs[name]
        for name in ("speech", "screen_text", "captions")
        if name in outcome.outputs
    ]
    notes = (*video.warnings, *_missing(video, outcome.outputs), *outcome.notes)
    for note in notes:
        session.tell(note)
    return Described(timeline.build(video, *lines), notes, outcome.ran)


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
    budget = reduction.Budget(_room(model, settings), model.count)
    query = " ".join((question, *choices))
    context = reduction.reduce(described.timeline, query, budget, settings.reduction.method)
    answer = reasoning.answer(
        context, question, choices, model, settings.reasoning, session.on_text
    )
    answered = Answered(uuid.uuid4().hex[:12], answer, context, video)
    session.store.add_call(video.id, "reasoning", answer.model, answer.usage)
    session.store.add_answer(answered.id, video.id, answered.record())
    return answered


def open_text_model(session: Session) -> TextModel:
    """The model that the settings name for answering; the user is told what `auto` chose."""
    settings = session.settings
    choice = backends.resolve("llm", settings.models.llm, settings)
    if choice.reason:
        session.tell(f"llm: {choice.spec} ({choice.reason})")
    return backends.text_model(choice.spec, settings, session.progress)


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


def plan(source: Source, session: Session) -> tuple[graph.StageState, ...]:
    """Each stage's state before anything is spent."""
    if source.video is None:
        raise UsageError("a plan needs a video", "silvr plan VIDEO")
    video = identify(source.video, session.store)
    with _projector(video, session) as projector:
        stages = language_stages(source, video, projector, session)
        return graph.plan(stages, video.id, session.store)


def identify(path: Path, store: Store) -> Video:
    """Probe a file, or remember it by path, size and time; raises InputError."""
    from .media.probe import content_id, probe

    known = store.video_id(path)
    remembered = store.video(known) if known else None
    if remembered is None:
        remembered = probe(path, known or content_id(path))
    video = replace(remembered, name=path.name, path=str(path))
    if not known:
        store.remember_video(path, video)
    return video


def language_stages(
    source: Source, video: Video, projector: Projector, session: Session
) -> tuple[graph.Stage, ...]:
    """The stages that this video needs, in order; those that have nothing to eat are left out."""
    picture = (
        (
            _scenes(video, projector, session),
            _clips(video, session),
            _captions(source, projector, session),
            _screen_text(video, projector, session),
        )
        if video.picture
        else ()
    )
    return tuple(stage for stage in (*picture, _speech(source, video, projector, session)) if stage)


def _scenes(video: Video, projector: Projector, session: Session) -> graph.Stage:
    settings = session.settings

    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Scene, ...]:
        from .stages.scenes import find_scenes

        footage = projector.footage(work.report)
        for warning in footage.warnings:
            work.note(warning)
        return find_scenes(footage.thumbs, video.duration, settings.scenes)

    identity = _identity(scenes=settings.scenes, media=settings.media)
    return graph.Stage("scenes", 1, (), identity, tuple[Scene, ...], run)


def _clips(video: Video, session: Session) -> graph.Stage:
    ladder = session.settings.clips.ladder

    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Clip, ...]:
        from .stages.clips import cut_clips

        return cut_clips(video.duration, inputs["scenes"], min(ladder))

    identity = _identity(clips=session.settings.clips)
    return graph.Stage("clips", 1, ("scenes",), identity, tuple[Clip, ...], run)


def _captions(source: Source, projector: Projector, session: Session) -> graph.Stage | None:
    settings = session.settings
    if source.captions:
        return _own_captions(source.captions, source.clip_length)
    if settings.models.vision == "none":
        return None

    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Line, ...]:
        from .stages.captions import tell_changes

        thumbs = projector.footage(work.report).thumbs
        return tell_changes(inputs["clips"], inputs["scenes"], thumbs, settings.captions)

    choice = backends.resolve("vision", settings.models.vision, settings)
    identity = _identity(captions=settings.captions, model=choice.spec)
    return graph.Stage("captions", 1, ("scenes", "clips"), identity, tuple[Line, ...], run)


def _screen_text(video: Video, projector: Projector, session: Session) -> graph.Stage | None:
    settings = session.settings
    if settings.models.reader == "none":
        return None

    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Line, ...]:
        from .stages.screen_text import read_screen

        frames = projector.footage(work.report).frames
        reader = backends.text_reader(settings.models.reader, settings, session.progress)
        return read_screen(frames, video.duration, reader, settings.screen_text, work)

    identity = _identity(
        screen_text=settings.screen_text,
        media=settings.media,
        model=backends.fingerprint("reader", settings.models.reader, settings),
    )
    return graph.Stage("screen_text", 1, (), identity, tuple[Line, ...], run)


def _speech(
    source: Source, video: Video, projector: Projector, session: Session
) -> graph.Stage | None:
    """Subtitles as they are when there are any, else a transcript; None when nobody is heard."""
    from .media import subtitles

    settings, wanted = session.settings, session.settings.models.speech
    if wanted == "none" and not source.subtitles:
        return None
    if wanted in ("auto", "subtitles") or source.subtitles:
        path = source.subtitles or subtitles.find_sidecar(
            Path(str(video.path)), settings.speech.language
        )
        if path:
            return _subtitle_file(path)
        if video.subtitles:
            return _subtitle_track(video, session)
        if wanted == "subtitles":
            raise InputError(
                f"{video.name} has no subtitles beside it or inside it",
                "give --subtitles FILE, or --speech auto to transcribe",
            )
    return _transcript(video, projector, session) if video.audio else None


def _subtitle_file(path: Path) -> graph.Stage:
    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Line, ...]:
        from .media.subtitles import read_subtitles

        work.note(f"speech: from {path.name}")
        return read_subtitles(path)

    from .media.probe import content_id

    identity = {"file": content_id(path), "name": path.name}
    return graph.Stage("speech", 1, (), identity, tuple[Line, ...], run)


def _subtitle_track(video: Video, session: Session) -> graph.Stage:
    settings = session.settings.speech

    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Line, ...]:
        from .media.subtitles import read_embedded

        lines = read_embedded(Path(str(video.path)), settings.subtitle_track, settings.language)
        work.note(f"speech: from the video's own {lines[0].source}" if lines else "empty subtitles")
        return lines

    identity = _identity(speech=settings, origin="embedded")
    return graph.Stage("speech", 1, (), identity, tuple[Line, ...], run)


def _transcript(video: Video, projector: Projector, session: Session) -> graph.Stage:
    settings = session.settings
    choice = backends.resolve("speech", settings.models.speech, settings)

    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Line, ...]:
        from .stages.speech import transcribe

        footage = projector.footage(work.report)
        if not video.picture:
            for warning in footage.warnings:
                work.note(warning)
        if footage.sound is None:
            work.note("the sound could not be decoded")
            return ()
        model = backends.speech_model(choice.spec, settings, session.progress)
        return transcribe(footage.sound, model, settings.speech, work)

    identity = _identity(
        speech=settings.speech,
        audio_track=settings.media.audio_track,
        model=backends.fingerprint("speech", choice.spec, settings),
    )
    return graph.Stage("speech", 1, (), identity, tuple[Line, ...], run)


def _own_captions(path: Path, clip_length: float | None) -> graph.Stage:
    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Line, ...]:
        from .media.own_text import read_captions

        return read_captions(path, clip_length)

    from .media.probe import content_id

    identity = {"file": content_id(path), "name": path.name, "clip_length": clip_length}
    return graph.Stage("captions", 1, (), identity, tuple[Line, ...], run)


def _own_text(source: Source, session: Session) -> Described:
    from .media.own_text import read_own_text

    video, lines = read_own_text(source.captions, source.subtitles, source.clip_length)
    session.store.remember_video(None, video)
    return Described(timeline.build(video, lines))


def _projector(video: Video, session: Session) -> Projector:
    from .media.decode import Projector

    return Projector(video, session.settings.media)


def _identity(**parts: Any) -> dict[str, Any]:
    """Everything that changes a stage's answer, as JSON; settings sections become dicts."""
    return {
        name: part.model_dump(mode="json") if hasattr(part, "model_dump") else part
        for name, part in parts.items()
    }


def _missing(video: Video, outputs: Mapping[str, Any]) -> tuple[str, ...]:
    notes = []
    if not video.picture:
        notes.append("no picture: the answer can rest only on what is said")
    if not video.audio and "speech" not in outputs:
        notes.append("no speech track: the answer can rest only on what is shown")
    return tuple(notes)
