"""Prompts: listed, shown, changed by the user; a changed one changes its hash and its use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_cli import silvr

from silvr_cli import prompts
from silvr_cli.errors import UsageError


@pytest.fixture(autouse=True)
def _ours() -> Iterator[None]:
    yield
    prompts.use(None)


@pytest.mark.parametrize("name", prompts.names())
def test_every_prompt_says_what_it_is_for_and_which_blanks_it_has(name: str) -> None:
    prompt = prompts.load(name)
    assert "Fills: " in prompt.about
    assert "{#" not in prompt.about
    assert "{{" in prompt.template


def test_a_folder_of_the_users_own_takes_their_place(tmp_path: Path) -> None:
    ours = prompts.load("answer_open").sha
    (tmp_path / "answer_open.md").write_text("Say {{ question }}", "utf-8")
    prompts.use(tmp_path)
    assert prompts.load("answer_open").fill(question="hello") == "Say hello"
    assert prompts.load("answer_open").sha != ours
    assert prompts.load("answer_choice").about.startswith("Multiple choice")


@pytest.mark.parametrize("text", ["{{ nobody }}", "{% if %}"])
def test_a_prompt_that_cannot_be_filled_is_told_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "answer_open.md").write_text(text, "utf-8")
    prompts.use(tmp_path)
    with pytest.raises(UsageError, match="the prompt 'answer_open' cannot be filled"):
        prompts.load("answer_open").fill(question="x")


def test_a_prompt_that_is_not_utf_8_is_told_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "answer_open.md").write_bytes(b"Say \xff {{ question }}")
    ran = silvr("prompts", "show", "answer_open", SILVR_PROMPTS=str(tmp_path))
    assert ran.returncode == 2
    assert f"the prompt {tmp_path / 'answer_open.md'} is not UTF-8" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_file_that_replaces_nothing_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "anwser_open.md").write_text("x", "utf-8")
    with pytest.raises(UsageError, match=r"anwser_open\.md replaces no prompt"):
        prompts.use(tmp_path)
    with pytest.raises(UsageError, match="is not there"):
        prompts.use(tmp_path / "gone")


def test_the_command_lists_shows_and_ejects(tmp_path: Path) -> None:
    rows = json.loads(silvr("prompts", "list", "--json").stdout)
    assert [row["name"] for row in rows] == list(prompts.names())
    own = tmp_path / "mine"
    assert silvr("prompts", "eject", own).returncode == 0
    (own / "answer_open.md").write_text("changed {{ question }}", "utf-8")
    assert silvr("prompts", "eject", own).returncode == 0, "what is there stays"
    shown = silvr("prompts", "show", "answer_open", SILVR_PROMPTS=str(own))
    assert shown.stdout == "changed {{ question }}\n"
    assert silvr("prompts", "show", "nothing").returncode == 2
