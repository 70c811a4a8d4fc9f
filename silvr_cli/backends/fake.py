"""Models that only pretend, for tests and --dry-run: deterministic, and they say so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..protocols import SAMPLE_RATE, Message, Reply, Request, TextBox, Window
from ..records import Line, Usage

if TYPE_CHECKING:
    from ..protocols import Image, Samples

MARK = "[fake]"


class _Fake:
    name, slots = "fake", 4

    def fingerprint(self) -> str:
        return "fake@1"

    def close(self) -> None:
        return


class FakeText(_Fake):
    """Answers with the first value a schema allows, else with a sentence that says it is fake."""

    context_length, reading_budget, prefers_words = 8192, None, False

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def chat(self, messages: Sequence[Message], request: Request = Request()) -> Reply:
        prompt = messages[-1].content
        text = (
            json.dumps(_first(request.schema))
            if request.schema
            else f"{MARK} no model has read this; the prompt has {len(prompt)} characters"
        )
        if request.on_text:
            request.on_text(text)
        return Reply(text, usage=Usage(1, sum(self.count([prompt])), len(text.split())))


def _first(schema: dict[str, Any]) -> Any:
    """The simplest value that satisfies a JSON schema."""
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {key: _first(part) for key, part in schema.get("properties", {}).items()}
    return {"array": [], "integer": 0, "number": 0.0, "boolean": False}.get(str(kind), MARK)


class FakeSpeech(_Fake):
    """Hears something every ten seconds, and says so."""

    def windows(self, sound: Samples) -> Sequence[Window]:
        length = len(sound) / SAMPLE_RATE
        return [Window(at, min(length, at + 10)) for at in range(0, int(length), 10)]

    def transcribe(self, sound: Samples, language: str | None) -> Sequence[Line]:
        length = len(sound) / SAMPLE_RATE
        heard = hashlib.sha256(sound.tobytes()).hexdigest()[:6]
        return [Line(0.0, length, "speech", f"{MARK} sound {heard} in {language}", None, "fake")]

    def detect_language(self, sound: Samples) -> str:
        return "en"


class FakeReader(_Fake):
    """Reads the picture's size."""

    def read(self, image: Image) -> Sequence[TextBox]:
        height, width = image.shape[:2]
        return [TextBox(f"{MARK} picture {width}x{height}", 1.0, 0.0, 0.0, 1.0, 0.1)]
