"""Timeline and query -> moments: where in the video it is said, shown or read, the likeliest first.

Knows the Embedder protocol and no provider; without an embedder it goes by words and letters.
The figures behind every weight stand in docs/lab-log.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..delivery import announced, instructed
from ..records import Kind, Line, Moment, Timeline
from ..relevance import UNSPACED, Index, grams, terms

if TYPE_CHECKING:
    from ..protocols import Embedder
    from ..settings import Moments

SENTENCE = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|(?<=[。！？])")
ENDED = re.compile(r"[.!?…。！？][\"')\]]*$")
SPEAKER = re.compile(r"^(?:\[[^\]]{1,40}\]|[A-Z][^:.!?]{0,40}): ")
# Subtitles break sentences: pieces are joined across such silences (seconds), up to such lengths.
SILENCE, JOINED_WORDS = 2.0, 40

# What each kind of evidence weighs, in standard deviations over the video's passages: the passage
# itself, it with the passages beside it, and a stretch of the video as long as WIDE_SHARE of it.
# Words stand in for meaning where there is no embedder.
LETTERS, NEAR_LETTERS, WIDE_WORDS = 0.2, 0.37, 0.23
MEANING, WIDE_MEANING, WORDS_ALONE = 0.86, 0.24, 1.25
WIDE_SHARE, WIDE_LEAST = 1 / 30, 10.0
# Short passages tell little; the log of the words counts.
LENGTH = 0.12
# Videos begin by announcing and end by repeating what they tell: see the thing itself first.
EDGE, EDGE_SHARE = 2.1, 0.05
# Each announcement in a passage, and each instruction, where the video is a tutorial.
ANNOUNCES, INSTRUCTS = 1.0, 0.35
# What is looked for is seldom told in one sentence: what decides on the first passage is, besides
# its own standing, DENSITY times the log of the evidence around it: the sum of exp(standing) beyond
# the median's, blurred over time by a bell of DENSE_SHARE of the video, read off in so many steps.
DENSITY, DENSE_SHARE, STEPS = 8.0, 1 / 20, 1024
# Captions that only tell change answer few queries.
KIND_WEIGHT = {"caption": 0.4, "summary": 0.8, "sound": 0.6}
# A moment grows over neighbours that stand at most so much lower than its best passage, while
# there is no longer silence between them than GAP seconds and it lasts no more than LONGEST.
GROWS, GAP, LONGEST = 1.5, 5.0, 60.0
# A model that reads gets stretches of so many letters, some 250 words; in a short video they are
# a STRETCHES-th of all. What it finds weighs READS standard deviations for the first moment and
# READS_ON for those after it.
STRETCH_LETTERS, STRETCHES, STRETCH_LEAST = 1400, 32, 240
READS, READS_ON = 12.0, 1.0
TINY = 1e-9
# Less like the query than this is nothing at all; what shares so many of its words is kept.
LEAST = 0.05
# Words that ask for a place and do not name what is there.
REQUEST = re.compile(
    r"(?:concerning|describe|discuss\w*|explain\w*|find|give|group|mean|meeting|members|opinions?"
    r"|presentation|regarding|show|summar\w+|talk(?:ed|ing)?|team|terms|think|thought)\W*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence that is said, or one caption or screen text."""

    start: float
    end: float
    text: str
    kind: Kind

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2


def passages(lines: Iterable[Line]) -> list[Passage]:
    """Speech by the sentence, whatever its lines are cut at; every other line as it is."""
    found: list[Passage] = []
    open_: Passage | None = None
    for line in lines:
        if line.kind != "speech":
            found.append(Passage(line.start, line.end, line.text, line.kind))
            continue
        for piece in _pieces(line):
            if open_ and _goes_on(open_, piece):
                # Where several speak at once, a line may end before the one before it does.
                start, end = min(open_.start, piece.start), max(open_.end, piece.end)
                piece = Passage(start, end, f"{open_.text} {piece.text}", "speech")
            elif open_:
                found.append(open_)
            open_ = piece
    found += [open_] if open_ else []
    return sorted(found, key=lambda p: (p.start, p.end))


def _pieces(line: Line) -> Iterator[Passage]:
    """A line's sentences; each takes a share of the time by its letters, and the speaker."""
    name = SPEAKER.match(line.text)
    speaker = name.group() if name else ""
    sentences = [s for s in SENTENCE.split(line.text[len(speaker) :]) if s.strip()]
    total, at = sum(map(len, sentences)), line.start
    for number, sentence in enumerate(sentences, 1):
        share = (line.end - line.start) * len(sentence) / total
        # Sums of shares may miss the end by a hair.
        end = line.end if number == len(sentences) else min(at + share, line.end)
        yield Passage(at, end, speaker + sentence.strip(), "speech")
        at = end


def _goes_on(before: Passage, after: Passage) -> bool:
    text = f"{before.text} {after.text}"
    # Where no spaces part words, two letters are about one.
    words = len(text.split()) + len(UNSPACED.findall(text)) // 2
    return (
        not ENDED.search(before.text)
        and not SPEAKER.match(after.text)
        and after.start - before.end <= SILENCE
        and words <= JOINED_WORDS
    )


@dataclass(frozen=True, slots=True)
class Evidence:
    """How each passage of `told` stands among all (log-odds), how like the query it is (0-1), and
    what share of the query's words it has itself (0-1).
    """

    told: Sequence[Passage]
    standing: Any
    likeness: Any
    words: Any


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the `most` likeliest stretches: `read` gives each a figure, the higher, the better
    it answers the query.
    """

    read: Callable[[Sequence[str]], Sequence[float]]
    most: int = 12


def find(
    timeline: Timeline,
    query: str,
    settings: Moments,
    embedder: Embedder | None = None,
    reader: Reader | None = None,
) -> tuple[Moment, ...]:
    """At most `settings.top` moments, the likeliest first; none when nothing has to do with it.

    Raises ModelError when the embedder or the reader fails.
    """
    evidence = weighed(timeline, query, embedder)
    return ranked(evidence, timeline.video.duration, settings, reader) if evidence else ()


def ranked(
    evidence: Evidence, duration: float, settings: Moments, reader: Reader | None
) -> tuple[Moment, ...]:
    """The moments of a video of so many seconds by what was found, and by the reader, if any."""
    told, ranks = evidence.told, evidence.standing
    total = _total(told, ranks, duration)
    best = int(total.argmax())
    likeness = float(evidence.likeness[best])
    scores = _scores(evidence, best, likeness)
    if reader and scores.any():
        heard = _heard(told, total, reader)
        best, ranks = int((total + READS * heard).argmax()), ranks + READS_ON * heard
        # What a reader finds may share no word with the query.
        likeness = max(likeness, float(evidence.likeness[best]))
        scores = _scores(replace(evidence, standing=ranks), best, likeness)
    spans = _spans(told, evidence.standing, ranks, scores, best, settings.top)
    return tuple(_moment(told, span, scores) for span in spans)


def weighed(timeline: Timeline, query: str, embedder: Embedder | None) -> Evidence | None:
    """All evidence for each passage, summed; see the weights above for what each kind adds.

    None where nothing is told or asked. Raises ModelError when the embedder fails.
    """
    import numpy as np

    told, duration = passages(timeline.lines), timeline.video.duration
    if not told or not query.strip():
        return None
    texts, words = [passage.text for passage in told], telling(query)
    beside = [(max(0, i - 1), min(len(told), i + 2)) for i in range(len(told))]
    wide = _around(told, max(WIDE_LEAST, WIDE_SHARE * duration))
    near = [" ".join(texts[a:b]) for a, b in beside]
    letters = Index(texts, grams)
    standing = LETTERS * _standard(letters.scores(words))
    standing += NEAR_LETTERS * _standard(Index(near, grams).scores(words))
    standing += WIDE_WORDS * _standard(Index(texts).joined(words, wide))
    likeness = _shared(near, words)
    if embedder is None:
        standing *= WORDS_ALONE
    else:
        asked, rows = embedder.embed([query], query=True)[0], embedder.embed(texts)
        own = rows @ asked
        standing += MEANING * _standard(own)
        standing += WIDE_MEANING * _standard(_means(rows, wide) @ asked)
        likeness = (likeness + np.clip(own, 0, 1)) / 2
    standing += LENGTH * np.log([1 + len(text.split()) for text in texts])
    standing += np.log([KIND_WEIGHT.get(passage.kind, 1.0) for passage in told])
    standing += INSTRUCTS * np.array(instructed(texts)) - ANNOUNCES * np.array(announced(texts))
    return Evidence(told, standing - _edges(told, duration), likeness, _shared(texts, words))


def telling(query: str) -> str:
    """The query without the words that only ask for a place; as it is when none are left."""
    words = [word for word in query.split() if not REQUEST.fullmatch(word)]
    return " ".join(words) if terms(" ".join(words)) else query


def _around(told: Sequence[Passage], seconds: float) -> list[tuple[int, int]]:
    """For each passage the indices [a, b) of those whose middles lie in the stretch around it."""
    import numpy as np

    order = np.maximum.accumulate([passage.middle for passage in told])
    first = np.searchsorted(order, order - seconds / 2, "left")
    last = np.searchsorted(order, order + seconds / 2, "right")
    return list(zip(first.tolist(), last.tolist(), strict=True))


def _standard(scores: Any) -> Any:
    """In standard deviations from the mean; all zeros when all are alike."""
    import numpy as np

    scores = np.asarray(scores, np.float64)
    spread = scores.std()
    return (scores - scores.mean()) / spread if spread > TINY else np.zeros_like(scores)


def _means(rows: Any, spans: Sequence[tuple[int, int]]) -> Any:
    """The direction of the rows of each span together, as unit rows."""
    import numpy as np

    sums = np.vstack([np.zeros_like(rows[:1]), np.cumsum(rows, axis=0, dtype=np.float64)])
    means = np.array([sums[b] - sums[a] for a, b in spans])
    return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), TINY)


def _edges(told: Sequence[Passage], duration: float) -> Any:
    """What a passage loses for standing at the very beginning or end of the video."""
    import numpy as np

    at = _shares(told, duration)
    return EDGE * (np.exp(-at / EDGE_SHARE) + np.exp(-np.clip(1 - at, 0, 1) / EDGE_SHARE))


def _shared(texts: Sequence[str], query: str) -> Any:
    """For each text the share of the query's words that it has, each by its rarity (0-1)."""
    import numpy as np

    index, wanted = Index(texts), list(dict.fromkeys(terms(query)))
    # A word that the video nowhere has is as rare as can be.
    weights = {term: index.weight(term) or math.log(2 + 2 * len(texts)) for term in wanted}
    total = sum(weights.values()) or 1.0
    shares = np.zeros(len(texts))
    for term in wanted:
        shares[list(index.holders.get(term, ()))] += weights[term] / total
    return shares


def _scores(evidence: Evidence, best: int, likeness: float) -> Any:
    """How like the query the best passage is, less what stands lower than it; 0 for nothing at all.

    What has the query's words never falls under LEAST: a rare word stands far above the rest.
    """
    import numpy as np

    fallen = np.exp(np.minimum(0.0, evidence.standing - evidence.standing[best]))
    scores = np.minimum(1.0, likeness * fallen)
    scores[scores < LEAST] = 0.0
    return np.where(evidence.words >= LEAST, np.maximum(scores, LEAST), scores)


def _spans(
    told: Sequence[Passage], standing: Any, ranks: Any, scores: Any, densest: int, most: int
) -> list[tuple[int, int, int]]:
    """(best, first, last + 1) of the moments, the likeliest first; no two overlap in time.

    They are taken by `ranks` and grow by `standing`.
    """
    import numpy as np

    left = np.array(standing)
    found: list[tuple[int, int, int]] = []
    while len(found) < most:
        worth = np.where((scores > 0) & np.isfinite(left), ranks, -np.inf)
        if not np.isfinite(worth).any():
            break
        best = densest if not found and scores[densest] > 0 else int(np.argmax(worth))
        first, last = _grown(told, left, best)
        found.append((best, first, last))
        start, end = told[first].start, max(p.end for p in told[first:last])
        for i, passage in enumerate(told):
            if first <= i < last or (passage.start < end and passage.end > start):
                left[i] = -np.inf
    return found


def _total(told: Sequence[Passage], standing: Any, duration: float) -> Any:
    """How each passage stands, by itself and with what stands around it."""
    import numpy as np

    share = _shares(told, duration)
    at = np.clip((share * STEPS).astype(int), 0, STEPS - 1)
    # Where much is said, much is said that has nothing to do with it: only what stands out counts.
    worth = np.exp(standing - standing.max()) - np.exp(np.median(standing) - standing.max())
    weights = np.bincount(at, np.maximum(worth, 0.0), STEPS)
    steps = np.arange(1 - STEPS, STEPS) / (STEPS * DENSE_SHARE)
    dense = np.convolve(weights, np.exp(-(steps**2) / 2), "valid")[at]
    return standing + DENSITY * np.log(dense + TINY)


def _heard(told: Sequence[Passage], total: Any, reader: Reader) -> Any:
    """What a reading of the likeliest stretches adds to each passage, in standard deviations."""
    import numpy as np

    parts = _stretches(told)
    if len(parts) < 2:
        return 0.0 * total
    likely = np.argsort([-total[a:b].max() for a, b in parts], kind="stable")[: reader.most]
    chosen = sorted(likely.tolist())
    figures = _standard(reader.read([_joined(told[a:b]) for a, b in (parts[i] for i in chosen)]))
    # What is not read stands as low as what is read and is poor.
    heard = np.full(len(parts), -1.0)
    heard[chosen] = figures
    return np.repeat(heard, [b - a for a, b in parts])


def _stretches(told: Sequence[Passage]) -> list[tuple[int, int]]:
    """[a, b) of passages that follow each other, STRETCH_LETTERS long or a little longer."""
    letters = [len(passage.text) for passage in told]
    length = min(STRETCH_LETTERS, max(STRETCH_LEAST, sum(letters) / STRETCHES))
    found, first, size = [], 0, 0
    for index, more in enumerate(letters):
        size += more
        if size >= length or index + 1 == len(told):
            found.append((first, index + 1))
            first, size = index + 1, 0
    return found


def _joined(told: Sequence[Passage]) -> str:
    """The text of passages, a line for each speaker's turn and for each that is not said."""
    rows: list[str] = []
    before = ""
    for passage in told:
        name = SPEAKER.match(passage.text) if passage.kind == "speech" else None
        speaker = name.group() if name else passage.kind
        if rows and speaker == before and passage.kind == "speech":
            rows[-1] += f" {passage.text[len(name.group()) if name else 0 :]}"
        elif not rows or passage.text != rows[-1]:
            rows.append(passage.text)
        before = speaker
    return "\n".join(rows)


def _shares(told: Sequence[Passage], duration: float) -> Any:
    """Where the middle of each passage stands, as a share (0-1) of the video."""
    import numpy as np

    return np.array([passage.middle for passage in told]) / max(duration, TINY)


def _grown(told: Sequence[Passage], left: Any, best: int) -> tuple[int, int]:
    """The run of passages around the best that nearly reach it, the better neighbour first."""
    first, last, least = best, best + 1, left[best] - GROWS
    while True:
        before = left[first - 1] if first and _close(told[first - 1], told[first]) else -math.inf
        after = left[last] if last < len(told) and _close(told[last - 1], told[last]) else -math.inf
        longer = (first - 1, last) if before >= after else (first, last + 1)
        fits = max(before, after) >= least and math.isfinite(max(before, after))
        if not fits or _end(told, *longer) - told[longer[0]].start > LONGEST:
            return first, last
        first, last = longer


def _close(before: Passage, after: Passage) -> bool:
    return after.start - before.end <= GAP


def _end(told: Sequence[Passage], first: int, last: int) -> float:
    return max(passage.end for passage in told[first:last])


def _moment(told: Sequence[Passage], span: tuple[int, int, int], scores: Any) -> Moment:
    at, first, last = span
    text = " ".join(dict.fromkeys(passage.text for passage in told[first:last]))
    return Moment(told[first].start, _end(told, first, last), float(scores[at]), text)
