"""A talk with one text model: prompts by name, thinking taken off, what it cost added up.

Knows no stage and no provider; safe to share between threads.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from . import prompts, replies
from .metering import added
from .protocols import Message, Reply, Request
from .records import Usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from .protocols import TextModel

FORCED_ROOM = 16


@dataclass(slots=True)
class Talk:
    """`used` names the prompts that were sent, each with its hash; `usage` is the sum of calls."""

    model: TextModel
    temperature: float = 0.0
    seed: int = 0
    on_text: Callable[[str], None] | None = None
    used: dict[str, str] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(
        self, name: str, tokens: int, schema: dict[str, Any] | None = None, **values: Any
    ) -> Reply:
        """The reply to the prompt `name` filled with `values`."""
        return self._send(name, Request(tokens, self.temperature, self.seed, schema), values)

    def likeliest(self, name: str, most: int, **values: Any) -> tuple[tuple[str, float], ...]:
        """The reply's `most` likeliest first tokens; () where the model does not tell them."""
        request = Request(1, self.temperature, self.seed, likeliest=most)
        return self._send(name, request, values).first

    def likelihood(self, name: str, reply: str, **values: Any) -> float | None:
        """The log probability of `reply` after the prompt; None where the model does not tell it.

        A model that cannot be forced says something of its own, FORCED_ROOM tokens at most.
        """
        request = Request(FORCED_ROOM, self.temperature, self.seed, forced=reply)
        return self._send(name, request, values).likelihood

    def ask_again(self, name: str, tokens: int, **values: Any) -> Reply:
        """Another reply to a prompt whose first one could not be used: warmer, another seed."""
        warmer = max(0.7, self.temperature)
        return self._send(name, Request(tokens, warmer, self.seed + 1), values)

    def _send(self, name: str, request: Request, values: dict[str, Any]) -> Reply:
        prompt = prompts.load(name)
        message = Message("user", prompt.fill(**values))
        started = time.monotonic()
        # Likelihoods come with whole replies, not with streamed ones.
        listener = None if request.likeliest or request.forced else self.on_text
        reply = self.model.chat([message], replace(request, on_text=listener))
        with self._lock:
            self.used[name] = prompt.sha
            spent = replace(reply.usage, calls=1, seconds=time.monotonic() - started)
            self.usage = added(self.usage, spent)
        text, thoughts = replies.without_thinking(reply.text)
        return replace(reply, text=text, reasoning=replies.clean(reply.reasoning) or thoughts)
