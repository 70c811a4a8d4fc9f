"""Timeline -> summary: points with their times, in one of four styles.

Stretches that a model reads well become points, points become fewer. Every time is that of a line,
every number stands in one, and what a model only copied is said again or marked as a quote.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from .. import echoes, evidence, prompts, replies
from ..inflight import in_flight
from ..records import Chapter, Line, Point, Section, Summary, Timeline
from ..relevance import is_english, terms
from ..sentences import rows, shortened, split
from ..signs import lines_of
from ..timeline import as_text, line_text

if TYPE_CHECKING:
    from ..protocols import Work
    from ..settings import Summary as Settings
    from ..talk import Talk

    Shorten = Callable[[Sequence[Line], int], str]

# Bullets by the root of minutes: eight minutes have 6, an hour 17.
POINTS_A_ROOT, FEWEST, MOST = 2.2, 3, 24
TLDR_SENTENCES = 3
# In a style by chapters: a point for so many seconds of one, within limits.
SECONDS_A_POINT, MOST_A_CHAPTER = 45.0, 4
# More points than wanted are as good as merged ones, up to so many times.
SPARE = 1.5
# What a small model can say of one stretch before it repeats itself.
MOST_OF_A_SMALL_MODEL = 2
# A sentence over a whole video is made from so many points at most.
MOST_FOR_A_SENTENCE = 12
# Tokens: of a reply in words, around a stretch, and of the stretches themselves.
WORDS_TOKENS, PROMPT_TOKENS = 96, 320
SHORT_STRETCH, SMALL_STRETCH, LONGEST_STRETCH = 40, 700, 6000
LEAST_WORDS, LONGEST_QUOTE = 4, 160
LEVELS = 5
NONE = re.compile(r"^\W*(?:none|no (?:decisions?|tasks?)|there (?:are|were) no)\b", re.IGNORECASE)
# English speech that promises, decides or orders says so with one of these.
TASK = re.compile(
    r"\b(?:will|shall|must|should|need(?:s|ed)? to|ha(?:s|ve) to|let'?s|going to|agree\w*|decid\w+"
    r"|decision|promis\w+|task|deadline|assign\w*|follow up|due|vote\w*|approv\w+)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of the video, its lines, and how many points it is to have."""

    start: float
    end: float
    lines: tuple[Line, ...]
    wanted: int = 1


def _notes(sections: Sequence[Section]) -> tuple[str, ...]:
    points = [point for section in sections for point in section.points]
    if not points:
        return ("nothing was seen, read or heard",)
    quotes = sum(point.quote for point in points)
    return (f"{quotes} of {len(points)} points are quotes",) if quotes else ()


def wanted_points(duration: float, settings: Settings) -> int:
    """How many bullets: the user's number, else by the root of the video's minutes."""
    if settings.points:
        return settings.points
    return min(MOST, max(FEWEST, round(POINTS_A_ROOT * math.sqrt(duration / 60))))


class Writer:
    """Asks for points and holds what it is told against the lines."""

    def __init__(
        self, timeline: Timeline, shorten: Shorten, talk: Talk, settings: Settings, work: Work
    ) -> None:
        self.timeline, self.shorten, self.talk = timeline, shorten, talk
        self.settings, self.work = settings, work
        self.small = talk.model.prefers_words
        self.tokens = WORDS_TOKENS if self.small else settings.max_tokens

    def points(self, chapters: Sequence[Chapter], by_chapters: bool) -> tuple[Point, ...]:
        """Points in order of time: some for each chapter, or as many as bullets are wanted."""
        if by_chapters:
            return tuple(self._told([part for c in chapters for part in self._parts(c)]))
        wanted = wanted_points(self.timeline.video.duration, self.settings)
        spans = [(c.start, c.end) for c in chapters]
        parts = self._packed(spans, self._limit(wanted))
        each = max(1, round(wanted / max(1, len(parts))))
        each = min(each, MOST_OF_A_SMALL_MODEL) if self.small else each
        told = self._told([replace(part, wanted=each) for part in parts])
        spare = 1.0 if self.settings.points else SPARE
        return self._fewer(told, wanted) if len(told) > spare * wanted else tuple(told)

    def summary(self, points: Sequence[Point], chapters: Sequence[Chapter]) -> Summary:
        """The points in the style that the settings name."""
        style, duration = self.settings.style, self.timeline.video.duration
        if style in ("detailed", "minutes"):
            sections = self._by_chapters(points, chapters, tasks=style == "minutes")
        else:
            told = self._tldr(points) if style == "tldr" else tuple(points)
            sections = (Section(0.0, duration, "", told),) if told else ()
        talk = self.talk
        name, used = talk.model.name, dict(talk.used)
        return Summary(style, sections, _notes(sections), name, used, talk.usage)

    # -- styles

    def _tldr(self, points: Sequence[Point]) -> tuple[Point, ...]:
        """The whole video in at most three sentences, each with the time of a point behind it."""
        if len(points) <= 1:
            return tuple(points)
        wanted = 2 if self.small else TLDR_SENTENCES
        lines = _as_lines(self._fewer(points, wanted * MOST_FOR_A_SENTENCE))
        context = prompts.fenced(self.shorten(lines, 0))
        for ask in (self.talk.ask, self.talk.ask_again):
            reply = ask("summary_tldr", self.tokens, context=context, wanted=wanted)
            said = [s for _, row in rows(reply.text) for s in split(row)]
            found = [
                _over(text, points) for text in said[:TLDR_SENTENCES] if self._sound(text, lines)
            ]
            if found:
                return _distinct(sorted(found, key=lambda p: p.start))
        return _spread(points, wanted)

    def _by_chapters(
        self, points: Sequence[Point], chapters: Sequence[Chapter], tasks: bool
    ) -> tuple[Section, ...]:
        """A section a chapter; for minutes also what was decided or is to be done."""
        sections = []
        for number, c in enumerate(chapters, 1):
            mine = [p for p in points if c.start <= p.start < c.end]
            if tasks:
                mine += [task for part in self._parts(c) for task in self._tasks(part)]
                self.work.report(number, len(chapters))
            mine.sort(key=lambda p: (p.start, p.kind))
            sections.append(Section(c.start, c.end, c.title, _distinct(mine)))
        return tuple(sections)

    def _parts(self, chapter: Chapter) -> list[_Part]:
        parts = self._packed([(chapter.start, chapter.end)], self._limit())
        wanted = round((chapter.end - chapter.start) / SECONDS_A_POINT)
        wanted = min(MOST_A_CHAPTER, max(1, wanted))
        each = 1 if self.small else max(1, round(wanted / max(1, len(parts))))
        return [replace(part, wanted=each) for part in parts]

    # -- stretches

    def _packed(self, spans: Sequence[tuple[float, float]], limit: int) -> list[_Part]:
        """Neighbouring spans together while they fit the limit in tokens; long ones divided."""
        parts: list[_Part] = []
        used = 0
        for start, end in spans:
            lines = lines_of(self.timeline.lines, start, end)
            cost = sum(self.talk.model.count([line_text(n) for n in lines]))
            if parts and used + cost <= limit:
                last = parts[-1]
                parts[-1] = replace(last, end=end, lines=(*last.lines, *lines))
                used += cost
                continue
            pieces = self._divided(start, end, lines, math.ceil(cost / limit))
            parts += pieces
            used = cost if len(pieces) == 1 else limit
        return [part for part in parts if part.lines]

    def _limit(self, wanted: int = 0) -> int:
        """Tokens of one stretch; small models say one thing of each, so as many as are wanted."""
        model = self.talk.model
        room = model.context_length - self.tokens - PROMPT_TOKENS
        if not self.small:
            return max(64, min(room, LONGEST_STRETCH))
        most = max(64, min(room, model.reading_budget or SMALL_STRETCH))
        if not wanted:
            return most
        lines = lines_of(self.timeline.lines, 0.0, self.timeline.video.duration)
        whole = sum(model.count([line_text(n) for n in lines]))
        return min(most, max(SHORT_STRETCH, round(whole / wanted)))

    def _divided(self, start: float, end: float, lines: Sequence[Line], number: int) -> list[_Part]:
        if number <= 1:
            return [_Part(start, end, tuple(lines))]
        step = (end - start) / number
        edges = [start + step * i for i in range(number)] + [end]
        groups = {
            i: tuple(group)
            for i, group in groupby(
                sorted(lines, key=lambda n: n.start),
                key=lambda n: min(number - 1, max(0, int((n.start - start) / step))),
            )
        }
        return [_Part(edges[i], edges[i + 1], groups.get(i, ())) for i in range(number)]

    # -- points

    def _told(self, parts: Sequence[_Part]) -> list[Point]:
        found = []
        calls = in_flight(self._points, parts, self.talk.model.slots)
        for done, (_, points) in enumerate(calls, 1):
            found += points
            self.work.report(done, len(parts))
        return list(_distinct(sorted(found, key=lambda p: p.start)))

    def _points(self, part: _Part) -> list[Point]:
        """A part's points; where the model gives nothing usable, its most telling line."""
        key = f"points {part.start:.3f}-{part.end:.3f} {part.wanted}"
        stored = self.work.get(key)
        if stored is not None:
            return [Point(**item) for item in stored]
        values: dict[str, Any] = {
            "context": prompts.fenced(self.shorten(part.lines, 0)),
            "wanted": part.wanted,
            "timed": not self.small,
        }
        said = rows(self.talk.ask("summary_points", self.tokens, **values).text)
        good = [row for row in said[: part.wanted] if self._sound(row[1], part.lines)]
        if not good:
            again = rows(self.talk.ask_again("summary_points", self.tokens, **values).text)
            good = [row for row in again[: part.wanted] if self._sound(row[1], part.lines)]
            said += again
        points = [self._placed(text, part.lines, time) for time, text in good]
        if not points:
            points = [self._reworded([text for _, text in said], part)]
        self.work.put(key, [asdict(point) for point in points])
        return points

    def _reworded(self, said: Sequence[str], part: _Part) -> Point:
        """Something copied, said in other words; else the line itself, marked as a quote."""
        for text in list(dict.fromkeys(said))[: part.wanted]:
            if evidence.copied(text, self.timeline.lines):
                reply = self.talk.ask("summary_reword", self.tokens, sentence=prompts.fenced(text))
                told = rows(reply.text)
                if told and self._sound(told[0][1], part.lines):
                    return self._placed(told[0][1], part.lines)
        rests = evidence.supporting(part.lines, " ".join(said), " ".join(said), 1)
        longest = max(part.lines, key=lambda n: (n.kind == "speech", len(n.text)))
        line = next((n for n in part.lines if rests and n.text == rests[0].quote), longest)
        return Point(line.start, line.end, f"“{shortened(line.text, LONGEST_QUOTE)}”", quote=True)

    def _sound(self, text: str, lines: Sequence[Line]) -> bool:
        """Whether a sentence rests on the lines and is the model's own."""
        return (
            max(len(text.split()), len(terms(text))) >= LEAST_WORDS
            and not replies.denies(text)
            and not replies.refuses(text)
            and not evidence.strange(text, "", lines)
            and not evidence.mismeasured(text, lines)
            and not evidence.copied(text, self.timeline.lines)
            and evidence.grounded(text, lines)
            and not echoes.borrowed(text, _example(), [line.text for line in lines])
        )

    def _placed(self, text: str, lines: Sequence[Line], time: float | None = None) -> Point:
        """A sentence at the line whose time it names, else at the line that bears it out best."""
        named = [n for n in lines if time is not None and int(n.start) == int(time)]
        if named:
            return Point(named[0].start, named[0].end, text)
        rests = evidence.supporting(lines, text, text, 1)
        start, end = (rests[0].start, rests[0].end) if rests else (lines[0].start, lines[-1].end)
        return Point(start, end, text)

    def _tasks(self, part: _Part) -> list[Point]:
        lines = [n for n in part.lines if n.kind in ("speech", "screen")]
        english = is_english(" ".join(n.text for n in lines))
        lines = [n for n in lines if not english or TASK.search(n.text)]
        if not lines:
            return []
        key = f"tasks {part.start:.3f}-{part.end:.3f}"
        stored = self.work.get(key)
        if stored is None:
            text = prompts.fenced(self.shorten(part.lines, 0))
            told = rows(self.talk.ask("summary_tasks", self.tokens, context=text).text)
            stored = [
                asdict(replace(self._placed(said, lines), kind="task"))
                for _, said in told[:3]
                if not NONE.match(said) and self._sound(said, lines)
            ]
            self.work.put(key, stored)
        return [Point(**item) for item in stored]

    # -- fewer points

    def _fewer(self, points: Sequence[Point], wanted: int) -> tuple[Point, ...]:
        """Points told again as fewer, level by level, until so many are left."""
        for level in range(LEVELS):
            if len(points) <= wanted:
                break
            groups = self._grouped(points)
            share = wanted / len(points)
            fewer: list[Point] = []
            for number, group in enumerate(groups):
                most = max(1, round(share * len(group)))
                fewer += self._merged(group, most, f"merge {level} {number}")
            if len(fewer) >= len(points):
                break
            points = sorted(fewer, key=lambda p: p.start)
        return _spread(points, wanted)

    def _grouped(self, points: Sequence[Point]) -> list[list[Point]]:
        groups: list[list[Point]] = [[]]
        used, limit = 0, self._limit()
        for point, line in zip(points, _as_lines(points), strict=True):
            cost = self.talk.model.count([line_text(line)])[0]
            if groups[-1] and used + cost > limit:
                groups.append([])
                used = 0
            groups[-1].append(point)
            used += cost
        return groups

    def _merged(self, group: Sequence[Point], wanted: int, key: str) -> list[Point]:
        if len(group) <= wanted:
            return list(group)
        stored = self.work.get(key)
        if stored is None:
            lines = _as_lines(group)
            text = prompts.fenced(as_text(lines))
            reply = self.talk.ask("summary_merge", self.tokens, context=text, wanted=wanted)
            good = [row for row in rows(reply.text) if self._sound(row[1], lines)]
            points = [self._placed(said, lines, time) for time, said in good[:wanted]]
            # Points are the model's own words already: chosen ones stand in for a merging.
            stored = [asdict(p) for p in (points or _spread(group, wanted))]
            self.work.put(key, stored)
        return [Point(**item) for item in stored]


def _example() -> str:
    """The template with the example that small models give back as if it were the video's."""
    return prompts.load("summary_points").template


def _over(text: str, points: Sequence[Point]) -> Point:
    """A sentence over many points, from the first that bears it out to the last."""
    rests = evidence.supporting(_as_lines(points), text, text, len(points))
    ends = [item.end for item in rests] or [points[-1].end]
    return Point(rests[0].start if rests else points[0].start, max(ends), text)


def _as_lines(points: Sequence[Point]) -> list[Line]:
    return [Line(p.start, p.end, "summary", p.text) for p in points]


def _distinct(points: Sequence[Point]) -> tuple[Point, ...]:
    """Without those that say what one before them says."""
    seen: dict[str, Point] = {}
    for point in points:
        seen.setdefault("".join(c for c in point.text.casefold() if c.isalnum()), point)
    return tuple(seen.values())


def _spread(points: Sequence[Point], wanted: int) -> tuple[Point, ...]:
    """So many of the points, evenly over the video."""
    if len(points) <= wanted:
        return tuple(points)
    return tuple(points[i * len(points) // wanted] for i in range(wanted))
