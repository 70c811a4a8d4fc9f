"""Real clips give the timelines that were read and judged once; small differences are let pass.

Another processor rounds another way: a line may move by a second or read a word differently, but
no line may be missing and none may be new.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from pathlib import Path

import pytest
from make_goldens import GOLDENS, described

from silvr_cli.records import Line
from silvr_cli.timeline import line_text, parse_clock

NAMES = sorted(path.stem for path in GOLDENS.glob("*.txt"))
LINE = re.compile(r"\[([\d:]+)-([\d:]+)\] (\w+): (.*)")
SECONDS, ALIKE = 1.5, 0.75


def golden(name: str) -> list[Line]:
    text = (GOLDENS / f"{name}.txt").read_text("utf-8")
    return [
        Line(parse_clock(a), parse_clock(b), kind, said)  # type: ignore[arg-type]
        for a, b, kind, said in LINE.findall(text)
    ]


def same(one: Line, other: Line) -> bool:
    near = abs(one.start - other.start) <= SECONDS and abs(one.end - other.end) <= SECONDS
    texts = [line.text.casefold() for line in (one, other)]
    return one.kind == other.kind and near and SequenceMatcher(None, *texts).ratio() >= ALIKE


def told(lines: list[Line]) -> list[str]:
    return [line_text(line) for line in lines]


@pytest.mark.models
@pytest.mark.parametrize("name", NAMES)
def test_a_real_clip_gives_its_golden_timeline(shared: Path, tmp_path: Path, name: str) -> None:
    expected = golden(name)
    lines = list(described(shared / "media" / name, tmp_path / "cache.sqlite"))
    missing = [e for e in expected if not any(same(e, line) for line in lines)]
    new = [line for line in lines if not any(same(e, line) for e in expected)]
    assert (told(missing), told(new)) == ([], [])


def test_there_are_goldens_with_speech_with_text_and_with_neither() -> None:
    kinds = [{line.kind for line in golden(name)} for name in NAMES]
    assert any("speech" in kind for kind in kinds)
    assert any("screen" in kind for kind in kinds)
    assert {"caption"} in kinds
