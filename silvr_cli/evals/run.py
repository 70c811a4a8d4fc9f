"""Asks a benchmark's questions through the pipeline, keeps every answer, and scores them all.

A question that cannot be answered counts as wrong and says why; nothing is put in its place.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .. import backends, interrupt, pipeline, prompts, replies
from ..errors import ContextOverflow, InputError, ReplyError, UsageError
from ..inflight import in_flight
from ..metering import added
from ..protocols import Message, Reply, Request
from ..records import Usage
from ..session import Answered, Described, Session
from . import results
from .answers import Kept, Log, key
from .benchmark import Benchmark, Data, Item, Response, Span, Status
from .results import Row
from .sources import Sources

if TYPE_CHECKING:
    from ..protocols import TextModel
    from ..settings import Settings
    from .judge import Judge

# Raise it when the same reply would be understood differently.
VERSION = 2
# Settings that change no answer, or do so only through the timeline, whose text is in the key.
ELSEWHERE = frozenset(
    {
        *("models", "media", "vectors", "scenes", "clips", "captions", "screen_text", "speech"),
        *("summary", "calls", "servers", "prompts", "cache", "weights"),
    }
)
PROMPTS = {
    "choice": ("answer_", "notes"),
    "open": ("answer_", "notes"),
    "chapters": ("chapter_",),
    "moments": ("place_",),
}
ASKED_AGAIN: tuple[Status, ...] = ("unparsable", "too_long")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which questions: all of a split, or `limit` of them by `seed`; fewer are among more.

    `retry` asks again where an earlier reply could not be used.
    """

    split: str
    limit: int | None = None
    seed: int = 0
    retry: bool = False


def load(benchmark: Benchmark, folder: Path, split: str) -> Data:
    """The benchmark's questions; raises InputError for files unlike the published ones."""
    try:
        data = benchmark.load(folder, split)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        # Whatever a stranger's file holds in place of what was published, it is no bug of ours.
        raise InputError(
            f"{folder} is not as {benchmark.title} was published: {type(error).__name__} {error}",
            f"get it from {benchmark.source}",
        ) from error
    names = [item.id for item in data.items]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{folder} has two questions with the id '{twice}'")
    return data


def selected(items: Sequence[Item], selection: Selection) -> tuple[Item, ...]:
    """The questions to ask, those of one video in a row."""
    order = list(range(len(items)))
    if selection.limit is not None:
        random.Random(selection.seed).shuffle(order)
        order = order[: selection.limit]
    first: dict[str, int] = {}
    for index, item in enumerate(items):
        first.setdefault(item.video, index)
    return tuple(items[i] for i in sorted(order, key=lambda i: (first[items[i].video], i)))


def needs_model(items: Sequence[Item], settings: Settings) -> bool:
    """Whether any question is put to a text model; moments may be found without one."""
    ways = {way for item in items for way in item.ways}
    return bool(ways - {"moments"}) or ("moments" in ways and settings.reading.find)


@dataclass(frozen=True, slots=True)
class Asking:
    """One run: what is asked, from what, of whom, and who judges open answers."""

    benchmark: Benchmark
    data: Data
    sources: Sources
    session: Session
    selection: Selection
    model: TextModel | None = None
    judge: Judge | None = None

    def identity(self) -> dict[str, Any]:
        """What all keys of this run share; equal for two runs that ask the same way."""
        settings = self.session.settings
        sections = settings.model_dump(mode="json")
        ways = sorted({way for item in self.data.items for way in item.ways})
        begins = tuple(start for way in ways for start in PROMPTS.get(way, ()))
        if self.sources.folders.videos:
            # Where an answer is in doubt, its places are captioned again.
            begins += ("caption_",)
        return {
            "version": VERSION,
            "benchmark": self.benchmark.name,
            "split": self.selection.split,
            "model": self.model.fingerprint() if self.model else "",
            "judge": self.judge.fingerprint() if self.judge else "",
            "embed": backends.resolve("embed", settings.models.embed, settings).spec,
            "vision": self._looks(),
            "settings": {n: v for n, v in sections.items() if n not in ELSEWHERE},
            "prompts": {n: prompts.load(n).sha for n in prompts.names() if n.startswith(begins)},
            "folders": self.sources.folders.given(),
        }

    def _looks(self) -> dict[str, Any]:
        """What looks closer at a video while a question is answered."""
        settings = self.session.settings
        if not self.sources.folders.videos:
            return {}
        return {"model": settings.models.vision, **settings.captions.model_dump(mode="json")}

    def rows(self, log: Log) -> tuple[Row, ...]:
        """Every selected question with its answer, in their own order.

        Raises ModelError, LimitReached, KeyboardInterrupt; all finished answers are kept. Raises
        InputError where none of them has a text or a video: that is no score but a wrong folder.
        """
        items = selected(self.data.items, self.selection)
        if not items:
            raise InputError(f"{self.benchmark.name} {self.selection.split} has no questions")
        slots = self.model.slots if self.model else 1
        if slots > 1:
            slots = self.session.settings.calls.slots or slots
        found: dict[int, Row] = {}
        try:
            for piece, row in in_flight(lambda p: self._row(p, log), self._pieces(items), slots):
                found[piece.index] = row
                interrupt.check()
                if self.session.progress:
                    self.session.progress("questions", len(found), len(items))
        except BaseException:
            self.session.meter.stopping.set()
            raise
        rows = tuple(found[index] for index in range(len(items)))
        if all(row.kept.response.status == "missing" for row in rows):
            told = f"none of {len(rows)} questions has anything to read"
            raise InputError(told, f"the first: {rows[0].kept.response.problem}")
        return rows

    def _pieces(self, items: Sequence[Item]) -> Iterator[_Piece]:
        """Each question with its timeline; videos are watched here, one after the other."""
        shared = self.identity()
        for index, item in enumerate(items):
            try:
                described = self.sources.described(item)
            except InputError as error:
                yield _Piece(index, item, None, "", str(error))
                continue
            own = {"id": item.id, "question": item.question, "choices": item.choices}
            texts = [timeline.lines for timeline in (described.timeline, *described.coarser)]
            told = hashlib.sha256(repr(texts).encode("utf-8", "surrogatepass")).hexdigest()
            parts = {**shared, **own, "ways": item.ways, "timeline": told}
            yield _Piece(index, item, described, key(parts))

    def _row(self, piece: _Piece, log: Log) -> Row:
        kept = log.get(piece.key) if piece.key else None
        if kept and self.selection.retry and kept.response.status in ASKED_AGAIN:
            kept = None
        if kept is None:
            kept = self._kept(piece)
            if piece.key:
                log.put(kept)
        told = piece.described.timeline if piece.described else None
        figures = results.figures(self.benchmark, piece.item, kept)
        return Row(piece.item, kept, figures, self.benchmark.floors(piece.item, told))

    def _kept(self, piece: _Piece) -> Kept:
        if piece.described is None:
            return Kept("", Response("missing", problem=piece.problem))
        started = time.monotonic()
        kept, model = Kept(piece.key, Response()), _Counted(self.model)
        try:
            for way in piece.item.ways:
                kept = self._by_way(
                    way, kept, piece.item, piece.described, cast("TextModel", model)
                )
        except ContextOverflow as error:
            kept = replace(kept, response=Response("too_long", problem=str(error)))
        except ReplyError as error:
            # No answer came of it that could be shown again: what was asked and said is kept here.
            response = Response("unparsable", problem=str(error))
            kept = replace(kept, response=response, asked=model.asked, reply=model.reply)
        except UsageError as error:
            if self.session.settings.reduction.method != "all":
                raise
            # `all` was asked for, and this video does not fit: that is a result, not a mistake.
            kept = replace(kept, response=Response("too_long", problem=str(error)))
        if self.model:
            price = self.session.meter.price(self.model.name)
            kept = replace(kept, usage=replace(model.usage, cost=price.of(model.usage)))
        if self.judge and "open" in piece.item.ways and piece.item.gold is not None:
            kept = self.judge.marked(piece.item, kept)
        return replace(kept, seconds=time.monotonic() - started)

    def _by_way(
        self, way: str, kept: Kept, item: Item, described: Described, model: TextModel
    ) -> Kept:
        session, response = self.session, kept.response
        if way == "moments":
            moments = pipeline.find(described, item.question, session, model)
            spans = tuple(Span(m.start, m.end, m.score, m.text) for m in moments)
            return replace(kept, response=replace(response, moments=spans))
        if way == "chapters":
            chapters = pipeline.chapters(described, session, model=model)
            parts = tuple(Span(c.start, c.end, 0.0, c.title) for c in chapters)
            return replace(kept, response=replace(response, chapters=parts))
        choices = item.choices if way == "choice" else ()
        answered = pipeline.ask(described, item.question, choices, session, model)
        return _answered(kept, answered, way)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A question on its way: its place, its timeline if there is one, and its key."""

    index: int
    item: Item
    described: Described | None
    key: str
    problem: str = ""


def _answered(kept: Kept, answered: Answered, way: str) -> Kept:
    answer = answered.answer
    denied = answer.choice is None if way == "choice" else answer.verdict == "not_found"
    evidence = tuple(Span(e.start, e.end, 0.0, e.quote) for e in answer.evidence)
    response = replace(
        kept.response,
        status="abstained" if denied else "answered",
        choice=answer.choice,
        text="" if denied else answer.text,
        evidence=evidence,
        problem=answer.text if denied else "",
    )
    return replace(
        kept,
        response=response,
        answer_id=answered.id,
        reply=answer.reasoning,
        plan=f"{answered.context.plan.reduction}: {answered.context.plan.reason}",
        context_tokens=answered.context.plan.tokens,
        prompts=answer.prompts,
    )


class _Counted:
    """A model that adds up what its replies took, also those that were of no use.

    `asked` and `reply` are the last prompt and what was said to it.
    """

    def __init__(self, model: TextModel | None) -> None:
        self._model, self.usage = model, Usage()
        self.asked, self.reply = "", ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def chat(self, messages: Sequence[Message], request: Request = Request()) -> Reply:
        started = time.monotonic()
        reply = cast("TextModel", self._model).chat(messages, request)
        spent = replace(reply.usage, calls=1, seconds=time.monotonic() - started)
        self.usage = added(self.usage, spent)
        self.asked = "\n\n".join(message.content for message in messages)
        self.reply = replies.clean(reply.text)
        return reply
