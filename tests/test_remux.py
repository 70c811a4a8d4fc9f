"""Chapters written into a copy: read back as given, streams untouched, all or nothing."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import av
import numpy as np
import pytest
from conftest import VideoMaker
from test_cli import silvr

from silvr_cli.errors import UsageError
from silvr_cli.media.probe import probe
from silvr_cli.media.remux import embed_chapters
from silvr_cli.records import Chapter

CHAPTERS = (Chapter(0.0, 2.5, "Ärger; = #1\\"), Chapter(2.5, 6.0, "駅 & [odd]"))


@pytest.fixture
def video(make_video: VideoMaker) -> Path:
    pictures = [np.full((90, 160, 3), value, np.uint8) for value in (20, 200) for _ in range(30)]
    sound = np.sin(np.arange(6 * 16_000) / 20).astype(np.float32) * 0.1
    return make_video("talk.mp4", pictures, sound=sound)


def packets(path: Path) -> list[tuple[int, bytes]]:
    with av.open(str(path)) as container:
        return [
            (p.stream.index, bytes(p))
            for p in container.demux(video=0, audio=0)
            if p.size and p.stream.type in ("video", "audio")
        ]


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
def test_chapters_come_back_and_no_packet_changes(video: Path, tmp_path: Path, ending: str) -> None:
    target = tmp_path / f"out{ending}"
    assert embed_chapters(video, target, CHAPTERS) == ()
    made = probe(target)
    assert [c.title for c in made.chapters] == [c.title for c in CHAPTERS]
    assert [c.start for c in made.chapters] == [0.0, 2.5]
    assert made.duration == pytest.approx(probe(video).duration, abs=0.1)
    assert sorted(packets(target)) == sorted(packets(video))


def test_chapters_take_the_place_of_those_that_were_there(video: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "one.mp4", tmp_path / "two.mp4"
    embed_chapters(video, first, CHAPTERS)
    embed_chapters(first, second, CHAPTERS[:1])
    assert [c.title for c in probe(second).chapters] == [CHAPTERS[0].title]


def test_the_video_itself_is_never_written_to(video: Path, tmp_path: Path) -> None:
    before = video.read_bytes()
    (tmp_path / "link.mp4").symlink_to(video)
    for target in (video, tmp_path / "link.mp4"):
        with pytest.raises(UsageError, match="never overwritten"):
            embed_chapters(video, target, CHAPTERS)
    assert video.read_bytes() == before


@pytest.mark.parametrize(("name", "complaint"), [("out.avi", "cannot hold"), ("out.txt", "copied")])
def test_what_cannot_hold_chapters_leaves_nothing_behind(
    video: Path, tmp_path: Path, name: str, complaint: str
) -> None:
    kept = tmp_path / name
    kept.write_text("precious", "utf-8")
    files = sorted(tmp_path.iterdir())
    with pytest.raises(UsageError, match=complaint):
        embed_chapters(video, kept, CHAPTERS)
    assert sorted(tmp_path.iterdir()) == files
    assert kept.read_text("utf-8") == "precious"


def test_a_folder_that_is_missing_is_told(video: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        embed_chapters(video, tmp_path / "no" / "out.mp4", CHAPTERS)


def test_a_folder_is_no_target(video: Path, tmp_path: Path) -> None:
    folder = tmp_path / "dir.mp4"
    folder.mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        embed_chapters(video, folder, CHAPTERS)
    assert list(folder.iterdir()) == []


def test_a_copy_that_cannot_take_its_name_is_told_and_removed(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(name: Path, target: str) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(os, "replace", busy)
    files = sorted(tmp_path.iterdir())
    with pytest.raises(UsageError, match="cannot be written: Device"):
        embed_chapters(video, tmp_path / "out.mp4", CHAPTERS)
    assert sorted(tmp_path.iterdir()) == files


def test_a_link_keeps_pointing_to_its_file(video: Path, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    far, link = tmp_path / "far" / "out.mp4", tmp_path / "link.mp4"
    link.symlink_to(far)
    for _ in range(2):
        embed_chapters(video, link, CHAPTERS)
        assert link.is_symlink()
        assert len(probe(far).chapters) == 2


FAKE = ("--dry-run", "--at", "0:00,0:03")


@pytest.mark.parametrize("name", ["talk.mp4", "dir.mp4", "out.txt", "no/out.mp4"])
def test_a_refusal_comes_before_the_work(video: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "dir.mp4").mkdir()
    ran = silvr("chapters", video, *FAKE, "--embed", tmp_path / name)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.count("\n") == 1, "it began, or it is a traceback"


def test_chapters_are_printed_though_the_copy_fails(video: Path, tmp_path: Path) -> None:
    ran = silvr("chapters", video, *FAKE, "--embed", tmp_path / "out.avi")
    assert ran.returncode == 2
    assert "cannot hold" in ran.stderr
    assert ran.stdout == silvr("chapters", video, *FAKE).stdout != ""


def test_subtitles_that_do_not_fit_are_told(shared: Path, tmp_path: Path) -> None:
    (note,) = embed_chapters(shared / "odd" / "subs_srt.mkv", tmp_path / "out.mp4", CHAPTERS)
    assert "subtitle" in note
    assert probe(tmp_path / "out.mp4").subtitles == ()


@pytest.mark.parametrize("name", ["start_time_14h.ts", "av1_opus.webm", "rotated_90_flag.mp4"])
def test_odd_files_keep_their_chapters_at_the_right_time(
    shared: Path, tmp_path: Path, name: str
) -> None:
    embed_chapters(shared / "odd" / name, tmp_path / "out.mkv", CHAPTERS[:1])
    made, was = probe(tmp_path / "out.mkv"), probe(shared / "odd" / name)
    assert made.chapters[0].start == 0.0
    assert made.picture is not None
    assert was.picture is not None
    assert made.picture.rotation == was.picture.rotation
