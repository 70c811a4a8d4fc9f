"""The frozen records that stages pass on; they hold values and compute nothing but lengths.

Times are seconds as float, counted from the first presented moment of the video; spans are
half-open `[start, end)`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

Kind = Literal["caption", "screen", "speech", "sound", "summary"]
KIND_NAMES: tuple[str, ...] = get_args(Kind)
Style = Literal["tldr", "bullets", "detailed", "minutes"]
Verdict = Literal["found", "not_found", "unclear"]
Confidence = Literal["high", "medium", "low"]
# The least first.
CONFIDENCES: tuple[Confidence, ...] = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Picture:
    """How the video track is shown: `width` x `height` after rotation and pixel aspect."""

    width: int
    height: int
    fps: float
    codec: str
    rotation: int = 0


@dataclass(frozen=True, slots=True)
class Track:
    """One audio or subtitle track; `index` is its stream index in the container."""

    index: int
    codec: str
    language: str | None = None
    title: str | None = None
    default: bool = False


@dataclass(frozen=True, slots=True)
class Chapter:
    start: float
    end: float
    title: str


@dataclass(frozen=True, slots=True)
class Video:
    """What is known of the input. `id` is its content hash; `path` is None for text alone.

    `name` and `path` are for people: a name that is not UTF-8 is written out (`legible`).
    """

    id: str
    name: str
    duration: float
    path: str | None = None
    picture: Picture | None = None
    audio: tuple[Track, ...] = ()
    subtitles: tuple[Track, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """How a server names the bytes of a file; `length` in bytes, None where it does not say."""

    etag: str = ""
    modified: str = ""
    length: int | None = None

    @property
    def telling(self) -> bool:
        """Whether other bytes would have another name."""
        return bool(self.etag or self.modified)


@dataclass(frozen=True, slots=True)
class Scene:
    """A run of frames without a cut; `score` is the strength of the cut that opens it."""

    start: float
    end: float
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class FrameVectors:
    """What an embedder made of a video's frames: row i is of the frame at `times[i]` seconds.

    `packed` is base64 of float16[len(times), width], little-endian; rows have unit length.
    """

    times: tuple[float, ...] = ()
    width: int = 0
    packed: str = ""


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch that one caption describes; `level` is the clip length asked for, in seconds."""

    start: float
    end: float
    level: float


@dataclass(frozen=True, slots=True)
class Line:
    """The atom: text that holds from `start` to `end`.

    `level` is the clip length in seconds that it describes (None for speech and screen text);
    `source` names the model or file that it came from.
    """

    start: float
    end: float
    kind: Kind
    text: str
    level: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A video and its lines, ordered by (start, end, kind)."""

    video: Video
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What the reduction decided, and why: kept with every answer."""

    reduction: str
    reason: str
    budget: int
    tokens: int
    lines_kept: int
    lines_total: int
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """An answer that follows from the times of `lines`; `choice` is an index into the options."""

    text: str
    choice: int | None
    lines: tuple[Line, ...]
    confidence: Confidence = "high"


@dataclass(frozen=True, slots=True)
class Context:
    """The text that the reasoning model reads, the lines that it shows, and the plan behind it.

    `unheard` are the question's telling words that the whole timeline nowhere has, `unread` those
    that it has and these lines have not, if they are the weightier ones, `asked` how many telling
    words the question has; `apart` are those of a plain fact asked for that no stretch of the video
    tells together with the others. `parts` are the titled parts, for questions of when; `settled`
    is what follows from times alone; `support` is how well the video's captions go with each
    option, `meant` how surely a line says in other words what is asked, 0 to 1, where these were
    worked out; `length` is the video's, in seconds, for questions of time.
    """

    text: str
    lines: tuple[Line, ...]
    plan: Plan
    unheard: tuple[str, ...] = ()
    asked: int = 0
    apart: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    parts: tuple[Line, ...] = ()
    settled: Settled | None = None
    support: tuple[float, ...] = ()
    meant: float = 0.0
    length: float = 0.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What calls to one model cost. `seconds` is wall time; `cost` is in US dollars."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of the video and the words from the timeline that the answer rests on."""

    start: float
    end: float
    quote: str
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question; `choice` is an index into `choices` for multiple choice.

    `verdict` is `not_found` when the video does not say. `notes` tell what was repaired,
    dropped or left out on the way. `span` is what a question of when or how long asks for.
    """

    question: str
    text: str
    verdict: Verdict
    confidence: Confidence
    evidence: tuple[Evidence, ...] = ()
    choices: tuple[str, ...] = ()
    choice: int | None = None
    reasoning: str = ""
    notes: tuple[str, ...] = ()
    model: str = ""
    plan: Plan | None = None
    prompts: dict[str, str] = field(default_factory=dict)
    usage: Usage = Usage()
    span: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    start: float
    end: float
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class Event:
    """What happens from `start` to `end`, and how telling it is (0-1) beside the video's others."""

    start: float
    end: float
    salience: float
    caption: str


@dataclass(frozen=True, slots=True)
class Point:
    """One sentence of a summary and the span that it rests on; a quote is marked as one."""

    start: float
    end: float
    text: str
    kind: Literal["point", "task"] = "point"
    quote: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Points under one title; without a title where a style has but one section."""

    start: float
    end: float
    title: str
    points: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """A video told in short; `notes` say what was quoted, mended or dropped on the way."""

    style: Style
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()
    model: str = ""
    prompts: dict[str, str] = field(default_factory=dict)
    usage: Usage = Usage()
