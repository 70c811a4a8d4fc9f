"""All videos of the cache at once: where words, or what they mean, are said, read or shown.

Reads what the language stage has stored; runs no stage, and keeps what an embedder made of lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from . import backends
from .cache import lookup
from .embeddings import keeping
from .records import FrameVectors, Line
from .session import Session
from .timeline import ROW_JOINT

if TYPE_CHECKING:
    from .protocols import Embedder

Way = Literal["words", "meaning", "both", "picture"]
SCHEMA = "silvr-search/1"
# Pictures of one video closer than this, in seconds, are one find.
APART = 8.0
# The same line may stand in the results of several runs: so many are read for one that is shown.
REPEATS = 4
# The stages that make a timeline's lines.
TOLD = ("speech", "screen_text", "captions")
# A line less like the query than this cosine has nothing to do with it: MiniLM and MPNet give
# strangers 0.25 at most.
LEAST_MEANING = 0.3
# Places in two rankings add up as 1 / (FUSED + place): Cormack, Clarke and Buettcher, "Reciprocal
# Rank Fusion" (2009), with their constant.
FUSED = 60


@dataclass(frozen=True, slots=True)
class Found:
    """A line, or a `picture` with no text, that goes with what was looked for.

    `video` is the video's id. `by` says which way found it: a score is BM25 for words (and both),
    else a cosine, so scores compare within one way only. `meaning` is the cosine of a line that
    was found by its meaning.
    """

    video: str
    name: str
    start: float
    end: float
    kind: str
    text: str
    score: float
    by: Way = "words"
    meaning: float | None = None


def search(words: str, top: int, session: Session) -> tuple[Found, ...]:
    """At most `top` lines of all cached videos, then at most `top` pictures, the best first.

    An embedder that the user names finds lines by meaning, if it only reads, or pictures that it
    has seen, if it sees. Raises ModelError when it cannot be used.
    """
    said, meant = _said(words, top, session), _meant(words, top, session)
    return (*_together(said, meant)[:top], *_pictures(words, top, session))


def _said(words: str, top: int, session: Session) -> list[Found]:
    rows = (Found(*row) for row in lookup.search(session.store, words, REPEATS * top))
    return _once(rows)[:top]


def _once(found: Iterable[Found]) -> list[Found]:
    """Each line where it stands first."""
    once: dict[tuple[Any, ...], Found] = {}
    for each in found:
        once.setdefault(_line(each), each)
    return [*once.values()]


def _line(found: Found) -> tuple[Any, ...]:
    return found.video, found.start, found.kind, found.text


def _meant(words: str, top: int, session: Session) -> list[Found]:
    """The lines nearest in meaning; [] without an embedder that is named and only reads."""
    settings = session.settings
    wanted = backends.resolve("embed", settings.models.embed, settings).spec
    told = _told(session) if words.strip() and settings.models.embed != "auto" else []
    if wanted == "none" or not told:
        return []
    model = backends.embedder(wanted, settings, session.progress)
    if hasattr(model, "embed_images"):
        # Its texts all lie close together, whatever they say.
        return []
    with closing(model):
        return _nearest(words, told, top, model, session)


def _nearest(
    words: str, told: Sequence[Told], top: int, model: Embedder, session: Session
) -> list[Found]:
    first = keeping(model, session.store, session.meter, told[0].video)
    (query,) = first.embed([words], query=True)
    found: list[Found] = []
    for done, part in enumerate(told, 1):
        kept = keeping(model, session.store, session.meter, part.video)
        texts = [*dict.fromkeys(text for line in part.lines for text in _texts(line))]
        cosines = kept.embed(texts) @ query
        found += part.found(dict(zip(texts, cosines.tolist(), strict=True)))
        if session.progress and kept.made:
            session.progress("meaning", done, len(told))
    return _once(sorted(found, key=lambda each: -each.score))[:top]


def _together(said: Sequence[Found], meant: Sequence[Found]) -> list[Found]:
    """One list, the best first: what both ways found stands before what one way found as well."""
    cosines = {_line(each): each.score for each in meant}
    both = {_line(each) for each in said} & cosines.keys()
    ranks: dict[tuple[Any, ...], float] = {}
    for way in (said, meant):
        for place, each in enumerate(way, 1):
            ranks[_line(each)] = ranks.get(_line(each), 0.0) + 1 / (FUSED + place)
    found = [
        replace(each, by="both", meaning=cosines[_line(each)]) if _line(each) in both else each
        for each in _once((*said, *meant))
    ]
    return sorted(found, key=lambda each: -ranks[_line(each)])


@dataclass(frozen=True, slots=True)
class Told:
    """The lines that one stage made of a video."""

    video: str
    name: str
    lines: tuple[Line, ...]

    def found(self, like: Mapping[str, float]) -> list[Found]:
        """Those whose texts are like enough."""
        return [
            Found(self.video, self.name, n.start, n.end, n.kind, n.text, cosine, "meaning", cosine)
            for n in self.lines
            if (cosine := max(like[text] for text in _texts(n))) >= LEAST_MEANING
        ]


def _texts(line: Line) -> tuple[str, ...]:
    """A line, and each row of a board: a price list as a whole is like no price."""
    rows = line.text.split(ROW_JOINT) if line.kind == "screen" else []
    return (line.text, *rows)


def _told(session: Session) -> list[Told]:
    """The latest lines of each stage and video, without those that only tell of change."""
    rows = [(stage, row) for stage in TOLD for row in session.store.finished(stage)]
    latest = {(stage, video): (key, video, name) for stage, (key, video, name, _) in rows}
    found = []
    for key, video, name in latest.values():
        stored = session.store.stage(key)
        lines = tuple(n for n in (stored.lines if stored else ()) if n.source != "embedded")
        found += [Told(video, name, lines)] if lines else []
    return found


def _pictures(words: str, top: int, session: Session) -> list[Found]:
    settings = session.settings
    model = backends.image_embedder(settings.models.embed, settings, session.progress)
    if model is None or not words.strip():
        return []
    seen = _seen(model.fingerprint(), session)
    if not seen:
        return []
    from .likeness import nearest

    with closing(model):
        (query,) = model.embed([words])
    videos = ((video, _vectors(key, session)) for video, (key, _) in seen.items())
    return [
        Found(
            hit.video, seen[hit.video][1], hit.time, hit.time, "picture", "", hit.score, "picture"
        )
        for hit in nearest(query, videos, top, APART)
    ]


def _seen(model: str, session: Session) -> dict[str, tuple[str, str]]:
    """Video id -> (stage's key, video's name), of the latest vectors that `model` has made."""
    rows = session.store.finished("vectors")
    return {video: (key, name) for key, video, name, identity in rows if identity["model"] == model}


def _vectors(key: str, session: Session) -> FrameVectors:
    from pydantic import TypeAdapter

    stored = session.store.stage(key)
    output = stored.output if stored else {}
    return TypeAdapter(FrameVectors).validate_python(output)


def document(words: str, found: Sequence[Found]) -> dict[str, Any]:
    """What `silvr search --json` prints."""
    return {"schema": SCHEMA, "query": words, "found": [*found]}


def json_schema() -> dict[str, Any]:
    """The JSON schema of `document`; published as docs/search.schema.json."""
    from pydantic import TypeAdapter

    each = TypeAdapter(Found).json_schema(mode="serialization")
    properties = {
        "schema": {"const": SCHEMA},
        "query": {"type": "string"},
        "found": {"type": "array", "items": each},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}
