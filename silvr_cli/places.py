"""Where in a described video: moments for a query, and files cut out of it.

Joins the stages that give spans to the embedder, the cache and the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from . import backends, graph, intake, prompts
from .bounds import refined
from .embeddings import keeping
from .errors import ModelError
from .metering import guarded
from .overview import digest, shortener, window_tokens
from .records import Event, Line, Moment
from .session import open_text_model
from .settings import Chapters
from .talk import FORCED_ROOM, Talk

if TYPE_CHECKING:
    from .media.excerpts import Excerpt
    from .protocols import Embedder, TextModel, Work
    from .session import Described, Session

Result = TypeVar("Result")
# What each halving of an event costs, in bits: more than a chapter's, for its length is asked for.
EVEN = 2.0
# A stretch that a model reads for `find`, with the prompt around it and the query.
READING_TOKENS = 600


def find(
    described: Described, query: str, session: Session, model: TextModel | None = None
) -> tuple[Moment, ...]:
    """Where in the video the query's answer is told, the likeliest moment first.

    Sentences stay whole, and bounds stand at scene cuts where these are near. Where the settings
    want it, a text model reads the likeliest stretches: the given one, else the one that they name.

    Raises ModelError when the embedder that the settings name, or the model, cannot be used;
    without the embedder that `auto` would take, words alone decide, and the user is told.
    """
    from .stages import moments

    settings, told = session.settings, described.timeline
    if settings.reading.find and model is None:
        with closing(open_text_model(session)) as opened:
            return find(described, query, session, opened)
    evidence = _embedded(described, session, lambda e: moments.weighed(told, query, e))
    if evidence is None:
        return ()
    reader = None
    if settings.reading.find and model:
        read = partial(_read, described, query, session, model)
        reader = moments.Reader(read, settings.reading.stretches)
    found = moments.ranked(evidence, told.video.duration, settings.moments, reader)
    return refined(found, told.lines, described.cuts)


def _read(
    described: Described,
    query: str,
    session: Session,
    model: TextModel,
    texts: Sequence[str],
) -> tuple[float, ...]:
    """What the model finds in each stretch, taken from the cache where it has read them before."""
    settings, video = session.settings.reasoning, described.timeline.video.id

    def run(inputs: Mapping[str, Any], work: Work) -> tuple[float, ...]:
        from .stages.reading import read

        seen = guarded(model, session.meter, video, "reading")
        talk = Talk(seen, settings.temperature, settings.seed)
        return read(texts, query, talk, work, settings.max_tokens)

    identity = {
        "texts": hashlib.sha256(repr(texts).encode("utf-8", "surrogatepass")).hexdigest(),
        "query": query,
        "prompts": {name: prompts.load(name).sha for name in ("place_query", "place_order")},
        "model": model.fingerprint(),
        "how": settings.how,
    }
    stage = graph.Stage("reading", 1, (), identity, tuple[float, ...], run)
    outcome = graph.run((stage,), video, session.store, session.progress)
    found: tuple[float, ...] = outcome.outputs["reading"]
    return found


def expected_reading(session: Session) -> graph.StageState:
    """What reading for one query costs at most."""
    with closing(open_text_model(session)) as model:
        calls = session.settings.reading.stretches
        tokens = calls * READING_TOKENS
        expected = session.meter.expected(model.name, calls, tokens, calls * FORCED_ROOM)
        return graph.StageState(
            "reading", "", "to run", model=model.fingerprint(), expected=expected
        )


def highlights(described: Described, session: Session) -> tuple[Moment, ...]:
    """The most telling spans without a query, the most telling first.

    Raises ModelError as `find` does.
    """
    from .salience import salience
    from .stages.highlights import highlights as chosen
    from .tiling import word_vectors

    told, settings = described.timeline, session.settings.highlights
    lines = _sentences(described)

    def run(embedder: Embedder | None) -> tuple[Moment, ...]:
        texts = [line.text for line in lines]
        vectors = embedder.embed(texts) if embedder and texts else None
        rows = word_vectors(texts) if vectors is None else vectors
        return chosen(lines, salience(lines, vectors), rows, told.video.duration, settings)

    return refined(_embedded(described, session, run), told.lines, described.cuts)


def events(described: Described, session: Session) -> tuple[Event, ...]:
    """The video as a list of events, in order, from 0 to its end.

    Captions are titles on the screen, sentences by a text model that is good enough, or the most
    telling line. Raises ModelError when the model or embedder that the settings name fails.
    """
    from .salience import salience
    from .signs import candidates
    from .stages.chapters import boundaries
    from .stages.events import events as listed

    length, duration = session.settings.events.length, described.timeline.video.duration
    lines = _sentences(described)
    # A day has more events than a user may ask chapters for.
    many = {"count": max(1, round(duration / length))}
    wanted = Chapters(min_length=min(5.0, length / 3)).model_copy(update=many)
    signs = candidates(lines, described.cuts, duration)
    spans = list(pairwise((*boundaries(signs, duration, wanted, EVEN), duration)))
    titles = _titles(spans, lines)

    def run(embedder: Embedder | None) -> Any:
        texts = [line.text for line in lines]
        return salience(lines, embedder.embed(texts) if embedder and texts else None)

    standing = _embedded(described, session, run)
    made = listed(spans, lines, standing, titles)
    titled = [bool(title) for title in titles]
    return _captioned(described, made, titled, session)


def _titles(spans: Sequence[tuple[float, float]], lines: Sequence[Line]) -> list[str]:
    """The title that a slide shows at each span's beginning, once; "" where none does."""
    from .signs import running_heads
    from .stages.chapters import slide_title
    from .stages.events import parts

    running = running_heads([n for n in lines if n.kind == "screen"])
    found: list[str] = []
    for span, inside in zip(spans, parts(spans, lines), strict=True):
        title = slide_title([lines[i] for i in inside], span, running)
        found.append("" if title in found[-1:] else title)
    return found


def _captioned(
    described: Described, made: tuple[Event, ...], titled: Sequence[bool], session: Session
) -> tuple[Event, ...]:
    """With the model's sentences, if the settings want them and the model is good enough."""
    method, settings = session.settings.events.method, session.settings
    if method == "lines":
        return made
    choice = backends.resolve("llm", settings.models.llm, settings)
    try:
        with closing(backends.text_model(choice.spec, settings, session.progress)) as model:
            if method == "auto" and model.prefers_words:
                return made
            stage = _stage(described, made, titled, model, session)
            root = described.timeline.video.id
            outcome = graph.run((stage,), root, session.store, session.progress)
    except ModelError as error:
        if method == "model" or settings.models.llm != "auto":
            raise
        session.tell(f"events are captioned by their own lines: {error}")
        return made
    found: tuple[Event, ...] = outcome.outputs["events"]
    return found


def _stage(
    described: Described,
    made: tuple[Event, ...],
    titled: Sequence[bool],
    model: TextModel,
    session: Session,
) -> graph.Stage:
    settings, told = session.settings, described.timeline

    def run(inputs: Mapping[str, Any], work: Work) -> tuple[Event, ...]:
        from .stages.events import captioned

        seen = guarded(model, session.meter, told.video.id, "events")
        talk = Talk(seen, settings.reasoning.temperature, settings.reasoning.seed)
        shorten = shortener(told, model, window_tokens(model, 64))
        return captioned(made, titled, told.lines, (talk, shorten), work)

    identity = {
        "timeline": digest(described),
        "events": [asdict(event) for event in made],
        "prompt": prompts.load("event_caption").sha,
        "model": model.fingerprint(),
        "how": settings.reasoning.how,
    }
    return graph.Stage("events", 2, (), identity, tuple[Event, ...], run)


def _sentences(described: Described) -> list[Line]:
    """The timeline with its speech by the sentence."""
    from .stages.moments import passages

    kept = [n for n in described.timeline.lines if n.source not in ("embedded", "container")]
    return [Line(p.start, p.end, p.kind, p.text) for p in passages(kept)]


def cut_out(
    described: Described, moments: Sequence[Moment], folder: Path, exact: bool, session: Session
) -> tuple[Excerpt, ...]:
    """A file for each moment; raises UsageError when one is there or none can be written."""
    from .media import excerpts

    video = described.timeline.video
    if not isinstance(described.place, str):
        here = replace(video, path=str(described.place)) if described.place else video
        return excerpts.cut_out(here, moments, folder, exact, session.tell)
    with intake.taken(described.place, session) as found:
        here = replace(video, path=str(found.original.path()))
        return excerpts.cut_out(here, moments, folder, exact, session.tell)


def _embedded(
    described: Described, session: Session, run: Callable[[Embedder | None], Result]
) -> Result:
    """What `run` makes with the embedder of the settings, or without one where there is none."""
    settings = session.settings
    wanted = settings.models.embed
    choice = backends.resolve("embed", wanted, settings)
    if choice.spec == "none":
        if choice.reason:
            session.tell(f"found by words alone: {choice.reason}")
        return run(None)
    model = backends.embedder(choice.spec, settings, session.progress)
    video = described.timeline.video.id
    with closing(keeping(model, session.store, session.meter, video)) as embedder:
        try:
            return run(embedder)
        except ModelError as error:
            if wanted != "auto":
                raise
            session.tell(f"found by words alone: {error}")
    return run(None)
