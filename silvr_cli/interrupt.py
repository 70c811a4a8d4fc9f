"""Ctrl-C that cannot get lost: Python drops a KeyboardInterrupt that strikes in a destructor."""

from __future__ import annotations

import signal
import threading
from types import FrameType

_asked = threading.Event()


def listen() -> None:
    """From now on Ctrl-C raises KeyboardInterrupt at once, and again wherever `check` is called.

    Call it from the main thread.
    """
    _asked.clear()
    signal.signal(signal.SIGINT, _interrupt)


def check() -> None:
    """Raise KeyboardInterrupt if it was asked for; long loops of the main thread call it."""
    if _asked.is_set():
        raise KeyboardInterrupt


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    _asked.set()
    raise KeyboardInterrupt
