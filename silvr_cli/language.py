"""Which stages a video needs, and what each of them eats: the language stage as a graph.

Reads as the left half of the picture in `pipeline`; runs nothing itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import backends, graph
from .errors import InputError
from .legible import legible
from .metering import guarded, guarded_speech, reached
from .records import Clip, FrameVectors, Line, Scene, Usage, Video
from .session import Session, Source

if TYPE_CHECKING:
    from .media.decode import Projector
    from .media.original import Original
    from .protocols import Work

# Where models.speech is one of these, subtitles are read before anybody listens.
SUBTITLED = ("auto", "subtitles", "fake")
# Neighbouring stretches of speech are joined up to 30 seconds: two are longer than this together.
SPEECH_WINDOW = 15.0
# What a clip's prompt and one of its pictures come to, in tokens, for most providers.
CLIP_PROMPT_TOKENS, FRAME_TOKENS = 350, 800


def language_stages(
    source: Source, video: Video, projector: Projector, session: Session
) -> tuple[graph.Stage, ...]:
    """The stages that this video needs, in order; those that have nothing to eat are left out."""
    speech = _speech(source, video, projector, session)
    if not video.picture:
        return (speech,) if speech else ()
    vectors = _vectors(video, projector, session)
    near = ("speech",) if speech and session.settings.captions.with_speech else ()
    seen = ("vectors",) if vectors else ()
    stages = (
        vectors,
        _scenes(video, projector, session, seen),
        _clips(video, session),
        _captions(source, video, projector, session, (*near, *seen)),
        _screen_text(video, projector, session),
        speech,
    )
    return tuple(stage for stage in stages if stage)


def _vectors(video: Video, projector: Projector, session: Session) -> graph.Stage | None:
    """The frames as vectors, when models.embed names a model that sees."""
    settings, spec = session.settings, session.settings.models.embed
    model = backends.image_embedder(spec, settings, session.progress)
    if model is None:
        return None

    def run(inputs: Mapping[str, Any], work: Work) -> FrameVectors:
        from .stages.vectors import embed_frames

        frames = projector.footage(work.report).frames
        with closing(model):
            return embed_frames(frames, model, settings.vectors, work)

    identity = _identity(media=settings.media, model=model.fingerprint())
    frames = math.ceil(video.duration * settings.media.frames_per_second)
    batches = math.ceil(min(frames, settings.media.max_frames) / settings.vectors.batch)
    return graph.Stage("vectors", 1, (), identity, FrameVectors, run, Usage(calls=batches))


def _scenes(
    video: Video, projector: Projector, session: Session, seen: tuple[str, ...]
) -> graph.Stage:
    settings = session.settings

    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Scene, ...]:
        from .stages.scenes import find_scenes

        footage = projector.footage(work.report)
        for warning in footage.warnings:
            work.note(warning)
        vectors = inputs["vectors"] if needs else None
        return find_scenes(footage.thumbs, video.duration, settings.scenes, vectors)

    identity = _identity(scenes=settings.scenes, media=settings.media)
    needs = seen if settings.scenes.method == "tile" else ()
    return graph.Stage("scenes", 1, needs, identity, tuple[Scene, ...], run)


def _clips(video: Video, session: Session) -> graph.Stage:
    ladder = session.settings.clips.ladder

    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Clip, ...]:
        from .stages.clips import cut_clips

        return cut_clips(video.duration, inputs["scenes"], min(ladder))

    identity = _identity(clips=session.settings.clips)
    return graph.Stage("clips", 1, ("scenes",), identity, tuple[Clip, ...], run)


def _captions(
    source: Source, video: Video, projector: Projector, session: Session, beside: tuple[str, ...]
) -> graph.Stage | None:
    """`beside` names the stages that help a model that sees."""
    settings = session.settings
    if source.captions:
        return _own_captions(source.captions, source.clip_length)
    choice = backends.resolve("vision", settings.models.vision, settings)
    if choice.spec == "none":
        return None
    if choice.spec != "embedded":
        return _clip_captions(choice, video, projector, session, beside)

    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Line, ...]:
        from .stages.captions import tell_changes

        thumbs = projector.footage(work.report).thumbs
        return tell_changes(inputs["clips"], inputs["scenes"], thumbs, settings.captions)

    identity = _identity(captions=settings.captions, model=choice.spec)
    return graph.Stage("captions", 3, ("scenes", "clips"), identity, tuple[Line, ...], run)


def _clip_captions(
    choice: backends.Choice,
    video: Video,
    projector: Projector,
    session: Session,
    beside: tuple[str, ...],
) -> graph.Stage:
    from . import prompts

    settings = session.settings
    if choice.reason:
        session.tell(f"vision: {choice.spec} ({choice.reason})")

    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Line, ...]:
        from .stages.clip_captions import caption_clips

        # What other stages have finished by chance is not looked at.
        footage = replace(
            projector.footage(work.report),
            vectors=inputs["vectors"] if "vectors" in beside else None,
        )
        speech = inputs["speech"] if "speech" in beside else ()
        with closing(backends.vision_model(choice.spec, settings, session.progress)) as model:
            seer = guarded(model, session.meter, video.id, "captions")
            return caption_clips(inputs["clips"], footage, speech, seer, settings.captions, work)

    identity = _identity(
        # The words of a vocabulary are in its model's fingerprint: its path says nothing.
        captions=settings.captions.model_copy(update={"vocabulary": None}),
        prompt=prompts.load("caption_clip").sha,
        model=backends.fingerprint("vision", choice.spec, settings),
    )
    calls = math.ceil(video.duration / min(settings.clips.ladder))
    tokens = calls * (CLIP_PROMPT_TOKENS + settings.captions.frames * FRAME_TOKENS)
    expected = session.meter.expected(
        choice.spec, calls, tokens, calls * settings.captions.max_tokens
    )

    def reach() -> None:
        with closing(backends.vision_model(choice.spec, settings)) as model:
            reached(model, session.meter)

    needs = ("clips", *beside)
    return graph.Stage("captions", 1, needs, identity, tuple[Line, ...], run, expected, reach)


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
    frames = math.ceil(video.duration * settings.media.frames_per_second)
    expected = Usage(calls=min(frames, settings.media.max_frames))
    return graph.Stage("screen_text", 1, (), identity, tuple[Line, ...], run, expected)


def _speech(
    source: Source, video: Video, projector: Projector, session: Session
) -> graph.Stage | None:
    """Subtitles as they are when there are any, else a transcript; None when nobody is heard."""
    wanted = session.settings.models.speech
    if wanted == "none" and not source.subtitles:
        return None
    if wanted in SUBTITLED or source.subtitles:
        path = source.subtitles or (None if unused(source, session) else _sidecar(source, session))
        if path:
            return _subtitle_file(path)
        if video.subtitles:
            return _subtitle_track(projector.original, session)
        if wanted == "subtitles":
            raise InputError(
                f"{video.name} has no subtitles beside it or inside it",
                "give --subtitles FILE, or --speech auto to transcribe",
            )
    return _transcript(video, projector, session) if video.audio else None


def _sidecar(source: Source, session: Session) -> Path | None:
    """The subtitles beside the video, where these would be read."""
    from .media import subtitles

    settings = session.settings
    if source.subtitles or settings.models.speech not in SUBTITLED:
        return None
    if not isinstance(source.video, Path):
        return None
    return subtitles.find_sidecar(source.video, settings.speech.language)


def unused(source: Source, session: Session) -> tuple[str, ...]:
    """That the subtitles beside the video are not read, for they hold no text."""
    from .media import subtitles

    path = _sidecar(source, session)
    if path and subtitles.silent(path):
        return (f"speech: {legible(path.name)} beside the video holds no text and is not used",)
    return ()


def _subtitle_file(path: Path) -> graph.Stage:
    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Line, ...]:
        from .media.marks import unmarked
        from .media.subtitles import read_subtitles, worded

        work.note(f"speech: from {legible(path.name)}")
        # A file that silvr wrote itself holds more than speech.
        lines = unmarked(worded(read_subtitles(path, work.note), path), "speech")
        _same(path, content)
        return tuple(line for line in lines if line.kind == "speech")

    from .media.probe import content_id

    content = content_id(path)
    identity = {"file": content, "name": legible(path.name)}
    return graph.Stage("speech", 3, (), identity, tuple[Line, ...], run)


def _subtitle_track(original: Original, session: Session) -> graph.Stage:
    settings = session.settings.speech

    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Line, ...]:
        from .media.subtitles import read_embedded

        lines = read_embedded(original.path(), settings.subtitle_track, settings.language)
        original.check()
        work.note(f"speech: from the video's own {lines[0].source}" if lines else "empty subtitles")
        return lines

    identity = _identity(speech=settings, origin="embedded")
    return graph.Stage("speech", 2, (), identity, tuple[Line, ...], run)


def _transcript(video: Video, projector: Projector, session: Session) -> graph.Stage:
    settings = session.settings
    projector.sound = True
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
        heard = guarded_speech(model, session.meter, video.id)
        return transcribe(footage.sound, heard, settings.speech, work)

    identity = _identity(
        speech=settings.speech,
        audio_track=settings.media.audio_track,
        model=backends.fingerprint("speech", choice.spec, settings),
    )
    calls = math.ceil(video.duration / SPEECH_WINDOW)
    expected = session.meter.expected(choice.spec, calls, minutes=video.duration / 60)

    def reach() -> None:
        reached(backends.speech_model(choice.spec, settings), session.meter)

    return graph.Stage("speech", 2, (), identity, tuple[Line, ...], run, expected, reach)


def _own_captions(path: Path, clip_length: float | None) -> graph.Stage:
    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Line, ...]:
        from .media.own_text import read_captions
        from .media.subtitles import worded

        lines = worded(read_captions(path, clip_length, work.note), path)
        _same(path, content)
        return lines

    from .media.probe import content_id

    content = content_id(path)
    identity = {"file": content, "name": legible(path.name), "clip_length": clip_length}
    return graph.Stage("captions", 3, (), identity, tuple[Line, ...], run)


def _same(path: Path, content: str) -> None:
    """Raise InputError when a file of the user's has changed since its key was made."""
    from .media.probe import content_id

    if content_id(path) != content:
        raise InputError(f"{path.name} changed while it was read", "run again")


def _identity(**parts: Any) -> dict[str, Any]:
    """Everything that changes a stage's answer, as JSON; settings sections become dicts."""
    return {
        name: part.model_dump(mode="json") if hasattr(part, "model_dump") else part
        for name, part in parts.items()
    }
