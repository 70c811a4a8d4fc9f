"""Where a question's answer is told: hit@1 of `silvr find` beside a BM25 floor.

    python benchmarks/retrieval.py SET_FOLDER [--window 15] [--sample 300] [--vectors FILE]
                                   [--anonymous] [--embed SPEC [--base-url URL]]
                                   [--read SPEC [--readings FILE]]

SET_FOLDER holds timelines.jsonl (video_id, duration, events with start, end, text and perhaps
speaker) and questions.jsonl (video_id, question, gold_spans in seconds), as TutorialVQA (window 15)
and QMSum (window 60) do. A hit: the middle of the first moment lies in a gold span. The floor is
BM25 over windows of so many seconds at half steps, as published beside these sets. The videos, and
so the questions, are split by a hash into those that weights were tuned on and those they were not.
With --read a text model reads the likeliest stretches too, as `silvr find --read` does: seconds a
stretch. FILE keeps what it found, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from silvr_cli import backends
from silvr_cli.configuration import load
from silvr_cli.evals import qmsum
from silvr_cli.protocols import Embedder, TextModel
from silvr_cli.records import Line, Moment, Timeline, Video
from silvr_cli.relevance import Index
from silvr_cli.settings import Moments
from silvr_cli.stages import moments, reading
from silvr_cli.talk import Talk

Span = tuple[float, float]


class Remembered:
    """An Embedder that keeps every row, so that a text is embedded once over all questions."""

    def __init__(self, embedder: Embedder, file: Path | None) -> None:
        self.embedder, self.file = embedder, file
        self.rows: dict[str, np.ndarray] = {}
        if file and file.is_file():
            with np.load(file) as kept:
                self.rows = dict(zip(kept["texts"].tolist(), kept["rows"], strict=True))

    def embed(self, texts: Sequence[str], *, query: bool = False) -> np.ndarray:
        if query:
            return self.embedder.embed(texts, query=True)
        new = [text for text in dict.fromkeys(texts) if text not in self.rows]
        if new:
            self.rows.update(zip(new, self.embedder.embed(new), strict=True))
        return np.array([self.rows[text] for text in texts])

    def save(self) -> None:
        if self.file:
            np.savez(self.file, texts=np.array(list(self.rows)), rows=list(self.rows.values()))


def timelines(folder: Path, anonymous: bool) -> dict[str, Timeline]:
    found = {}
    for row in map(json.loads, (folder / "timelines.jsonl").read_text("utf-8").splitlines()):
        lines = tuple(
            Line(e["start"], e["end"], "speech", text)
            for e in row["events"]
            if e["start"] is not None and e["end"] is not None and (text := said(e, anonymous))
        )
        video = Video(row["video_id"], row["video_id"], row["duration"])
        found[row["video_id"]] = Timeline(video, lines)
    return found


def said(event: dict, anonymous: bool) -> str:
    """The text with its speaker, if it has one; meetings are read as `silvr eval qmsum` does."""
    if not event.get("speaker"):
        return event["text"]
    text = qmsum.plain(event["text"])
    return f"{event['speaker']}: {text}" if text and not anonymous else text


def questions(folder: Path, sample: int | None) -> list[dict]:
    rows = map(json.loads, (folder / "questions.jsonl").read_text("utf-8").splitlines())
    found = [row for row in rows if row.get("gold_spans")]
    found.sort(key=lambda row: hashed(row["qid"]))
    return found[:sample]


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def tuned(question: dict) -> bool:
    return int(hashed(question["video_id"])[:2], 16) % 2 == 0


def floor(timeline: Timeline, seconds: float) -> Callable[[str], list[Span]]:
    starts = np.arange(0, timeline.video.duration, seconds / 2).tolist()
    heard = [[n for n in timeline.lines if n.start < s + seconds and n.end > s] for s in starts]
    spans = [(s, s + seconds) for s, lines in zip(starts, heard, strict=True) if lines]
    index = Index([" ".join(line.text for line in lines) for lines in heard if lines])

    def best(query: str) -> list[Span]:
        scores = index.scores(query)
        return [spans[i] for i in sorted(range(len(spans)), key=lambda i: -scores[i])[:3]]

    return best


def nearest(timeline: Timeline, query: str, embedder: Remembered) -> list[Span]:
    """Embeddings alone: the sentences nearest to the query."""
    told = moments.passages(timeline.lines)
    scores = embedder.embed([p.text for p in told]) @ embedder.embed([query], query=True)[0]
    return [(told[i].start, told[i].end) for i in np.argsort(-scores)[:3]]


def spans(found: Sequence[Moment]) -> list[Span]:
    return [(moment.start, moment.end) for moment in found]


class Readings:
    """What a model found in each stretch, for a question; kept in FILE, a line each (a Work)."""

    def __init__(self, model: TextModel, file: Path | None) -> None:
        self.talk, self.file, self.question = Talk(model), file, ""
        self.found: dict[str, float] = {}
        if file and file.is_file():
            self.found = dict(map(json.loads, file.read_text("utf-8").splitlines()))

    def __call__(self, texts: Sequence[str]) -> Sequence[float]:
        self.texts = texts
        room = load().settings.reasoning.max_tokens
        return reading.read(texts, self.question, self.talk, self, room)

    def get(self, key: str) -> float | None:
        return self.found.get(self._name(key))

    def put(self, key: str, value: float) -> None:
        self.found[self._name(key)] = value
        if self.file:
            with self.file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps([self._name(key), value]) + "\n")

    def report(self, done: float, total: float) -> None:
        return

    def note(self, message: str) -> None:
        print(message)

    def _name(self, key: str) -> str:
        return hashed(f"{self.question}\n{self.texts[int(key.split()[-1])]}")[:24]


def hit(found: Sequence[Span], question: dict) -> bool:
    middles = [(start + end) / 2 for start, end in found]
    return any(a <= middle <= b for middle in middles for a, b in question["gold_spans"])


def report(name: str, rows: Sequence[tuple[dict, list[Span]]]) -> None:
    def rate(part: Sequence[tuple[dict, list[Span]]], most: int) -> str:
        hits = [hit(found[:most], question) for question, found in part]
        return f"{np.mean(hits):6.1%} of {len(hits)}" if hits else "-"

    tune = [row for row in rows if tuned(row[0])]
    check = [row for row in rows if not tuned(row[0])]
    print(
        f"{name:14s} hit@1 {rate(rows, 1)}   tuned on {rate(tune, 1)}   not {rate(check, 1)}"
        f"   hit@3 {rate(rows, 3)}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--window", type=float, default=15.0)
    parser.add_argument("--sample", type=int)
    parser.add_argument("--vectors", type=Path, help="keeps embeddings between runs (.npz)")
    parser.add_argument("--anonymous", action="store_true", help="without the speakers' names")
    parser.add_argument("--embed", default="minilm")
    parser.add_argument("--base-url", help="server of --embed openai/MODEL")
    parser.add_argument("--read", metavar="SPEC", help="the text model that reads")
    parser.add_argument("--readings", type=Path, help="keeps what it found (.jsonl)")
    options = parser.parse_args()
    settings = load({"servers.base_url": options.base_url} if options.base_url else {}).settings
    told = timelines(options.folder, options.anonymous)
    asked = questions(options.folder, options.sample)
    floors = {name: floor(timeline, options.window) for name, timeline in told.items()}
    report("floor", [(q, floors[q["video_id"]](q["question"])) for q in asked])

    def find(
        question: dict, embedder: Embedder | None, readings: Readings | None = None
    ) -> tuple[Moment, ...]:
        timeline, reader = told[question["video_id"]], None
        if readings:
            readings.question = question["question"]
            reader = moments.Reader(readings, settings.reading.stretches)
        return moments.find(timeline, question["question"], Moments(top=3), embedder, reader)

    report("words", [(q, spans(find(q, None))) for q in asked])
    memory = Remembered(backends.embedder(options.embed, settings), options.vectors)
    report("embeddings", [(q, nearest(told[q["video_id"]], q["question"], memory)) for q in asked])
    memory.save()
    report("both", [(q, spans(find(q, memory))) for q in asked])
    if options.read:
        # Questions of one video in a row: the model remembers stretches that it has read.
        asked.sort(key=lambda question: question["video_id"])
        with closing(backends.text_model(options.read, settings)) as model:
            readings = Readings(model, options.readings)
            report("read", [(q, spans(find(q, memory, readings))) for q in asked])
        usage = readings.talk.usage
        print(f"{usage.calls} calls, {usage.prompt_tokens} tokens read, {usage.seconds:.0f} s")


if __name__ == "__main__":
    main()
