"""What a run of the pipeline is given and gives back; opens the cache, runs nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import backends, prompts
from .cache.store import Store
from .metering import Meter
from .records import Answer, Context, FrameVectors, Timeline, Video
from .settings import Settings, cache_path

if TYPE_CHECKING:
    from types import TracebackType

    from .protocols import Progress, TextModel

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Source:
    """What the user brought: a video file, their own captions or subtitles, or both.

    A `video` that is a str is an address, such as https://…; `intake.place` tells them apart.
    `clip_length` is the seconds that one line of a plain caption file stands for.
    """

    video: Path | str | None = None
    captions: Path | None = None
    subtitles: Path | None = None
    clip_length: float | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """A timeline, what the user should know about it, and the stages that had to run.

    `vectors` are of the video's frames, where an embedder has seen them; `cuts` are the times at
    which one shot ends and another begins. `coarser` are timelines of the same video whose
    captions tell of longer and longer clips, where the user has such captions. `place` is where the
    video can be looked at again.
    """

    timeline: Timeline
    notes: tuple[str, ...] = ()
    ran: tuple[str, ...] = ()
    vectors: FrameVectors | None = None
    cuts: tuple[float, ...] = ()
    coarser: tuple[Timeline, ...] = ()
    place: Path | str | None = None


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
    """Settings, an open cache, the meter of model calls, and whom to tell.

    What every command needs to run the pipeline. `turn` is held while a file is decoded, where
    several videos are under way at once.
    """

    settings: Settings
    store: Store
    meter: Meter
    progress: Progress | None = None
    tell: Tell = field(default=lambda message: None)
    on_text: Tell | None = None
    turn: AbstractContextManager[Any] = field(default_factory=nullcontext)

    @classmethod
    def open(
        cls, settings: Settings, progress: Progress | None = None, tell: Tell | None = None
    ) -> Session:
        """Open the cache that the settings name; raises CacheError."""
        prompts.use(settings.prompts.path)
        store = Store.open(cache_path(settings))
        meter = Meter(settings.calls, store.add_call)
        return cls(settings, store, meter, progress, tell or (lambda message: None))

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.meter.stopping.set()
        self.store.close()


def open_text_model(session: Session) -> TextModel:
    """The model that the settings name for answering; the user is told what `auto` chose."""
    settings = session.settings
    choice = backends.resolve("llm", settings.models.llm, settings)
    if choice.reason:
        session.tell(f"llm: {choice.spec} ({choice.reason})")
    return backends.text_model(choice.spec, settings, session.progress)
