"""Makes tour.mp4 and tour.questions.json, the example that ships with silvr.

Needed only to remake them: a system ffmpeg built with the flite voices, Pillow, the DejaVu fonts.
The speech never reads a slide aloud, and no slide shows what is only said: a question can ask for
either. Run: python examples/make_tour.py
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import tour_pictures as pictures
from PIL import Image

HERE = Path(__file__).parent
FPS, RATE = 10, 16_000
LEAD, PAUSE, TAIL = 0.9, 0.45, 1.1  # seconds of silence before, between and after the sentences

MARTHA, PETER = "slt", "rms"


@dataclass(frozen=True)
class Shot:
    """One picture while one voice says its sentences; the first shot of a chapter names it."""

    draw: Any
    voice: str
    sentences: tuple[str, ...]
    chapter: str | None = None


@dataclass(frozen=True)
class Spoken:
    """A shot with its place in the video, and each sentence with its own."""

    shot: Shot
    start: float
    end: float
    sentences: tuple[tuple[float, float, str], ...]


SHOTS = (
    Shot(
        pictures.title,
        MARTHA,
        (
            "Good evening, and welcome to Willow Hill Observatory.",
            "My name is Martha, and I have looked after this place for nineteen years.",
            "Tonight I will show you the dome, the telescope, the log book and the workshop.",
        ),
        "Welcome",
    ),
    Shot(
        pictures.dome,
        MARTHA,
        (
            "This is the dome.",
            "It was built in 1931 by Samuel Reed, a retired baker.",
            "He wanted to see the rings of Saturn before he died, and he did.",
            "The dome weighs four tons, and no engine turns it.",
        ),
        "The dome",
    ),
    Shot(
        pictures.gear_plate,
        MARTHA,
        (
            "We turn it by hand, with a winch that came from an old fishing boat.",
            "One full turn takes eleven minutes, and it is loud enough to wake the sheep.",
        ),
    ),
    Shot(
        pictures.telescope,
        MARTHA,
        (
            "Here is the telescope.",
            "Its mirror was ground and polished by the children of the village school.",
            "It took them two winters.",
            "If you look along the tube, you will see a small dent.",
            "A goat made that dent, and we decided to keep it.",
        ),
        "The telescope",
    ),
    Shot(
        pictures.telescope_facts,
        MARTHA,
        (
            "I will not read all of this to you.",
            "The important thing is that a child can move it with one finger.",
        ),
    ),
    Shot(
        pictures.log_book,
        MARTHA,
        (
            "This is the log book.",
            "Everybody who looks through the telescope may write one line in it.",
            "The oldest drawing is by a girl called Alice, who drew the moon as a piece of cheese.",
            "In the great storm the roof leaked, and the postman saved the book.",
            "He carried it home under his coat.",
        ),
        "The log book",
    ),
    Shot(
        pictures.workshop,
        PETER,
        (
            "Hello, I am Peter, and I repair whatever breaks.",
            "Most people ask me how to clean a telescope mirror.",
            "First, I blow away the dust.",
            "Then I wash it with soap and distilled water.",
            "Last of all, I let it dry for six hours.",
            "Never use a towel.",
            "And if a lamp goes out, just take a new one from the drawer.",
        ),
        "The workshop",
    ),
    Shot(
        pictures.visit,
        MARTHA,
        (
            "If you would like to come back, bring a warm coat, because the dome has no heating.",
            "Please switch off your telephone.",
            "A bright screen spoils everyone's eyes for twenty minutes.",
            "And bring a biscuit for Pepper, our cat.",
            "She will not let you in without one.",
        ),
        "Plan your visit",
    ),
    Shot(
        pictures.goodbye,
        MARTHA,
        ("That is the end of our tour.", "Watch the sky on your way home.", "Good night."),
        "Good night",
    ),
)

# (type, question, answer, options, where): `where` names a sentence by its first words, or a
# picture, or nothing where the video does not say. The options of `when` are such names as well.
QUESTIONS: tuple[tuple[str, str, str, tuple[str, ...], str], ...] = (
    (
        "speech_fact",
        "Who built the dome?",
        "Samuel Reed, a retired baker",
        ("the village postman", "Samuel Reed, a retired baker", "Peter", "a fisherman"),
        "It was built",
    ),
    (
        "speech_fact",
        "Where does the winch that turns the dome come from?",
        "an old fishing boat",
        ("a railway crane", "a windmill", "an old fishing boat", "a coal mine"),
        "We turn it by hand",
    ),
    (
        "speech_fact",
        "Who saved the log book in the great storm?",
        "the postman",
        ("the postman", "a girl called Alice", "the baker", "Martha"),
        "In the great storm",
    ),
    (
        "speech_fact",
        "For how long does the mirror dry after washing?",
        "six hours",
        ("twenty minutes", "two winters", "eleven minutes", "six hours"),
        "Last of all",
    ),
    (
        "onscreen_only",
        "When does the last bus leave?",
        "23:10",
        ("22:45", "23:10", "0:15", "21:30"),
        "visit",
    ),
    (
        "onscreen_only",
        "In which drawer are the red bulbs?",
        "drawer 7",
        ("drawer 3", "drawer 9", "drawer 7", "drawer 12"),
        "workshop",
    ),
    (
        "onscreen_only",
        "Who observed the Ring Nebula on 9 April?",
        "P. Lindqvist",
        ("A. Moreno", "J. Okafor", "C. Yamada", "P. Lindqvist"),
        "log_book",
    ),
    (
        "onscreen_only",
        "What is the number of the gear plate?",
        "WH-2047",
        ("WH-2047", "RB-518", "K 7716", "WH-1931"),
        "gear_plate",
    ),
    (
        "onscreen_only",
        "What is the focal length of the telescope?",
        "189 cm",
        ("42 cm", "189 cm", "50 cm", "208 cm"),
        "telescope_facts",
    ),
    (
        "when",
        "When does Peter begin to speak?",
        "",
        ("Here is the telescope", "If you would", "Hello, I am Peter", "This is the dome"),
        "Hello, I am Peter",
    ),
    (
        "when",
        "When is the goat mentioned?",
        "",
        ("A goat made", "It was built", "Never use", "In the great storm"),
        "A goat made",
    ),
    (
        "order",
        "What does Peter do directly after he has blown away the dust?",
        "he washes the mirror with soap and distilled water",
        (
            "he lets it dry",
            "he wipes it with a towel",
            "he washes the mirror with soap and distilled water",
            "he polishes it",
        ),
        "Then I wash",
    ),
    (
        "order",
        "Which does the tour show first: the log book, the workshop, the telescope or the cat?",
        "the telescope",
        ("the log book", "the workshop", "the telescope", "the cat"),
        "Here is the telescope",
    ),
    ("absent", "How tall is Willow Hill?", "", (), ""),
    ("absent", "What is the name of the goat?", "", (), ""),
)


def main() -> None:
    spoken, sound = perform()
    encode(HERE / "tour.mp4", spoken, sound)
    write_questions(HERE / "tour.questions.json", spoken)


def perform() -> tuple[list[Spoken], np.ndarray]:
    """Say every shot; returns the shots with their times and the sound, int16[n] at 16 kHz."""
    spoken, pieces, now = [], [], 0.0
    for shot in SHOTS:
        start, sentences = now, []
        pieces.append(silence(LEAD))
        now += LEAD
        for text in shot.sentences:
            voice = say(text, shot.voice)
            sentences.append((round(now, 2), round(now + len(voice) / RATE, 2), text))
            pieces += [voice, silence(PAUSE)]
            now += len(voice) / RATE + PAUSE
        rest = np.ceil((now + TAIL) * FPS) / FPS - now  # shots end on a frame
        pieces.append(silence(rest))
        now += rest
        spoken.append(Spoken(shot, round(start, 2), round(now, 2), tuple(sentences)))
    return spoken, np.concatenate(pieces)


def say(text: str, voice: str) -> np.ndarray:
    """int16[n] at 16 kHz, spoken by flite."""
    source = "flite=text='" + text.replace("'", r"'\\\''") + f"':voice={voice}"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source]
    command += ["-ar", str(RATE), "-ac", "1", "-f", "s16le", "-"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.int16)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.int16)


def encode(path: Path, spoken: list[Spoken], sound: np.ndarray) -> None:
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "26", "preset": "slow"})
        video.width, video.height, video.pix_fmt = pictures.WIDTH, pictures.HEIGHT, "yuv420p"
        audio = container.add_stream("aac", rate=RATE, layout="mono", bit_rate=48_000)
        container.metadata.update(title="An Evening at Willow Hill", copyright="CC0-1.0")
        for image in frames(spoken):
            container.mux(video.encode(av.VideoFrame.from_image(image)))
        container.mux(video.encode(None))
        for start in range(0, len(sound), 1024):
            block = np.ascontiguousarray(sound[None, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))


def frames(spoken: list[Spoken]) -> Any:
    for each in spoken:
        for index in range(round((each.end - each.start) * FPS)):
            image: Image.Image = each.shot.draw(index / FPS)
            yield image


def write_questions(path: Path, spoken: list[Spoken]) -> None:
    opening = [(each.start, each.shot.chapter) for each in spoken if each.shot.chapter]
    ends = [start for start, _ in opening[1:]] + [spoken[-1].end]
    document = {
        "video": "tour.mp4",
        "duration": spoken[-1].end,
        "licence": "CC0-1.0",
        "chapters": [
            {"start": start, "end": end, "title": title}
            for (start, title), end in zip(opening, ends, strict=True)
        ],
        "segments": [{"type": "slide", "start": each.start, "end": each.end} for each in spoken],
        "visual_events": [],
        "speech": [
            {"start": start, "end": end, "text": text}
            for each in spoken
            for start, end, text in each.sentences
        ],
        "questions": [question(number, spoken) for number in range(len(QUESTIONS))],
    }
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def question(number: int, spoken: list[Spoken]) -> dict[str, Any]:
    kind, text, answer, options, where = QUESTIONS[number]
    span = find(where, spoken) if where else None
    if kind == "when":
        answer = clock(where, spoken)
        options = tuple(clock(option, spoken) for option in options)
    return {
        "id": f"tour{number + 1:02d}",
        "type": kind,
        "question": text,
        "options": list(options) or None,
        "answer_idx": options.index(answer) if options else None,
        "answer": answer or "not stated in the video",
        "gold_spans": [list(span)] if span else [],
    }


def clock(where: str, spoken: list[Spoken]) -> str:
    minutes, seconds = divmod(int(find(where, spoken)[0]), 60)
    return f"{minutes}:{seconds:02d}"


def find(where: str, spoken: list[Spoken]) -> tuple[float, float]:
    """The span of the sentence that starts with `where`, or of the picture of that name."""
    for each in spoken:
        if each.shot.draw.__name__ == where:
            return each.start, each.end
        for start, end, text in each.sentences:
            if text.startswith(where):
                return start, end
    raise LookupError(f"nothing in the video starts with {where!r}")


if __name__ == "__main__":
    main()
