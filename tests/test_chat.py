"""`silvr chat` on a terminal: nothing is painted over what is typed, answers go to stdout."""

from __future__ import annotations

import io
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import VideoMaker

from silvr_cli.cli import display

pty = pytest.importorskip("pty")
SRT = "1\n00:00:01,000 --> 00:00:04,000\nAnna Weber opened the gate.\n"
SIZE = 65536
PROMPT, CURSOR_GONE, CURSOR_BACK = b"> ", b"\x1b[?25l", b"\x1b[?25h"


class Screen:
    """The terminal's other end: types, and reads what is written."""

    def __init__(self, end: int) -> None:
        self.end = end

    def during(self, seconds: float) -> bytes:
        """What is written in the next `seconds`."""
        found, until = b"", time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([self.end], [], [], left)[0]:
                found += os.read(self.end, SIZE)
        return found

    def until(self, awaited: bytes) -> bytes:
        """What is written up to `awaited`; pytest-timeout ends a vain wait."""
        found = b""
        while awaited not in found:
            found += os.read(self.end, SIZE)
        return found

    def type(self, text: bytes) -> None:
        os.write(self.end, text)


@contextmanager
def on_a_terminal(answers: Path, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], Screen]]:
    try:
        ours, theirs = pty.openpty()
    except OSError:
        pytest.skip("no terminal can be made here")
    command = [sys.executable, "-m", "silvr_cli", *words]
    with answers.open("wb") as stdout:
        chat = subprocess.Popen(command, stdin=theirs, stdout=stdout, stderr=theirs)
    os.close(theirs)
    try:
        yield chat, Screen(ours)
    finally:
        chat.kill()
        chat.wait()
        os.close(ours)


def test_what_is_typed_stands_behind_the_prompt_and_stays(
    subtitled: VideoMaker, tmp_path: Path
) -> None:
    answers, video = tmp_path / "answers", str(subtitled(SRT))
    with on_a_terminal(answers, "chat", video, "--dry-run") as (chat, screen):
        shown = screen.until(PROMPT)
        assert shown.count(CURSOR_GONE) == shown.count(CURSOR_BACK) >= 1
        for question in (b"Who opened the gate?", b"Which gate did Anna open?"):
            screen.type(question)
            assert screen.during(0.5) == question
            screen.type(b"\n")
            screen.until(PROMPT)
        screen.type(b"\x04")
        assert screen.until(b"go on with").startswith(b"\r\n")
        assert chat.wait() == 0
    assert answers.read_bytes().count(b"[fake]") == 2


def test_bars_that_were_cleared_come_back_with_the_next_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    gone, back = CURSOR_GONE.decode(), CURSOR_BACK.decode()
    with display.bar("") as advance:
        for times, name in enumerate(("captions", "notes"), 1):
            assert terminal.getvalue().count(gone) == times - 1
            advance(name, 1, 2)
            assert terminal.getvalue().count(gone) == times
            display.clear(advance)
            display.clear(advance)
            assert terminal.getvalue().count(back) == times
            assert sys.stderr is terminal
    assert "notes" in terminal.getvalue().rpartition(gone)[2]
    assert "captions" not in terminal.getvalue().rpartition(gone)[2]
