"""Tables of questions: what they may hold, which video a row means, all mistakes at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from silvr_cli.engine.jobs import Ask
from silvr_cli.engine.questions import Row, asked, make_jobs, read_questions
from silvr_cli.errors import UsageError


def table(folder: Path, *rows: Any, name: str = "questions.jsonl") -> Path:
    path = folder / name
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return path


def test_jsonl_and_csv_say_the_same(tmp_path: Path) -> None:
    rows = table(
        tmp_path,
        {"video": "a.mp4", "question": " Who? ", "id": 7, "choices": ["he", "she"]},
        {"question": "Why?"},
    )
    asks = [Ask("Who?", ("he", "she"), "7"), Ask("Why?")]
    assert [(row.ask, row.video) for row in read_questions(rows)] == [
        (asks[0], "a.mp4"),
        (asks[1], ""),
    ]
    for name, text in {
        "q.csv": "\ufeffid,question,choices,video\n7,Who?,he|she,a.mp4\n,Why?,,\n",
        "q.tsv": 'question\tchoices\tid\tvideo\nWho?\t["he", "she"]\t7\ta.mp4\nWhy?\t\t\t\n',
    }.items():
        (tmp_path / name).write_text(text, "utf-8")
        read = read_questions(tmp_path / name)
        assert [row.ask for row in read] == asks
        assert [row.video for row in read] == ["a.mp4", ""]


def test_a_line_ends_where_its_line_ends_and_no_field_is_too_long_for_a_sentence(
    tmp_path: Path,
) -> None:
    rows = tmp_path / "q.jsonl"
    rows.write_bytes('{"question": "One\u2028two\x85?"}\r\n{"question": "B?"}\r\n'.encode())
    assert [row.ask.question for row in read_questions(rows)] == ["One\u2028two\x85?", "B?"]
    endless = tmp_path / "q.csv"
    endless.write_text('question\nWho?\n"' + "x" * 140_000, "utf-8")
    with pytest.raises(UsageError, match=r"q\.csv are wrong: line \d+ is not CSV: field larger"):
        read_questions(endless)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            [
                {"question": ""},
                {"question": "Who?", "answer": "he"},
                {"question": "?", "choices": 3},
            ],
            "line 1 has no question; line 2 has a column 'answer'.*; line 3 has choices",
        ),
        ([{"question": "Who?", "choices": ["he"]}], "line 1 needs two choices or none"),
        ([{"question": "Who?", "choices": "he|he"}], "line 1 has the choice 'he' twice"),
        ([{"question": "Who?", "choices": "[1,"}], "line 1 has choices that begin as a JSON list"),
        ([{"question": "Who?", "choices": "[" * 100_000}], "line 1 has choices that begin as a JS"),
        ([{"question": "Who?", "video": ["x"]}], "line 1 has a video that is no text"),
        ([{"question": "Who?", "id": {"x": 1}}], "line 1 has an id that is no text"),
        ([{"question": "Who\ud800?"}, {"question": "?", "id": "\udcff"}], "1 holds half.*2 holds"),
        ([["Who?"]], "line 1 is no object"),
        ([{"question": ""}] * 7, "line 5 has no question; and 2 more"),
        ([], "it holds no question"),
    ],
)
def test_all_mistakes_of_a_table_are_told_at_once(
    tmp_path: Path, rows: list[Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        read_questions(table(tmp_path, *rows))


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("q.jsonl", "{", "line 1 is not JSON"),
        ("q.jsonl", "[" * 100_000, "line 1 is not JSON"),
        ("q.csv", "x" * 140_000, "line 1 is not CSV: field larger"),
        ("q.csv", 'question\n"first?\nsecond?\n', "line 2 is not CSV: .*quotation mark left open"),
        (
            "q.csv",
            'question\n"first?\n"second?"\n',
            "line 2 is not CSV: .*quotation mark left open",
        ),
        ("q.csv", "query\nWho?\n", "no column 'question'"),
        ("q.csv", "question\nWho?,too,many\n", "has a column ''"),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(UsageError, match=told):
        read_questions(tmp_path / name)
    with pytest.raises(UsageError, match="cannot be read"):
        read_questions(tmp_path / "gone.jsonl")


def jobs(videos: list[str], *rows: Row, folder: Path | None = None) -> dict[str, list[str]]:
    made = make_jobs("ask", videos, rows, folder)
    assert [job.number for job in made] == list(range(len(made)))
    return {job.video: [ask.question for ask in job.asks] for job in made}


def row(question: str, video: str = "", id: str = "") -> Row:
    return Row(Ask(question, (), id), video, "q.csv:2")


def test_rows_without_a_video_are_for_all_and_the_same_twice_counts_once() -> None:
    asked = jobs(["x/a.mp4", "y/b.mp4"], row("Who?"), row("Why?", "b"), row("Who?"))
    assert asked == {"x/a.mp4": ["Who?"], "y/b.mp4": ["Who?", "Why?"]}


def test_a_row_without_a_video_is_also_for_those_that_later_rows_name() -> None:
    rows = row("Who?"), row("Why?", "x/b.mp4"), row("When?")
    assert jobs([], *rows) == {"x/b.mp4": ["Who?", "Why?", "When?"]}
    address = "https://x.org/b.mp4"
    asked = jobs(["a.mp4"], row("Who?"), row("Why?", address))
    assert asked == {"a.mp4": ["Who?"], address: ["Who?", "Why?"]}


def test_questions_of_a_command_line_are_held_to_the_same_rules() -> None:
    assert asked(["Who? "], ["he", "she"]) == [Row(Ask("Who?", ("he", "she")), "", "--question")]
    for text, choices, told in (
        ("Who?", ["he"], "--question 'Who\\?' needs two choices or none"),
        ("Who?", ["he", "he"], "has the choice 'he' twice"),
        ("q\udcff", [], "not UTF-8"),
        (" ", [], "has no question"),
    ):
        with pytest.raises(UsageError, match=told):
            asked([text], choices)


def test_a_row_names_its_video_by_path_or_name(tmp_path: Path) -> None:
    videos = [str(tmp_path / "x" / "a.mp4"), str(tmp_path / "y" / "a.mp4"), "z/b.mp4"]
    rows = row("1", "x/a.mp4"), row("2", str(tmp_path / "y" / "a.mp4")), row("3", "z/b.mp4")
    asked = jobs(videos, *rows, folder=tmp_path)
    assert asked == {videos[0]: ["1"], videos[1]: ["2"], videos[2]: ["3"]}
    assert jobs([], row("1", "c.mp4"), folder=tmp_path) == {str(tmp_path / "c.mp4"): ["1"]}


def test_names_that_fit_nothing_or_too_much_are_told_together() -> None:
    rows = row("1", "a.mp4"), row("2", "gone.mp4")
    with pytest.raises(UsageError, match=r"'a\.mp4' may be x/a\.mp4 or y/a\.mp4.*'gone\.mp4' is"):
        jobs(["x/a.mp4", "y/a.mp4"], *rows)


def test_one_id_cannot_stand_for_two_questions_of_a_video() -> None:
    with pytest.raises(UsageError, match=r"id '7' stands for two questions about a\.mp4"):
        jobs(["a.mp4"], row("Who?", id="7"), row("Why?", id="7"))
    with pytest.raises(UsageError, match=r"about https://x\.org/a\.mp4$"):
        jobs(["https://me:secret@x.org/a.mp4?t=1"], row("Who?", id="7"), row("Why?", id="7"))
