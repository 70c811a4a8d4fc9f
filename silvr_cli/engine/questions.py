"""What is asked of which video: from the command line, or a table of questions as JSONL or CSV.

A table with a column `video` says which video each question is for; one without asks all of all.
All mistakes of a table are told at once.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..legible import legible
from .inputs import is_address
from .jobs import Ask, Job, Task, shown

COLUMNS = ("video", "question", "id", "choices")
# As many mistakes as a person reads.
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One question of a table; `video` is empty when it is for every video."""

    ask: Ask
    video: str
    place: str


def read_questions(path: Path) -> tuple[Row, ...]:
    """The rows of a .jsonl, .json, .csv or .tsv table; raises UsageError with all mistakes."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"the questions {path} cannot be read: {reason}") from error
    read = _from_csv if path.suffix.lower() in (".csv", ".tsv") else _from_jsonl
    rows: list[Row] = []
    problems: list[str] = []
    for number, value in read(path, text):
        try:
            rows.append(_row(value, f"{path.name}:{number}"))
        except ValueError as error:
            problems.append(f"line {number} {error}")
    if problems or not rows:
        told = "; ".join(problems[:SHOWN]) or "it holds no question"
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise UsageError(
            f"the questions {path} are wrong: {told}{more}",
            "a row has question, and may have video, id and choices",
        )
    return tuple(rows)


def asked(questions: Iterable[str], choices: Iterable[str]) -> list[Row]:
    """The questions of a command line, each for every video; raises UsageError."""
    rows, listed = [], list(choices) or None
    for text in questions:
        try:
            rows.append(_row({"question": text, "choices": listed}, "--question"))
        except ValueError as error:
            raise UsageError(
                f"--question '{text}' {error}", "--choice names a possible answer; repeat it"
            ) from error
    return rows


def make_jobs(
    task: Task, videos: Sequence[str], rows: Iterable[Row], folder: Path | None
) -> list[Job]:
    """A job a video, in order; `folder` is where the table lies, for its relative paths.

    Rows name a video by its path, or by the name of one of `videos`. Raises UsageError with all
    names that fit nothing or too much, and all ids that stand twice for one video.
    """
    problems: list[str] = []
    by_name: dict[str, list[str]] = {}
    for video in videos:
        for name in {os.path.basename(video), os.path.splitext(os.path.basename(video))[0]}:
            by_name.setdefault(name, []).append(video)
    by_path = {os.path.abspath(video): video for video in videos}
    meant: list[tuple[Ask, list[str]]] = []
    for row in rows:
        try:
            named = _named(row.video, by_path, by_name, folder) if row.video else []
        except ValueError as error:
            problems.append(f"{row.place} {error}")
            continue
        meant.append((row.ask, named))
    # Rows without a video are for all, also for those that only later rows name.
    every = (*videos, *(video for _, named in meant for video in named))
    asks: dict[str, dict[Ask, None]] = {video: {} for video in every}
    for ask, named in meant:
        for video in named or asks:
            asks[video][ask] = None
    wanted = {video: tuple(found) for video, found in asks.items() if found}
    problems += _twice(task, wanted)
    if problems:
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise UsageError("; ".join(problems[:SHOWN]) + more)
    return [Job(number, video, task, found) for number, (video, found) in enumerate(wanted.items())]


def _twice(task: Task, wanted: Mapping[str, Sequence[Ask]]) -> Iterator[str]:
    for video, asks in wanted.items():
        ids = [ask.line_id(task, video) for ask in asks]
        if len(set(ids)) < len(ids):
            twice = next(name for name in ids if ids.count(name) > 1)
            yield f"the id '{twice}' stands for two questions about {shown(video)}"


def _named(
    name: str,
    by_path: Mapping[str, str],
    by_name: Mapping[str, Sequence[str]],
    folder: Path | None,
) -> list[str]:
    """The video that a row means; a path counts from the table's folder, then from here."""
    if is_address(name):
        return [name]
    path = os.path.join(folder or "", os.path.expanduser(name))
    for each in (path, name):
        if os.path.abspath(each) in by_path:
            return [by_path[os.path.abspath(each)]]
    found = by_name.get(name, ())
    if len(found) > 1:
        raise ValueError(f"'{name}' may be {found[0]} or {found[1]}: give its path")
    if not found and by_path:
        raise ValueError(f"'{name}' is none of the videos given")
    return list(found) or [path]


def _row(value: Any, place: str) -> Row:
    if not isinstance(value, dict):
        raise ValueError("is no object")  # noqa: TRY004 - told with the other mistakes
    strange = sorted(str(name) for name in set(value) - set(COLUMNS))
    if strange:
        raise ValueError(f"has a column '{strange[0]}' that nobody knows")
    question, choices = value.get("question"), value.get("choices")
    if not isinstance(question, str) or not question.strip():
        raise ValueError("has no question")
    ask = Ask(question.strip(), _choices(choices), _id(value.get("id")))
    if any(not _is_utf8(text) for text in (ask.question, *ask.choices, ask.id)):
        raise ValueError("holds half a character, or what is not UTF-8")
    return Row(ask, _video(value.get("video")), place)


def _id(value: Any) -> str:
    if not isinstance(value, (str, int, float, type(None))):
        raise ValueError("has an id that is no text")  # noqa: TRY004 - told with the others
    return "" if value is None else str(value).strip()


def _video(value: Any) -> str:
    if not isinstance(value, (str, type(None))):
        raise ValueError("has a video that is no text")  # noqa: TRY004 - told with the others
    return (value or "").strip()


def _is_utf8(text: str) -> bool:
    return legible(text) == text


def _choices(value: Any) -> tuple[str, ...]:
    """A list, or text that is a JSON list, or text with | between the choices."""
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        value = _list(value) if value.lstrip().startswith("[") else value.split("|")
    if not isinstance(value, list) or not all(
        isinstance(each, (str, int, float)) for each in value
    ):
        raise ValueError("has choices that are no list of texts")
    choices = tuple(str(each).strip() for each in value)
    if len(choices) < 2 or not all(choices):
        raise ValueError("needs two choices or none")
    twice = next((each for each in choices if choices.count(each) > 1), None)
    if twice is not None:
        raise ValueError(f"has the choice '{twice}' twice")
    return choices


def _list(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError("has choices that begin as a JSON list and are none") from error


def _from_csv(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        if "question" not in (reader.fieldnames or ()):
            raise UsageError(
                f"the questions {path} have no column 'question'", f"columns: {', '.join(COLUMNS)}"
            )
        for row in reader:
            yield reader.line_num, {name or "": value for name, value in row.items()}
    except csv.Error as error:
        raise UsageError(
            f"the questions {path} are wrong: line {reader.line_num + 1} is not CSV: {error}",
            "is a quotation mark left open?",
        ) from error


def _from_jsonl(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    # Not splitlines: U+2028 inside a question ends no line.
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise UsageError(
                    f"the questions {path} are wrong: line {number} is not JSON",
                    "one JSON object a line, or a .csv file",
                ) from error
