"""Captions that are made when somebody asks: of longer clips for a budget, closer ones in doubt.

Joins a described video to the model that sees, its file and the cache; every level and every
closer look is a stage of its own, so that the same question costs nothing twice.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import backends, graph, intake, prompts
from .errors import InputError, LimitReached, ModelError
from .metering import guarded
from .records import Answer, Clip, Context, Line, Scene, Video

if TYPE_CHECKING:
    from .media.decode import Projector
    from .media.footage import Footage
    from .protocols import VisionModel, Work
    from .session import Described, Session
    from .stages.reduction import Budget

# What is left of pictures where a model answers no question about them.
NO_PROMPTS = ("openclip",)


class Captioner:
    """Captions a described video again; without its file or a model that sees it gives none."""

    def __init__(self, described: Described, session: Session) -> None:
        self.described, self.session = described, session
        self.video = described.timeline.video
        self._choice: backends.Choice | None = None
        self._projector: Projector | None = None
        self._video: Video | None = None
        self._open = ExitStack()

    def __enter__(self) -> Captioner:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    # -- longer clips

    def coarser(self, level: float) -> tuple[Line, ...]:
        """The whole video in clips of `level` seconds; () where captions are not a model's own.

        Beyond the ladder's longest clip, and where the model fails, () too: folding captions
        together serves as well, and the user is told.
        """
        settings = self.session.settings
        if level > max(settings.clips.ladder) or not self._captioned() or not self._sees():
            return ()
        from .stages.clips import cut_clips

        edges = [0.0, *self.described.cuts, self.video.duration]
        scenes = [Scene(start, end) for start, end in pairwise(edges)]
        clips = cut_clips(self.video.duration, scenes, level)
        try:
            return self._lines("captions", clips, None, self._footage)
        except ModelError as error:
            self.session.tell(f"captions are folded together instead of made again: {error}")
            return ()

    def _captioned(self) -> bool:
        """Whether the model of the settings has made the captions: the user's own are kept."""
        made = {n.source for n in self.described.timeline.lines if n.kind == "caption"}
        return bool(made) and made == {self._spec()}

    def _footage(self, clips: Sequence[Clip], work: Work) -> Footage:
        from .media.decode import Projector

        if self._projector is None:
            media, turn = self.session.settings.media, self.session.turn
            self._projector = self._open.enter_context(
                Projector(self._at_hand(), media, sound=False, turn=turn)
            )
        return replace(self._projector.footage(work.report), vectors=self.described.vectors)

    # -- closer looks

    def settle(
        self,
        answer: Answer,
        context: Context,
        budget: Budget,
        read: Callable[[Context], Answer],
    ) -> tuple[Answer, Context]:
        """Look closer while the answer is in doubt, and read again; at most the settings' rounds.

        A closer look that fails leaves the answer as it was, with a note.
        """
        from .stages import zoom

        settings, looked = self.session.settings.zoom, list[Clip]()
        for round_ in range(settings.rounds):
            if not zoom.doubtful(answer, context) or not self._asked_and_seen():
                break
            closer = settings.model_copy(update={"clip_length": settings.clip_length / 2**round_})
            clips = zoom.places(answer, context, looked, closer, self.video.duration)
            if not clips:
                break
            try:
                seen = self._lines("zoom", clips, answer.question, self._close_up)
            except (ModelError, LimitReached) as error:
                return replace(answer, notes=(*answer.notes, f"no closer look: {error}")), context
            looked += clips
            context = zoom.joined(context, seen, budget.tokens, budget.count)
            note = zoom.told(clips, self._spec())
            answer = zoom.settled(answer, read(context), note)
        return answer, context

    def _asked_and_seen(self) -> bool:
        return self._sees() and self._resolved().provider not in NO_PROMPTS

    def _close_up(self, clips: Sequence[Clip], work: Work) -> Footage:
        from .media.closeup import close_up

        settings = self.session.settings
        rate = {"frames_per_second": settings.zoom.frames_per_second, "max_frames": 10**6}
        folder = self._open.enter_context(tempfile.TemporaryDirectory(prefix="silvr-"))
        spans = [(clip.start, clip.end) for clip in clips]
        media = settings.media.model_copy(update=rate)
        return close_up(self._at_hand(), spans, media, Path(folder), self.session.progress)

    # -- both

    def _resolved(self) -> backends.Choice:
        if self._choice is None:
            settings = self.session.settings
            self._choice = backends.resolve("vision", settings.models.vision, settings)
        return self._choice

    def _spec(self) -> str:
        return self._resolved().spec

    def _sees(self) -> bool:
        place = self._place()
        here = place and (isinstance(place, str) or place.is_file())
        return bool(here and self.video.picture and self._spec() not in ("none", "embedded"))

    def _place(self) -> Path | str | None:
        path = self.video.path
        return self.described.place or (Path(path) if path else None)

    def _at_hand(self) -> Video:
        """The video with the path of a file on this disk; fetched where it is remote."""
        if self._video is None:
            place = self._place()
            assert place
            found = self._open.enter_context(intake.taken(place, self.session))
            if found.video.id != self.video.id:
                raise InputError(f"{self.video.name} is not the video that was described")
            self._video = replace(self.video, path=str(found.original.path()))
        return self._video

    def _lines(
        self,
        name: str,
        clips: Sequence[Clip],
        question: str | None,
        pictures: Callable[[Sequence[Clip], Work], Footage],
    ) -> tuple[Line, ...]:
        """The clips' captions as a stage, which opens file and model only when it has to run."""
        session, settings = self.session, self.session.settings
        speech = [n for n in self.described.timeline.lines if n.kind == "speech"]

        def run(inputs: Mapping[str, Any], work: Work) -> tuple[Line, ...]:
            from .stages.clip_captions import caption_clips

            footage = pictures(clips, work)
            with closing(backends.vision_model(self._spec(), settings, session.progress)) as model:
                seer: VisionModel = guarded(model, session.meter, self.video.id, name)
                return caption_clips(
                    clips, footage, speech, seer, settings.captions, work, question
                )

        stage = graph.Stage(name, 1, (), self._identity(clips, question, speech), graph.LINES, run)
        outcome = graph.run((stage,), self.video.id, session.store, session.progress)
        found: tuple[Line, ...] = outcome.outputs[name]
        return found

    def _identity(
        self, clips: Sequence[Clip], question: str | None, speech: Sequence[Line]
    ) -> dict[str, Any]:
        settings = self.session.settings
        heard = repr(speech) if settings.captions.with_speech else ""
        vectors = repr(self.described.vectors) if question is None else ""
        return {
            "clips": [[clip.start, clip.end, clip.level] for clip in clips],
            "question": question or "",
            "captions": settings.captions.model_dump(mode="json", exclude={"vocabulary"}),
            "media": settings.media.model_dump(mode="json"),
            "rate": settings.zoom.frames_per_second if question else 0.0,
            "beside": hashlib.sha256(f"{heard} {vectors}".encode()).hexdigest(),
            "prompt": prompts.load("caption_question" if question else "caption_clip").sha,
            "model": backends.fingerprint("vision", self._spec(), settings),
        }
