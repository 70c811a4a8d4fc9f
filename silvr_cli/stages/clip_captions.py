"""Clips -> captions by a model that sees: what is there and what changes, with the time it holds.

Knows the VisionModel protocol, no model. A clip's caption is a piece; clips whose picture stands
still are captioned once, and frames that show the same as the one before are not sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .. import prompts, replies
from ..errors import ModelError, Refused, ReplyError
from ..inflight import in_flight
from ..likeness import Likeness
from ..protocols import Request
from ..records import Clip, Line
from ..timeline import clock, window

if TYPE_CHECKING:
    from ..media.footage import Footage, Frame
    from ..protocols import VisionModel, Work
    from ..settings import Captions

PROMPT, INSTRUCTED = "caption_clip", "caption_question"
# Speech this many seconds around a clip tells what it is about.
NEAR_SECONDS = 4.0
# No more of it than this: a caption is about the picture.
SPEECH_CHARACTERS = 600


@dataclass(frozen=True, slots=True)
class _Shot:
    """Clips that look the same, to be captioned by the first, from these frames of it."""

    clips: tuple[Clip, ...]
    frames: tuple[Frame, ...]

    @property
    def clip(self) -> Clip:
        return self.clips[0]


def caption_clips(
    clips: Sequence[Clip],
    footage: Footage,
    speech: Sequence[Line],
    model: VisionModel,
    settings: Captions,
    work: Work,
    question: str | None = None,
) -> tuple[Line, ...]:
    """One line of kind caption for each clip, or for each run of clips that look the same.

    With a `question`, captions are asked to look for its answer (zoom). Clips that the model
    refused are tried to the end of the others; then ModelError says how many are missing, and a
    next run asks only for those.
    """
    shots = _shots(clips, footage, settings)
    refused: list[_Refusal] = []
    captions: dict[float, str] = {}

    def caption(shot: _Shot) -> str | _Refusal:
        try:
            return _caption(shot, speech, model, settings, work, question)
        except (Refused, ReplyError) as error:
            return _Refusal(error)

    for done, (shot, said) in enumerate(in_flight(caption, shots, model.slots), 1):
        work.report(done, len(shots))
        if isinstance(said, _Refusal):
            refused.append(said)
        else:
            captions[shot.clip.start] = said
    if refused:
        raise ModelError(
            f"{len(refused)} of {len(shots)} clips were not captioned: {refused[0].error.message}",
            "run it again: finished captions are kept",
        )
    return tuple(
        Line(
            s.clip.start,
            s.clips[-1].end,
            "caption",
            captions[s.clip.start],
            s.clip.level,
            model.name,
        )
        for s in shots
    )


@dataclass(frozen=True, slots=True)
class _Refusal:
    error: ModelError


def _caption(
    shot: _Shot,
    speech: Sequence[Line],
    model: VisionModel,
    settings: Captions,
    work: Work,
    question: str | None,
) -> str:
    clip, frames = shot.clip, shot.frames
    asked = f" {hashlib.sha256(question.encode()).hexdigest()[:8]}" if question else ""
    key = f"clip {clip.start:.3f}-{clip.end:.3f}{asked}"
    stored = work.get(key)
    if isinstance(stored, str):
        return stored
    if not frames:
        return "no picture"
    prompt = prompts.load(INSTRUCTED if question else PROMPT)
    filled = prompt.fill(
        start=clock(clip.start),
        end=clock(clip.end),
        times=[f"{max(0.0, frame.time - clip.start):.0f}" for frame in frames],
        speech=_around(speech, clip) if settings.with_speech else "",
        question=question or "",
    )
    images = [_shrunk(frame.jpeg(), settings.max_side) for frame in frames]
    reply = model.describe(images, filled, Request(settings.max_tokens))
    text = " ".join(replies.without_thinking(reply.text)[0].split())
    if not text:
        raise ReplyError(f"{model.name} gave no caption for the clip at {clock(clip.start)}")
    work.put(key, text)
    return text


def pick(
    frames: Sequence[Frame], clip: Clip, most: int, likeness: Likeness | None = None
) -> list[Frame]:
    """At most `most` frames spread evenly over the clip; the one that stands there if it has none.

    Frames are kept where the picture changes, so the last one before the clip still stands in it.
    By `likeness`, those that show the same as the one before them are passed over.
    """
    inside = [frame for frame in frames if clip.start <= frame.time < clip.end]
    before = [frame for frame in frames if frame.time <= clip.start]
    if before and (not inside or inside[0].time - clip.start > (clip.end - clip.start) / most):
        inside.insert(0, before[-1])
    if likeness:
        inside = [inside[place] for place in likeness.distinct([frame.time for frame in inside])]
    if len(inside) <= most:
        return inside or list(frames[:1])
    step = (len(inside) - 1) / max(1, most - 1)
    return [inside[round(index * step)] for index in range(most)]


def _shots(clips: Sequence[Clip], footage: Footage, settings: Captions) -> list[_Shot]:
    """Neighbouring clips through which one picture stands still, together.

    By thumbnails, or by vectors where there are any: those forgive a camera that is not quite
    still and a speaker who moves.
    """
    vectors = footage.vectors
    likeness = Likeness(vectors, settings.same_picture) if vectors else None
    shots: list[_Shot] = []
    for clip in clips:
        start = shots[-1].clip.start if shots else clip.start
        if shots and (
            footage.thumbs.still(start, clip.end) or (likeness and likeness.still(start, clip.end))
        ):
            shots[-1] = replace(shots[-1], clips=(*shots[-1].clips, clip))
        else:
            frames = pick(footage.frames, clip, settings.frames, likeness)
            shots.append(_Shot((clip,), tuple(frames)))
    return shots


def _around(speech: Sequence[Line], clip: Clip) -> str:
    """What is said near the clip, fenced: it is part of the recording."""
    near = window(speech, clip.start - NEAR_SECONDS, clip.end + NEAR_SECONDS)
    text = " ".join(line.text for line in near if line.kind == "speech")
    return prompts.fenced(text[:SPEECH_CHARACTERS]) if text else ""


def _shrunk(jpeg: bytes, side: int) -> bytes:
    """The same picture with its longer side at most `side` pixels."""
    import cv2
    import numpy as np

    picture: Any = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return jpeg
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    encoded: bytes = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()
    return encoded
