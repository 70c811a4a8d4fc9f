"""What a question is answered from: a video, the user's captions and subtitles, or the data's own.

Joins a benchmark's folders with the pipeline's language stage; asks nothing of a text model.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from .. import pipeline, timeline
from ..errors import InputError, UsageError
from ..media.marks import unmarked
from ..media.subtitles import ENDINGS, silent
from ..records import Line, Timeline
from ..session import Described, Session, Source
from . import layout, own_jsonl
from .benchmark import Benchmark, Data, Item


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the videos, or the text in their place, are; each file is named by its video's ID."""

    videos: Path | None = None
    captions: Path | None = None
    subtitles: Path | None = None

    def given(self) -> dict[str, str]:
        """The folders that are given, by their own names: a moved folder is the same data."""
        named = {"videos": self.videos, "captions": self.captions, "subtitles": self.subtitles}
        return {kind: path.absolute().name for kind, path in named.items() if path}

    def check(self) -> None:
        """Raise InputError for one that is not there, before anything is asked."""
        holds = {"ID.mp4": self.videos, "captions_8s/ID.txt": self.captions}
        for file, path in {**holds, "ID.srt": self.subtitles}.items():
            if path and not path.is_dir():
                raise InputError(f"{path} is no folder", f"name a folder that holds {file}")


@dataclass(slots=True)
class Sources:
    """Gives each item its timeline; remembers the last video, whose questions come in a row.

    `without` has the videos that lack captions or subtitles where a folder of them was given.
    """

    benchmark: Benchmark
    data: Data
    folders: Folders
    session: Session
    without: dict[str, set[str]] = field(default_factory=dict)
    _last: tuple[str, Described] | None = None

    def __post_init__(self) -> None:
        self.folders.check()
        if self.folders.videos and self.folders.captions:
            raise UsageError("captions are made of videos or given", "--videos or --captions")
        if not self.folders.given() and not self.data.timelines:
            raise UsageError(
                f"{self.benchmark.name} has questions but no videos",
                "give --videos DIR, or --captions DIR and --subtitles DIR",
            )

    def described(self, item: Item) -> Described:
        """The item's timeline, cut to what the item allows; raises InputError when there is none.

        A timeline made elsewhere of the same video is not made twice in a row.
        """
        key = f"{item.video} {item.more.get('window', '')}"
        if self._last is None or self._last[0] != key:
            self._last = (key, self._read(item))
        found = self._last[1]
        if item.since or item.until is not None:
            cut = [_cut(told, item) for told in (found.timeline, *found.coarser)]
            found = replace(found, timeline=cut[0], coarser=tuple(cut[1:]), vectors=None, cuts=())
        if not found.timeline.lines:
            raise InputError(f"nothing is told of {item.video}")
        return found

    def _read(self, item: Item) -> Described:
        if self.folders.videos:
            return self._watched(self.folders.videos, item)
        if self.folders.given():
            return self._told(item)
        if item.video not in self.data.timelines:
            raise InputError(f"the data has no timeline of {item.video}")
        return self._kept(Described(self.data.timelines[item.video]))

    def _watched(self, videos: Path, item: Item) -> Described:
        """The language stage over the video; subtitles that were given take the place of ears."""
        path, folder = layout.video(videos, item), self.folders.subtitles
        if folder is None:
            return pipeline.describe(Source(path), self.session)
        name = str(item.more.get("subtitles", item.video))
        subtitles = layout.named(folder, name, ENDINGS)
        if subtitles and subtitles.suffix.lower() in ENDINGS and not silent(subtitles):
            return pipeline.describe(Source(path, subtitles=subtitles), self.session)
        said = (self.benchmark.subtitles or layout.subtitles)(folder, item)
        self._note("subtitles", bool(said), item)
        if not said:
            return pipeline.describe(Source(path), self.session)
        seen = pipeline.describe(Source(path), _deaf(self.session))
        told = seen.timeline
        said = timeline.within(said, told.video.duration)
        return replace(seen, timeline=timeline.build(told.video, told.lines, said))

    def _told(self, item: Item) -> Described:
        """One timeline a clip length that there are captions of, the finest first."""
        ladder: layout.Ladder = ()
        speech: tuple[Line, ...] = ()
        if self.folders.captions:
            ladder = (self.benchmark.captions or layout.captions)(self.folders.captions, item)
            self._note("captions", bool(ladder), item)
        if self.folders.subtitles:
            read = self.benchmark.subtitles or layout.subtitles
            speech = tuple(unmarked(read(self.folders.subtitles, item), "speech"))
            self._note("subtitles", bool(speech), item)
        if not ladder and not speech:
            raise InputError(f"there are no captions or subtitles of {item.video}")
        last = max(line.end for lines in (*ladder, speech) for line in lines)
        told = [own_jsonl.made(item.video, last, (*lines, *speech)) for lines in ladder or ((),)]
        # One video, however finely it is told.
        told = [replace(each, video=told[0].video) for each in told]
        return self._kept(Described(told[0], coarser=tuple(told[1:])))

    def _kept(self, described: Described) -> Described:
        self.session.store.remember_video(None, described.timeline.video)
        return described

    def _note(self, kind: str, there: bool, item: Item) -> None:
        if not there:
            self.without.setdefault(kind, set()).add(item.video)


def _deaf(session: Session) -> Session:
    """The same session, which listens to nothing."""
    settings = session.settings
    models = settings.models.model_copy(update={"speech": "none"})
    return replace(session, settings=settings.model_copy(update={"models": models}))


def _cut(told: Timeline, item: Item) -> Timeline:
    """Only the lines that lie whole inside what may be read: no look past a question's time."""
    until = told.video.duration if item.until is None else item.until
    return replace(
        told, lines=tuple(n for n in told.lines if n.end > item.since and n.end <= until)
    )
