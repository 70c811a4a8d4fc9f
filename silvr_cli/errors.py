"""Everything silvr can say went wrong, and the exit code each carries.

SilvrError                    never raised itself
├── UsageError            2   the command or its options cannot be carried out
│   ├── SettingsError     2   settings files, SILVR_* variables or flags hold bad keys or values
│   └── CacheError        2   the cache cannot be opened, is read-only, full or from a newer silvr
├── InputError            3   the input cannot be read as video, sound, captions or subtitles
├── ModelError            4   a model or its server is missing or failed
│   ├── BackendMissing    4   a provider's package is not installed (names the extra)
│   ├── WeightsError      4   weights cannot be found, pulled or verified
│   ├── ContextOverflow   4   the prompt is longer than the model's context
│   ├── UnknownModel      4   a server does not have the model that is named
│   ├── Refused           4   a server is busy, away or cut off: the same call may succeed later
│   └── ReplyError        4   the model's reply cannot be used
└── PartlyDone            5   some of many inputs failed; the rest are done
    └── LimitReached      5   the next call would pass a limit that the user set

A message is one sentence: what failed, with which value; `hint` says what to do.
"""

from __future__ import annotations

from .legible import legible


class SilvrError(Exception):
    """An expected failure: one sentence, an optional hint, an exit code."""

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        # It may name a file whose name is not UTF-8, and is kept in the cache and in JSON.
        self.message = legible(message)
        super().__init__(self.message)
        self.hint = legible(hint) if hint else hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(SilvrError):
    exit_code = 2


class SettingsError(UsageError):
    pass


class CacheError(UsageError):
    pass


class InputError(SilvrError):
    exit_code = 3


class ModelError(SilvrError):
    exit_code = 4


class BackendMissing(ModelError):
    pass


class WeightsError(ModelError):
    pass


class ContextOverflow(ModelError):
    pass


class ReplyError(ModelError):
    pass


class UnknownModel(ModelError):
    pass


class Refused(ModelError):
    """`retry_after` is how many seconds the server asked to wait, if it did."""

    def __init__(
        self, message: str, hint: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after


class PartlyDone(SilvrError):
    exit_code = 5


class LimitReached(PartlyDone):
    pass
