"""Makes a folder of needle films: plans, draws, speaks, writes; what the `needles` benchmark reads.

Deterministic by seed. Where there is no voice, what would be said is burned into the picture.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from ..exports.cues import cues
from ..media.film import Shot, write
from ..records import Line
from . import haystack, needles, slides
from .haystack import Film
from .voice import Voice

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """Which films: one for each length and number; `voice` is one of eSpeak's, or "" for none."""

    minutes: Sequence[float] = (10.0,)
    needles: int = 10
    films: int = 1
    seed: int = 0
    voice: str = ""
    pictures: bool = True


def make(folder: Path, wish: Wish, tell: Tell = lambda message: None) -> Path:
    """Write the films and, last of all, needles.json; its path.

    Raises UsageError for a wish that cannot be met or a folder that cannot be written,
    BackendMissing without the voice's package.
    """
    voice = Voice(wish.voice) if wish.voice else None
    length = voice.seconds if voice else haystack.read_aloud
    planned = [
        (
            f"needles-{minutes:g}min-{wish.seed + number}",
            minutes,
            haystack.plan(minutes, wish.needles, wish.seed + number, length),
        )
        for minutes in wish.minutes
        for number in range(wish.films)
    ]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        told = f"{folder} cannot be written: {error.strerror}"
        raise UsageError(told, "choose another folder") from error
    for name, _, film in planned:
        if wish.pictures:
            tell(f"{name}.mp4: {film.duration / 60:.1f} minutes")
            rate = voice.rate if voice else None
            write(folder / "videos" / f"{name}.mp4", shots(film, voice), rate)
        _put(folder / "subtitles" / f"{name}.srt", subtitles(film))
    path = folder / needles.FILE
    _put(path, json.dumps(_document(planned, wish), ensure_ascii=False, indent=1) + "\n")
    return path


def shots(film: Film, voice: Voice | None) -> Iterator[Shot]:
    """The film picture by picture: one a sentence with a voice, else one a line burned in."""
    for told in film.told:
        slide = film.slides[told.slide]
        if voice:
            picture = slides.draw(told.slide, slide.title, slide.notes)
            yield Shot(picture, told.end - told.start, voice.say(told.text))
            continue
        for start, end, text in haystack.lines(told):
            yield Shot(slides.draw(told.slide, slide.title, slide.notes, text), end - start)


def subtitles(film: Film) -> str:
    """What is said as an SRT file."""
    lines = (
        Line(start, end, "speech", text)
        for told in film.told
        for start, end, text in haystack.lines(told)
    )
    return cues(lines, "srt")


def _document(planned: Sequence[tuple[str, float, Film]], wish: Wish) -> dict[str, object]:
    voice = wish.voice or "none: burned in"
    return {
        "schema": needles.SCHEMA,
        "seed": wish.seed,
        "films": [needles.told(film, name, minutes, voice) for name, minutes, film in planned],
        "questions": [row for name, _, film in planned for row in needles.asked(film, name)],
    }


def _put(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f".{path.name}.{os.getpid()}")
    made.write_text(text, "utf-8")
    os.replace(made, path)
