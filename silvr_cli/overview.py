"""The stages that tell a timeline shorter and need no question: chapters and summary.

Joins them to a model, the cache and the reduction, as `language` does for the left half of the
picture; each is kept under a key of the timeline's own text, so that another format costs nothing.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from . import embeddings, graph, prompts, timeline
from .errors import UsageError
from .metering import guarded, guarded_embedder
from .records import Chapter, Line, Point, Summary, Timeline, Usage
from .session import Described, Session
from .talk import Talk

if TYPE_CHECKING:
    from .protocols import TextModel, Work
    from .signs import Embed
    from .stages.chapters import Mark
    from .stages.summary import Writer

# What the prompt around a stretch of timeline needs at most, in tokens.
PROMPT_TOKENS = 256
# What a second of video comes to in tokens of timeline, before it is known: rather high.
TOKENS_A_SECOND = 6
# A chapter lasts so long on average; a title's prompt and reply come to so many tokens.
SECONDS_A_CHAPTER, TITLE_PROMPT, TITLE_REPLY = 60.0, 600, 32
# Beyond so many tokens even models with room for more overlook what stands in the middle.
LONGEST_WINDOW = 6000


@dataclass(frozen=True, slots=True)
class Given:
    """Boundaries that the user brings: times of their own, or the chapters in the file."""

    at: tuple[float, ...] = ()
    keep: bool = False


def chapter_stage(
    described: Described, given: Given, model: TextModel, session: Session
) -> graph.Stage:
    """Chapters of a described video as a stage of the graph; raises UsageError for a bad time."""
    settings = session.settings
    marks = _marks(described, given, session)
    asks = _asks_for_starts(model, settings.chapters.method)
    embedder = embeddings.named(settings)
    named = ("chapter_title", "chapter_starts") if asks else ("chapter_title",)
    identity = {
        "timeline": digest(described),
        "chapters": settings.chapters.model_dump(mode="json"),
        "given": [[mark.time, mark.title] for mark in marks],
        "prompts": {name: prompts.load(name).sha for name in named},
        "model": model.fingerprint(),
        "how": settings.reasoning.how,
        "embed": embedder.fingerprint() if embedder else "none",
    }

    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Chapter, ...]:
        from .stages import chapters

        talk = _talk(model, "chapters", described, session)
        shorten = shortener(described.timeline, model, window_tokens(model, 512))
        found = list(marks) or _found(described, asks, shorten, talk, session)
        return chapters.titled(found, described.timeline, shorten, talk, work)

    return graph.Stage("chapters", 2, (), identity, tuple[Chapter, ...], run)


def summary_stages(
    described: Described, chapters: Sequence[Chapter], model: TextModel, session: Session
) -> tuple[graph.Stage, ...]:
    """The points of a described video, and its summary in the style of the settings.

    Styles over the same stretches share their points: another style asks little more.
    """
    settings, made = session.settings.summary, described.timeline
    named = [name for name in prompts.names() if name.startswith("summary_")]
    titled = any(chapter.title for chapter in chapters)
    identity = {
        "timeline": digest(described),
        "summary": settings.model_dump(mode="json", exclude={"style"}),
        "chapters": [[c.start, c.end, c.title] for c in chapters],
        "prompts": {name: prompts.load(name).sha for name in named},
        "model": model.fingerprint(),
        "how": session.settings.reasoning.how,
    }

    def writer(work: Work) -> Writer:
        from .stages.summary import Writer

        talk = _talk(model, "summary", described, session)
        tokens = window_tokens(model, settings.max_tokens)
        return Writer(made, shortener(made, model, tokens), talk, settings, work)

    def points(inputs: Mapping[str, Any], work: Work) -> tuple[Point, ...]:
        return writer(work).points(chapters, by_chapters=titled)

    def summary(inputs: Mapping[str, Any], work: Work) -> Summary:
        return writer(work).summary(inputs["points"], chapters)

    told = graph.Stage("points", 1, (), identity, tuple[Point, ...], points)
    style = {"style": settings.style, **{k: identity[k] for k in ("prompts", "model", "how")}}
    return told, graph.Stage("summary", 1, ("points",), style, Summary, summary)


def foreseen(
    task: str, described: Described | None, duration: float, model: TextModel, session: Session
) -> tuple[graph.StageState, ...]:
    """State and highest cost of the stages that chapters or a summary need; runs nothing.

    `described` is None while the timeline is not known: then they are sure to run.
    """
    by_chapters = session.settings.summary.style in ("detailed", "minutes")
    found: tuple[graph.StageState, ...] = ()
    parts: tuple[Chapter, ...] | None = ()
    if task == "chapters" or by_chapters:
        stage = chapter_stage(described, Given(), model, session) if described else None
        expected = _expected("chapters", duration, model, session)
        found = _states(
            "chapters", (stage,) if stage else None, expected, described, model, session
        )
        parts = None
        if stage and described and found[0].state == "cached":
            root = described.timeline.video.id
            parts = graph.run((stage,), root, session.store).outputs["chapters"]
    elif described:
        parts = untitled(described, session)
    if task == "chapters":
        return found
    stages = None
    if described and parts is not None:
        stages = summary_stages(described, parts, model, session)
    expected = _expected("points", duration, model, session)
    return (*found, *_states("summary", stages, expected, described, model, session))


def _states(
    name: str,
    stages: tuple[graph.Stage, ...] | None,
    expected: Usage,
    described: Described | None,
    model: TextModel,
    session: Session,
) -> tuple[graph.StageState, ...]:
    """As the cache knows them, the whole cost on the first that has to run."""
    if not stages or not described:
        told = graph.StageState(name, "", "to run", model=model.fingerprint(), expected=expected)
        return (told,)
    costed = (replace(stages[0], expected=expected), *stages[1:])
    return graph.plan(costed, described.timeline.video.id, session.store)


def _expected(name: str, duration: float, model: TextModel, session: Session) -> Usage:
    """What all calls of a stage come to at most, by the video's length."""
    titles = max(1, round(duration / SECONDS_A_CHAPTER)) if name == "chapters" else 0
    reads = name != "chapters" or _asks_for_starts(model, session.settings.chapters.method)
    tokens = round(duration * TOKENS_A_SECOND) if reads else 0
    reply = session.settings.summary.max_tokens
    windows_read = math.ceil(tokens / window_tokens(model, reply))
    calls = titles + windows_read
    tokens_in = tokens + titles * TITLE_PROMPT + windows_read * PROMPT_TOKENS
    return session.meter.expected(
        model.name, calls, tokens_in, titles * TITLE_REPLY + windows_read * reply
    )


def untitled(described: Described, session: Session) -> tuple[Chapter, ...]:
    """The video's parts without titles: enough to divide it, and no model is asked."""
    times = (*starts(described, session), described.timeline.video.duration)
    return tuple(Chapter(start, end, "") for start, end in pairwise(times))


def starts(described: Described, session: Session, told: Sequence[Mark] = ()) -> tuple[float, ...]:
    """Where the parts of a video begin, by its signs; no text model is asked."""
    from .signs import candidates
    from .stages.chapters import boundaries

    made, duration = described.timeline, described.timeline.video.duration
    lines = [line for line in made.lines if line.source != "container"]
    times = [mark.time for mark in told]
    signs = candidates(lines, described.cuts, duration, _embed(described, session), times)
    return boundaries(signs, duration, session.settings.chapters)


def _found(
    described: Described,
    asks: bool,
    shorten: Callable[[Sequence[Line], int], str],
    talk: Talk,
    session: Session,
) -> list[Mark]:
    from .signs import NEAR
    from .stages.chapters import Mark, told_starts

    told: tuple[Mark, ...] = ()
    if asks:
        lines = described.timeline.lines
        packed = windows(described.timeline, talk.model, window_tokens(talk.model, 512))
        told = told_starts(lines, packed, shorten, talk)

    def title(time: float) -> str:
        near = [m for m in told if abs(m.time - time) <= NEAR and m.title]
        return min(near, key=lambda m: abs(m.time - time)).title if near else ""

    return [Mark(time, title(time)) for time in starts(described, session, told)]


def _marks(described: Described, given: Given, session: Session) -> tuple[Mark, ...]:
    from .stages.chapters import Mark

    video = described.timeline.video
    found: dict[float, Mark] = {}
    if given.keep:
        if not video.chapters and not given.at:
            session.tell(f"{video.name} has no chapters of its own: making them")
        told = (
            (c.start, " ".join(timeline.NOT_WORDS.sub(" ", c.title).split()))
            for c in video.chapters
        )
        found = {start: Mark(start, title, own=bool(title)) for start, title in told}
    beyond = [t for t in given.at if not 0 <= t < video.duration]
    if beyond:
        raise UsageError(
            f"no chapter can begin at {', '.join(map(timeline.clock, beyond))}",
            f"the video ends at {timeline.clock(video.duration)}",
        )
    found |= {time: Mark(time) for time in given.at if time not in found}
    inside = {t: mark for t, mark in found.items() if 0 <= t < video.duration}
    if not inside:
        return ()
    first = min(inside)
    if 0 < first < 1 and first not in given.at:
        # A first chapter of the file that begins with the first frame, some hundredths late.
        inside[0.0] = replace(inside.pop(first), time=0.0)
    inside.setdefault(0.0, Mark(0.0))
    return tuple(inside[time] for time in sorted(inside))


def _asks_for_starts(model: TextModel, method: str) -> bool:
    return method == "model" or (method == "auto" and not model.prefers_words)


def _embed(described: Described, session: Session) -> Embed | None:
    """None for `auto`: chapters were measured by words."""
    model = embeddings.named(session.settings, session.progress)
    video = described.timeline.video.id
    return guarded_embedder(model, session.meter, video).embed if model else None


def _talk(model: TextModel, stage: str, described: Described, session: Session) -> Talk:
    seen = guarded(model, session.meter, described.timeline.video.id, stage)
    reasoning = session.settings.reasoning
    return Talk(seen, reasoning.temperature, reasoning.seed, session.on_text)


def window_tokens(model: TextModel, reply: int) -> int:
    """Tokens of timeline that one call reads: what the model reads well and has room for."""
    room = model.context_length - reply - PROMPT_TOKENS
    return max(64, min(room, model.reading_budget or LONGEST_WINDOW))


def windows(made: Timeline, model: TextModel, tokens: int) -> list[tuple[float, float]]:
    """Stretches that cover the video, each of at most about so many tokens of telling lines."""
    from .signs import telling

    lines = [line for line in made.lines if telling(line)]
    costs = model.count([timeline.line_text(line) for line in lines])
    edges, used = [0.0], 0
    for line, cost in zip(lines, costs, strict=True):
        if used and used + cost > tokens and line.start > edges[-1]:
            edges.append(line.start)
            used = 0
        used += cost + 1
    return list(zip(edges, [*edges[1:], made.video.duration], strict=True))


def shortener(
    made: Timeline, model: TextModel, tokens: int
) -> Callable[[Sequence[Line], int], str]:
    """A function that tells lines in at most so many tokens (0: as many as a window has)."""
    from .stages import reduction

    def shorten(lines: Sequence[Line], most: int) -> str:
        if not lines:
            return ""
        budget = reduction.Budget(min(tokens, most or tokens), model.count)
        return reduction.reduce(replace(made, lines=tuple(lines)), None, (), budget, "auto").text

    return shorten


def digest(described: Described) -> str:
    """Changes with whatever is told of the video."""
    told = repr((described.timeline.lines, described.timeline.video.duration, described.cuts))
    return hashlib.sha256(told.encode("utf-8")).hexdigest()
