"""What models behind a server share: estimates of tokens, keys, and how a refusal is told.

A server's tokenizer is not at hand, so sizes are upper bounds from bytes, learned from what the
server reports; and what it reports tells whether it read the whole prompt.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from ..errors import ContextOverflow
from ..protocols import Message

# Tokens a byte of UTF-8. No tokenizer in use takes more than one token for three bytes of prose,
# or packs seven bytes of a timeline into one.
MOST, LEAST = 1 / 3, 1 / 7
MARGIN = 1.15
# A picture of 768 pixels, by the providers' own arithmetic, at most; and a message's own frame.
IMAGE_TOKENS, MESSAGE_TOKENS = 1600, 16
# Shorter prompts are not judged: a template of the server's own may outweigh them.
JUDGED_BYTES = 4000


class Scale:
    """How many tokens a text comes to, at most; learns from what a server reports."""

    def __init__(self) -> None:
        self.tokens_a_byte = MOST

    def count(self, text: str) -> int:
        return int(len(text.encode("utf-8")) * self.tokens_a_byte) + 1

    def of(self, messages: Sequence[Message]) -> int:
        texts = sum(self.count(message.content) + MESSAGE_TOKENS for message in messages)
        return texts + IMAGE_TOKENS * sum(len(message.images) for message in messages)

    def learn(self, messages: Sequence[Message], reported: int) -> None:
        """Take a reported prompt size as the measure, with a margin, for texts without pictures."""
        size = _bytes(messages)
        if size >= JUDGED_BYTES and reported and not any(m.images for m in messages):
            self.tokens_a_byte = min(max(reported / size * MARGIN, LEAST), 1.0)


def check_whole(messages: Sequence[Message], reported: int, name: str) -> None:
    """Raise ContextOverflow when the server read far fewer tokens than the prompt has."""
    size = _bytes(messages)
    if reported and size >= JUDGED_BYTES and reported < size * LEAST:
        raise ContextOverflow(
            f"{name} read only {reported} tokens of a prompt of about {int(size / 4)}: its server "
            "cut the text",
            "raise the server's context length, or lower --budget",
        )


def _bytes(messages: Sequence[Message]) -> int:
    return sum(len(message.content.encode("utf-8")) for message in messages)


def secret(name: str) -> str | None:
    """A key from the environment, else from the system's keyring (service silvr), else None."""
    found = os.environ.get(name)
    if found:
        return found
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        kept: str | None = keyring.get_password("silvr", name)
    except KeyringError:
        return None
    return kept


def redacted(text: object, *secrets: str | None) -> str:
    """One line of a server's complaint, at most 300 characters, without any of `secrets`."""
    line = " ".join(str(text).split())
    for each in secrets:
        if each:
            line = line.replace(each, "[key]")
    return line if len(line) <= 300 else line[:299] + "…"


def retry_after(header: str | None) -> float | None:
    """Seconds from a Retry-After header: a number or a date."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (at - datetime.now(timezone.utc)).total_seconds())


def chat_message(message: Message) -> dict[str, Any]:
    """A message in the form of OpenAI's chat completions, pictures as data URLs before the text."""
    if not message.images:
        return {"role": message.role, "content": message.content}
    urls = ["data:image/jpeg;base64," + base64.b64encode(j).decode("ascii") for j in message.images]
    pictures = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return {"role": message.role, "content": [*pictures, {"type": "text", "text": message.content}]}
