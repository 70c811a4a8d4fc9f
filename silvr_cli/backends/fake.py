"""Models that only pretend, for tests and --dry-run: deterministic, and they say so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..protocols import SAMPLE_RATE, Message, Reply, Request, TextBox, Window
from ..records import Line, Usage

if TYPE_CHECKING:
    from ..protocols import Image, Samples, Vectors

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


class FakeVision(_Fake):
    """Sees how many pictures there are and what their bytes hash to; tags by the same hash."""

    def describe(self, images: Sequence[bytes], prompt: str, request: Request = Request()) -> Reply:
        seen = " ".join(hashlib.sha256(image).hexdigest()[:6] for image in images)
        text = (
            json.dumps(_first(request.schema))
            if request.schema
            else f"{MARK} {len(images)} pictures: {seen}"
        )
        if request.on_text:
            request.on_text(text)
        return Reply(text, usage=Usage(1, len(prompt.split()), len(text.split())))

    def tags(
        self, images: Sequence[bytes], vocabulary: Sequence[str], most: int = 5
    ) -> list[list[tuple[str, float]]]:
        return [_hashed_tags(image, vocabulary)[:most] for image in images]


def _hashed_tags(image: bytes, vocabulary: Sequence[str]) -> list[tuple[str, float]]:
    weights = [1 + hashlib.sha256(image + word.encode()).digest()[0] for word in vocabulary]
    shares = [weight / sum(weights) for weight in weights]
    return sorted(zip(vocabulary, shares, strict=True), key=lambda tag: -tag[1])


class FakeEmbedder(_Fake):
    """Texts that share words are near each other, however the words are ordered."""

    size = 64

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        del query
        return self._rows([text.casefold().encode().split() for text in texts])

    def embed_images(self, images: Sequence[bytes]) -> Vectors:
        return self._rows([[image] for image in images])

    def _rows(self, bags: Sequence[Sequence[bytes]]) -> Vectors:
        import numpy as np

        rows = np.zeros((len(bags), self.size), np.float32)
        for row, bag in zip(rows, bags, strict=True):
            for word in bag or [b""]:
                row[hashlib.sha256(word).digest()[0] % self.size] += 1
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows
