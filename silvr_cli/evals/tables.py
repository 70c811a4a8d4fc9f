"""Annotation files as rows: JSON, JSON lines, CSV and Parquet, each row a dict.

Parquet is read by pyarrow, which the extra `eval` brings. Knows no benchmark.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import BackendMissing, InputError

ROWS = (".jsonl", ".ndjson")
# How hubs name the parts of one table: test-00000-of-00002.parquet.
PART = re.compile(r"-\d{5}-of-(\d{5})\.parquet$")


def find(folder: Path, patterns: Sequence[str], what: str) -> Path:
    """The first file under `folder` that a pattern names, the patterns in order of preference.

    Raises InputError that says what was looked for.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder", "name the benchmark's folder with --data")
    for pattern in patterns:
        found = sorted(path for path in folder.glob(pattern) if path.is_file())
        if found:
            return found[0]
    raise InputError(f"{folder} holds no {what}", f"looked for {', '.join(patterns)}")


def rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a table; a JSON file must be a list of objects. Raises InputError."""
    kind = path.suffix.lower()
    if kind == ".parquet":
        return [row for part in _parts(path) for row in _parquet(part)]
    if kind in ROWS:
        lines = read(path).split("\n")
        found = [_json(f"{path.name}, line {n}", line) for n, line in enumerate(lines, 1) if line]
    elif kind in (".csv", ".tsv"):
        mark = "\t" if kind == ".tsv" else ","
        return [dict(row) for row in csv.DictReader(io.StringIO(read(path)), delimiter=mark)]
    else:
        found = document(path)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise InputError(f"{path.name} is no list of objects")
    return found


def document(path: Path) -> Any:
    """A whole JSON file; raises InputError."""
    return _json(path.name, read(path))


def read(path: Path) -> str:
    """A file's text, UTF-8 with or without its mark; raises InputError."""
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8: {error.reason}") from error


def need(row: dict[str, Any], name: str, path: Path) -> Any:
    """A column's value; raises InputError when the row lacks it."""
    if name not in row:
        raise InputError(f"{path.name} has a row without '{name}'", f"it has {', '.join(row)}")
    return row[name]


def _json(place: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{place} is not JSON: {error}") from error


def _parts(path: Path) -> list[Path]:
    """All parts of a table that a hub has split; a part that is not there is no smaller table."""
    split = PART.search(path.name)
    if not split:
        return [path]
    begins, count = path.name[: split.start()], split[1]
    parts = [
        path.with_name(f"{begins}-{number:05d}-of-{count}.parquet") for number in range(int(count))
    ]
    gone = [part.name for part in parts if not part.is_file()]
    if gone:
        raise InputError(f"{path.parent} lacks {', '.join(gone)}", "download all parts")
    return parts


def _parquet(path: Path) -> list[dict[str, Any]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise BackendMissing(
            f"{path.name} is a Parquet file and pyarrow is not installed",
            "pip install 'silvr[eval]'",
        ) from error
    try:
        return list(parquet.read_table(path).to_pylist())
    except (OSError, ArrowException) as error:
        raise InputError(f"{path} cannot be read as Parquet: {error}") from error
