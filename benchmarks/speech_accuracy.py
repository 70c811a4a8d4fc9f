"""How well speech and on-screen text of a made film are turned into language, and at what cost.

    python benchmarks/speech_accuracy.py VIDEO TRUTH.json [--beam-size N] [--batched] [--no-screen]

Prints the word error rate against the truth's `speech`, how many of its `onscreen` texts were
read whole, and the CPU seconds (user and system, all threads) and peak memory that it took.
Numbers are compared as digits: "5 pictures" and "five pictures" are the same words.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import time
from pathlib import Path
from typing import Any

from silvr_cli import backends
from silvr_cli.configuration import load
from silvr_cli.media.decode import Projector
from silvr_cli.media.probe import probe
from silvr_cli.records import Line
from silvr_cli.stages.screen_text import read_screen
from silvr_cli.stages.speech import transcribe

NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve thirteen"
SPELLINGS = {
    "harbour": "harbor",
    "programme": "program",
    **{w: str(n) for n, w in enumerate(NUMBERS.split())},
}


class Desk:
    """A Work that keeps its pieces in memory."""

    def __init__(self) -> None:
        self.pieces: dict[str, Any] = {}
        self.notes: list[str] = []

    def get(self, key: str) -> Any | None:
        return self.pieces.get(key)

    def put(self, key: str, value: Any) -> None:
        self.pieces[key] = value

    def report(self, done: float, total: float) -> None:
        pass

    def note(self, message: str) -> None:
        self.notes.append(message)


def words(text: str) -> list[str]:
    """Lower-case words; signs for money and per cent as words or not at all."""
    text = re.sub(r"(?<=\d),(?=\d)", "", text.lower().replace("%", " percent ").replace("$", " "))
    text = re.sub(r"\bdollars?\b", " ", text)
    return [SPELLINGS.get(word, word) for word in re.findall(r"[a-z0-9']+", text)]


def word_errors(truth: list[str], heard: list[str]) -> int:
    """The edit distance in words."""
    row = list(range(len(heard) + 1))
    for i, expected in enumerate(truth, 1):
        diagonal, row[0] = row[0], i
        for j, word in enumerate(heard, 1):
            cost = min(row[j] + 1, row[j - 1] + 1, diagonal + (expected != word))
            diagonal, row[j] = row[j], cost
    return row[-1]


def print_speech(truth: dict[str, Any], lines: tuple[Line, ...]) -> None:
    said = words(" ".join(s["speech"] or "" for s in truth["segments"]))
    heard = words(" ".join(line.text for line in lines))
    errors = word_errors(said, heard)
    print(f"speech: WER {errors / len(said):.3f}  ({errors} of {len(said)} words)")


def print_screen(truth: dict[str, Any], lines: tuple[Line, ...]) -> None:
    found = total = 0
    for segment in truth["segments"]:
        shown = [n for n in lines if n.start < segment["end"] and n.end > segment["start"]]
        read = plain(" ".join(n.text for n in shown))
        missed = [text for text in segment["onscreen"] if plain(text) not in read]
        total += len(segment["onscreen"])
        found += len(segment["onscreen"]) - len(missed)
        if missed:
            print(f"   missed at {segment['start']}: {missed}")
    print(f"on-screen text: recall {found / total:.3f}  ({found} of {total})")


def plain(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--beam-size", type=int)
    parser.add_argument("--batched", action="store_true")
    parser.add_argument("--no-screen", action="store_true")
    options = parser.parse_args()
    flags = {"speech.beam_size": options.beam_size, "speech.batched": options.batched or None}
    settings = load(flags).settings
    truth = json.loads(options.truth.read_text("utf-8"))
    with Projector(probe(options.video), settings.media) as projector:
        footage = projector.footage()
        if footage.sound is None:
            raise SystemExit(f"{options.video} has no sound")
        model = backends.speech_model("whisper/base", settings)
        start = time.process_time()
        print_speech(truth, transcribe(footage.sound, model, settings.speech, Desk()))
        print_cost("speech", start, footage.duration)
        if not options.no_screen:
            reader = backends.text_reader("rapidocr", settings)
            start, desk = time.process_time(), Desk()
            lines = read_screen(
                footage.frames, footage.duration, reader, settings.screen_text, desk
            )
            print_screen(truth, lines)
            print(f"   {len(desk.pieces)} of {len(footage.frames)} frames read, {len(lines)} lines")
            print_cost("on-screen text", start, footage.duration)


def print_cost(what: str, start: float, duration: float) -> None:
    used = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what}: {used:.1f} CPU s, {used / duration:.3f} per second of video, peak {memory:.0f} MB"
    )


if __name__ == "__main__":
    main()
