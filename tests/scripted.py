"""A TextModel that says what a test tells it to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from silvr_cli.protocols import Message, Reply, Request
from silvr_cli.records import Usage


class Scripted:
    """Replies with the next of `replies`, or with what `say(prompt)` gives; keeps the prompts."""

    name, slots, context_length, reading_budget = "scripted", 1, 4096, None

    def __init__(
        self,
        *replies: str,
        say: Callable[[str], str] | None = None,
        words: bool = True,
        reading: int | None = None,
    ) -> None:
        self.replies, self.say, self.prefers_words = list(replies), say, words
        self.reading_budget = reading
        self.asked: list[str] = []

    def fingerprint(self) -> str:
        return "scripted@1"

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def chat(self, messages: Sequence[Message], request: Request = Request()) -> Reply:
        prompt = messages[-1].content
        self.asked.append(prompt)
        text = self.say(prompt) if self.say else self.replies.pop(0)
        return Reply(text, usage=Usage(1, len(prompt.split()), len(text.split())))

    def close(self) -> None:
        return


def as_they_are(lines: Sequence, tokens: int) -> str:
    """A `shorten` that leaves out nothing."""
    from silvr_cli.timeline import as_text

    return as_text(lines)
