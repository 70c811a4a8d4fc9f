"""Which videos a batch finds: folders, globs, lists, stdin; hidden files, loops, copies."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from silvr_cli.engine.inputs import find_videos, read_list
from silvr_cli.errors import UsageError


def put(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"....ftypisom" if not path.suffix else b"x")


def found(*names: object) -> list[str]:
    return find_videos(map(str, names)).videos


def test_a_folder_gives_what_looks_like_video_with_all_below_in_order(tmp_path: Path) -> None:
    put(tmp_path, "b/talk.mp4", "a/talk.mp4", "a/notes.txt", ".hidden.mp4", ".git/x.mp4", "UP.MKV")
    put(tmp_path, "talk.mp3", "without_suffix", "README", "talk.srt")
    (tmp_path / "README").write_text("words", "utf-8")
    names = ["UP.MKV", "a/talk.mp4", "b/talk.mp4", "talk.mp3", "without_suffix"]
    assert found(tmp_path) == [str(tmp_path / name) for name in names]
    assert find_videos([str(tmp_path)]).skipped == 5


def test_links_that_lead_back_are_followed_once(tmp_path: Path) -> None:
    put(tmp_path, "a/talk.mp4", "other/film.mp4")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "elsewhere").symlink_to(tmp_path / "other")
    (tmp_path / "gone.mp4").symlink_to(tmp_path / "nowhere")
    assert found(tmp_path / "a") == [
        str(tmp_path / "a" / name) for name in ("elsewhere/film.mp4", "talk.mp4", "up/gone.mp4")
    ]


def test_ten_thousand_files_in_one_folder_are_all_found_in_order(tmp_path: Path) -> None:
    for number in range(10_000):
        (tmp_path / f"{number:05}.mp4").touch()
    assert found(tmp_path) == [str(tmp_path / f"{number:05}.mp4") for number in range(10_000)]


def test_what_is_named_outright_is_taken_as_it_is_and_once(tmp_path: Path) -> None:
    put(tmp_path, "notes.txt", ".hidden.mp4", "talk.mp4")
    named = [tmp_path / "notes.txt", tmp_path / ".hidden.mp4", tmp_path / "gone.mp4", tmp_path]
    names = ["notes.txt", ".hidden.mp4", "gone.mp4", "talk.mp4"]
    assert found(*named, tmp_path / "talk.mp4") == [str(tmp_path / name) for name in names]
    assert found("https://example.org/talk.mp4") == ["https://example.org/talk.mp4"]


def test_globs_match_and_a_vain_one_is_an_error(tmp_path: Path) -> None:
    put(tmp_path, "a/talk.mp4", "b/c/talk.mp4", "b/[odd].mp4", "b/notes.txt")
    every = [str(tmp_path / name) for name in ("a/talk.mp4", "b/[odd].mp4", "b/c/talk.mp4")]
    assert found(tmp_path / "**" / "*.mp4") == every
    assert found(tmp_path / "b" / "[odd].mp4") == [every[1]]
    with pytest.raises(UsageError, match=r"nothing matches .*\*\.webm"):
        found(tmp_path / "*.webm")


def test_a_folder_that_cannot_be_read_is_told_by_its_own_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "a/talk.mp4", "shut/film.mp4")
    scan = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert found(tmp_path) == [str(tmp_path / "a" / "talk.mp4"), str(tmp_path / "shut")]


def test_links_that_nobody_can_follow_are_told_by_their_own_lines(tmp_path: Path) -> None:
    put(tmp_path, "talk.mp4")
    (tmp_path / "self.mp4").symlink_to(tmp_path / "self.mp4")
    (tmp_path / "shut").symlink_to(tmp_path / "shut")
    assert found(tmp_path) == [str(tmp_path / n) for n in ("self.mp4", "shut", "talk.mp4")]


def test_a_list_names_paths_from_its_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = tmp_path / "list.txt"
    listed.write_bytes(
        "\ufeff# talks\na.mp4\r\n\n https://x.org/b.mp4 \n/c d\u2028e.mp4\n".encode()
    )
    named = [str(tmp_path / "a.mp4"), "https://x.org/b.mp4", "/c d\u2028e.mp4"]
    assert read_list(str(listed)) == named
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a.mp4\ncaf\xe9.mp4\n")))
    assert read_list("-") == ["a.mp4", os.fsdecode(b"caf\xe9.mp4")]
    with pytest.raises(UsageError, match=r"gone\.txt cannot be read"):
        read_list(str(tmp_path / "gone.txt"))
