"""Clips cut out of a video: what they hold is told, nothing is overwritten, odd files work too."""

from __future__ import annotations

import errno
import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from conftest import VideoMaker

from silvr_cli.errors import UsageError
from silvr_cli.media import excerpts
from silvr_cli.media.excerpts import cut_out
from silvr_cli.media.probe import probe
from silvr_cli.records import Moment, Video

SPANS = (Moment(3.0, 4.0, 0.9, "b"), Moment(1.05, 2.05, 0.5, "a"))
FASTSTART = {"movflags": "faststart"}


@pytest.fixture
def video(make_video: VideoMaker) -> Path:
    """6 seconds with sound; mpeg4 at 10 fps sets a keyframe every 12 pictures."""
    pictures = [np.full((90, 160, 3), 20 + 3 * i, np.uint8) for i in range(60)]
    sound = np.sin(np.arange(6 * 16_000) / 20).astype(np.float32) * 0.1
    return make_video("talk.mp4", pictures, sound=sound)


def first_shade(path: Path) -> float:
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        return float(frame.to_ndarray(format="rgb24").mean())


def told(path: Path, folder: Path, exact: bool = False) -> tuple:
    notes: list[str] = []
    return cut_out(probe(path), SPANS, folder, exact, notes.append), notes


def test_packets_are_copied_from_the_keyframe_before_and_that_is_told(
    video: Path, tmp_path: Path
) -> None:
    clips, notes = told(video, tmp_path / "new" / "clips")
    assert [Path(c.path).name for c in clips] == [
        "talk-1-00.00.03-00.00.04.mp4",
        "talk-2-00.00.01-00.00.02.mp4",
    ]
    assert [c.encoded for c in clips] == [False, False]
    for clip, moment in zip(clips, SPANS, strict=True):
        assert clip.start <= moment.start < moment.end <= clip.end + 0.1
        made = probe(Path(clip.path))
        assert made.duration == pytest.approx(clip.end - clip.start, abs=0.2)
        assert made.audio
        assert first_shade(Path(clip.path)) == pytest.approx(20 + 30 * clip.start, abs=6)
    assert any("keyframe before" in note for note in notes)


def test_exact_clips_begin_at_the_very_picture(video: Path, tmp_path: Path) -> None:
    clips, notes = told(video, tmp_path / "clips", exact=True)
    assert [(c.start, c.end, c.encoded) for c in clips] == [(3.0, 4.0, True), (1.05, 2.05, True)]
    assert notes == []
    for clip in clips:
        made = probe(Path(clip.path))
        assert made.duration == pytest.approx(1.0, abs=0.15)
        assert first_shade(Path(clip.path)) == pytest.approx(20 + 30 * clip.start, abs=6)


def test_nothing_is_overwritten(video: Path, tmp_path: Path) -> None:
    told(video, tmp_path / "clips")
    before = {p: p.read_bytes() for p in (tmp_path / "clips").iterdir()}
    with pytest.raises(UsageError, match=r"already has talk-1-00\.00\.03"):
        told(video, tmp_path / "clips")
    assert {p: p.read_bytes() for p in (tmp_path / "clips").iterdir()} == before


@pytest.mark.parametrize("linked", [True, False])
def test_clips_get_the_rights_of_any_new_file(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linked: bool
) -> None:
    if not linked:
        monkeypatch.setattr(os, "link", no_links)
    plain = tmp_path / "plain"
    plain.touch()
    clips, _ = told(video, tmp_path / "clips")
    assert {Path(c.path).stat().st_mode for c in clips} == {plain.stat().st_mode}


def no_links(name: str, target: Path) -> None:
    raise PermissionError(errno.EPERM, "Operation not permitted", name, None, target)


def test_where_there_are_no_links_clips_are_kept_and_nothing_is_overwritten(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", no_links)
    clips, _ = told(video, tmp_path / "clips")
    assert sorted(c.path for c in clips) == sorted(map(str, (tmp_path / "clips").iterdir()))
    assert all(probe(Path(c.path)).picture for c in clips)
    taken = tmp_path / "taken.mp4"
    taken.write_text("precious", "utf-8")
    with pytest.raises(UsageError, match="is there already"):
        excerpts._written(taken, lambda made: (0.0, 1.0))
    assert taken.read_text("utf-8") == "precious"


def test_a_clip_that_cannot_be_kept_is_told_and_leaves_nothing(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(name: str, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UsageError, match="cannot be written: No space left"):
        told(video, tmp_path / "clips", exact=True)
    assert list((tmp_path / "clips").iterdir()) == []


def test_a_long_name_is_shortened_between_letters(video: Path, tmp_path: Path) -> None:
    long = video.rename(tmp_path / f"a{'ж' * 120}.mp4")
    clips, _ = told(long, tmp_path / "clips")
    assert [Path(c.path).name for c in clips] == [
        f"a{'ж' * 79}-1-00.00.03-00.00.04.mp4",
        f"a{'ж' * 79}-2-00.00.01-00.00.02.mp4",
    ]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("span", [(3.0, 3.0), (6.0, 6.0), (5.99, 6.0), (20.0, 22.0), (3.03, 3.05)])
def test_a_moment_that_holds_nothing_is_widened(
    video: Path, tmp_path: Path, span: tuple[float, float], exact: bool
) -> None:
    (clip,) = cut_out(probe(video), [Moment(*span, 1.0, "x")], tmp_path / "clips", exact, print)
    assert clip.start <= min(span[0], 5.6) < clip.end
    assert probe(Path(clip.path)).duration >= 0.4


def test_where_one_clip_fails_none_is_left(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def second(video: Video, made: Path, span: tuple[float, float]) -> tuple[float, float]:
        if span[0] == SPANS[1].start:
            raise UsageError("there is nothing to encode")
        return encode(video, made, span)

    encode = excerpts.encode
    monkeypatch.setattr(excerpts, "encode", second)
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "own.txt").touch()
    with pytest.raises(UsageError, match="nothing to encode"):
        told(video, tmp_path / "clips", exact=True)
    assert [p.name for p in (tmp_path / "clips").iterdir()] == ["own.txt"]
    monkeypatch.undo()
    assert len(told(video, tmp_path / "clips", exact=True)[0]) == 2


def test_a_flac_clip_is_as_long_as_it_says(tmp_path: Path) -> None:
    path = tmp_path / "talk.flac"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=16_000, layout="mono")
        for at in range(0, 11 * 16_000, 4096):
            tone = (np.sin(np.arange(at, at + 4096) / 20) * 9_000).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = 16_000, at
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    (clip,) = cut_out(probe(path), [Moment(4, 7, 1, "x")], tmp_path / "clips", False, print)
    assert not clip.encoded
    assert clip.end - clip.start == pytest.approx(3.0, abs=0.6)
    assert probe(Path(clip.path)).duration == pytest.approx(clip.end - clip.start, abs=0.1)
    with av.open(clip.path) as container:
        heard = sum(frame.samples for frame in container.decode(audio=0)) / 16_000
    assert heard == pytest.approx(clip.end - clip.start, abs=0.3)


@pytest.fixture
def cut_off(video: Path, tmp_path: Path) -> Path:
    """The video with its index in front, of 6 seconds, and its last third missing."""
    path = tmp_path / "cut_off.mp4"
    with av.open(str(video)) as into, av.open(str(path), "w", options=FASTSTART) as out:
        streams = {s: out.add_stream_from_template(s) for s in into.streams}
        for packet in into.demux():
            if packet.size:
                packet.stream = streams[packet.stream]
                out.mux(packet)
    os.truncate(path, path.stat().st_size * 2 // 3)
    return path


@pytest.mark.parametrize("exact", [False, True])
def test_a_clip_holds_something_of_its_moment(cut_off: Path, tmp_path: Path, exact: bool) -> None:
    video = probe(cut_off)
    assert video.duration == pytest.approx(6.0, abs=0.1)
    with pytest.raises(UsageError, match=r"nothing to encode from 5\.2 to 5\.9"):
        cut_out(video, [Moment(5.2, 5.9, 1, "x")], tmp_path / "clips", exact, print)
    assert list((tmp_path / "clips").iterdir()) == []


@pytest.fixture
def slides(tmp_path: Path) -> Path:
    """Pictures at 0, 10, 20 and 30 s of 31, each 60 brighter, without sound."""
    path = tmp_path / "slides.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=1)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for at in range(0, 40, 10):
            picture = np.full((90, 160, 3), 20 + 6 * at, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = at, Fraction(1)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("span", "shades"),
    [
        ((12.0, 18.0), {0.0: 80, 5.9: 80}),
        ((15.0, 25.0), {0.0: 80, 4.9: 80, 5.0: 140, 9.9: 140}),
        ((10.0, 20.0), {0.0: 80, 9.9: 80}),
        ((0.0, 4.0), {0.0: 20, 3.9: 20}),
        ((28.0, 31.0), {0.0: 140, 1.9: 140, 2.0: 200}),
    ],
)
def test_exact_clips_show_the_picture_that_stands_where_they_begin(
    slides: Path, tmp_path: Path, span: tuple[float, float], shades: dict[float, int]
) -> None:
    (clip,) = cut_out(probe(slides), [Moment(*span, 1, "x")], tmp_path / "clips", True, print)
    assert (clip.start, clip.end) == span
    assert probe(Path(clip.path)).duration == pytest.approx(span[1] - span[0], abs=0.1)
    with av.open(clip.path) as container:
        shown = [(f.time, f.to_ndarray(format="rgb24").mean()) for f in container.decode(video=0)]
    for at, shade in shades.items():
        assert [mean for time, mean in shown if time <= at][-1] == pytest.approx(shade, abs=6)


def test_a_video_of_one_picture_gives_exact_clips(make_video: VideoMaker, tmp_path: Path) -> None:
    path = make_video("one.mp4", [np.full((90, 160, 3), 120, np.uint8)], fps=1)
    (clip,) = cut_out(probe(path), [Moment(0, 1, 1, "x")], tmp_path / "clips", True, print)
    assert first_shade(Path(clip.path)) == pytest.approx(120, abs=6)
    assert probe(Path(clip.path)).duration == pytest.approx(1.0, abs=0.1)


def test_text_alone_has_no_clips(tmp_path: Path) -> None:
    own = Video("sha256:x", "talk.srt", 9.0)
    with pytest.raises(UsageError, match="need the video file"):
        cut_out(own, SPANS, tmp_path, False, print)


@pytest.mark.parametrize(
    "name",
    [
        "audio_only.m4a",
        "hevc.mp4",
        "old_mpeg4_mp3.avi",
        "real_rotated_270.mov",
        "real_seek_gives_green.mp4",
        "start_time_14h.ts",
        "subs_srt.mkv",
        "vp9_vorbis.webm",
        "animated.gif",
    ],
)
@pytest.mark.parametrize("exact", [False, True])
def test_odd_files_give_clips_that_play(
    shared: Path, tmp_path: Path, name: str, exact: bool
) -> None:
    video = probe(shared / "odd" / name)
    at = video.duration * 0.5
    span = (Moment(at, min(at + 2, video.duration), 1.0, "x"),)
    (clip,) = cut_out(video, span, tmp_path / "clips", exact, lambda note: None)
    made = probe(Path(clip.path))
    assert made.duration == pytest.approx(clip.end - clip.start, abs=0.6)
    with av.open(clip.path) as container:
        decoded = sum(1 for _ in container.decode(container.streams[0]))
    assert decoded > 0
    assert bool(made.picture) == bool(video.picture)


def test_a_copy_that_would_be_green_is_encoded_instead(shared: Path, tmp_path: Path) -> None:
    video = probe(shared / "odd" / "real_seek_gives_green.mp4")
    notes: list[str] = []
    (clip,) = cut_out(video, [Moment(5, 7, 1, "x")], tmp_path, False, notes.append)
    assert clip.encoded
    assert any("broken without those before" in note for note in notes)
    with av.open(clip.path) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
        red, green, blue = picture.reshape(-1, 3).mean(axis=0)
    assert green < 1.5 * max(red, blue)
