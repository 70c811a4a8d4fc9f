"""Sound -> utterances: finds where somebody speaks and has each stretch transcribed.

Knows the SpeechModel protocol, no model. Every window is a piece: a killed run goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..inflight import in_flight
from ..protocols import SAMPLE_RATE, Window
from ..records import Line

if TYPE_CHECKING:
    from ..media.footage import Sound
    from ..protocols import SpeechModel, Work
    from ..settings import Speech

CHUNK_SECONDS = 600.0
LANGUAGE_SECONDS = 30.0
# As int16: below this everything is silence, and asking a model invites it to invent.
SILENT = 40
REPEATS = 2


def transcribe(sound: Sound, model: SpeechModel, settings: Speech, work: Work) -> tuple[Line, ...]:
    """Utterances in order of time; one that says the same thing over and over is cut to two.

    Raises ModelError when the model fails.
    """
    windows = list(_windows(sound, model, work))
    if not windows:
        work.note("nobody is heard speaking")
        return ()
    language = settings.language or _language(sound, windows, model, work)
    told: dict[float, list[Line]] = {}

    def hear(window: Window) -> list[Line]:
        return _heard(sound, window, model, language, work)

    for window, lines_heard in in_flight(hear, windows, model.slots):
        told[window.start] = lines_heard
        work.report(sound.duration * len(told) / len(windows), sound.duration)
    work.report(sound.duration, sound.duration)
    lines = tuple(_without_loops([line for start in sorted(told) for line in told[start]]))
    if not lines:
        work.note("nobody is heard speaking clearly enough to write down")
    return lines


def _windows(sound: Sound, model: SpeechModel, work: Work) -> Iterator[Window]:
    """Windows of the whole sound, found chunk by chunk so that hours of it fit in memory."""
    start = 0.0
    while start < sound.duration:
        end = min(sound.duration, start + CHUNK_SECONDS)
        work.report(0, sound.duration)
        found = _chunk(sound, start, end, model, work)
        if end < sound.duration and found and found[-1].end > end - 1.0 and len(found) > 1:
            # The last stretch may go on behind the edge: begin the next chunk with it.
            end = found.pop().start
        yield from found
        start = end


def _chunk(sound: Sound, start: float, end: float, model: SpeechModel, work: Work) -> list[Window]:
    key = f"windows {start:.3f}-{end:.3f}"
    stored = work.get(key)
    if stored is None:
        piece = sound.samples[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
        silent = not len(piece) or max(int(piece.max()), -int(piece.min())) < SILENT
        windows = [] if silent else model.windows(sound.cut(start, end))
        stored = [[start + window.start, start + window.end] for window in windows]
        work.put(key, stored)
    return [Window(a, b) for a, b in stored]


def _language(
    sound: Sound, windows: Sequence[Window], model: SpeechModel, work: Work
) -> str | None:
    language = work.get("language")
    if language is None:
        longest = max(windows, key=lambda window: window.end - window.start)
        cut = sound.cut(longest.start, min(longest.end, longest.start + LANGUAGE_SECONDS))
        language = model.detect_language(cut)
        if language is None:
            return None
        work.put("language", language)
    work.note(f"speech: taken for {language}; --language names another")
    return str(language)


def _heard(
    sound: Sound, window: Window, model: SpeechModel, language: str | None, work: Work
) -> list[Line]:
    key = f"speech {window.start:.3f}-{window.end:.3f}"
    stored = work.get(key)
    if stored is None:
        lines = model.transcribe(sound.cut(window.start, window.end), language)
        stored = [[n.start, n.end, n.text, n.source] for n in lines]
        work.put(key, stored)
    return [
        Line(window.start + a, window.start + b, "speech", text, None, source)
        for a, b, text, source in stored
    ]


def _without_loops(lines: Sequence[Line]) -> Iterator[Line]:
    """Drop what is said a third time in a row: models caught in a loop do that, people hardly."""
    run = 0
    for before, line in zip([None, *lines], lines, strict=False):
        run = run + 1 if before and _plain(before.text) == _plain(line.text) else 1
        if run <= REPEATS and _plain(line.text):
            yield replace(line, end=max(line.start, line.end))


def _plain(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
