"""The one pass over a file, on small made videos and on the hostile ones."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import VideoMaker

from silvr_cli.errors import InputError
from silvr_cli.media import decode
from silvr_cli.media.decode import Projector
from silvr_cli.media.probe import probe
from silvr_cli.media.subtitles import read_embedded
from silvr_cli.settings import Media

RED, BLUE = np.array((200, 30, 30), np.uint8), np.array((20, 30, 200), np.uint8)
REFUSED = {
    "html_error_page.mp4": "HTML",
    "random_bytes.mp4": "cannot be read",
    "text_file.mp4": "text",
    "truncated_no_moov.mp4": "incomplete",
    "zero_bytes.mp4": "empty",
    "zeros_1MB.mp4": "zeros",
}
SLOW = {"ten_hours_clock_no_audio.mp4", "two_hours_1fps_needles.mp4", "huge_8k.mp4"}


def pictures(*colours: np.ndarray, each: int = 20) -> list[np.ndarray]:
    return [np.full((90, 160, 3), colour, np.uint8) for colour in colours for _ in range(each)]


def test_a_still_is_kept_once_and_a_change_again(make_video: VideoMaker) -> None:
    video = probe(make_video("a.mp4", pictures(RED, BLUE)))
    with Projector(video, Media()) as projector:
        footage = projector.footage()
        assert [round(frame.time) for frame in footage.frames] == [0, 2]
        assert np.abs(footage.frames[1].pixels()[40, 40].astype(int) - BLUE).max() < 30
        assert footage.sound is None
        assert np.abs(footage.thumbs.pixels[0, 10, 10].astype(int) - RED).max() < 30
        assert projector.footage() is footage


@pytest.mark.parametrize("threads", ["1", "2", "many"])
def test_fewer_threads_see_the_same(
    make_video: VideoMaker, monkeypatch: pytest.MonkeyPatch, threads: str
) -> None:
    video = probe(make_video("a.mp4", pictures(RED, BLUE)))
    with Projector(video, Media()) as projector:
        expected = projector.footage().thumbs.pixels.copy()
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    with Projector(video, Media()) as projector:
        assert np.array_equal(projector.footage().thumbs.pixels, expected)


def test_sound_stands_where_it_is_heard(make_video: VideoMaker) -> None:
    tone = np.sin(np.arange(32_000) / 5).astype(np.float32) * 0.5
    video = probe(make_video("a.mp4", pictures(RED), sound=np.concatenate([0 * tone, tone])))
    assert video.duration == pytest.approx(4.0, abs=0.2)
    with Projector(video, Media()) as projector:
        sound = projector.footage().sound
        assert sound is not None
        assert np.abs(sound.cut(0.2, 1.6)).max() < 0.05
        assert np.abs(sound.cut(2.3, 3.6)).max() > 0.3
        assert sound.cut(2.3, 3.6).dtype == np.float32


def test_the_pass_can_be_stopped_and_leaves_nothing(make_video: VideoMaker) -> None:
    video = probe(make_video("a.mp4", pictures(RED, BLUE, each=60)))

    def stop(done: float, total: float) -> None:
        raise KeyboardInterrupt

    with Projector(video, Media()) as projector:
        with pytest.raises(KeyboardInterrupt):
            projector.footage(stop)
        folder = Path(projector._folder.name)  # type: ignore[union-attr]
    assert not folder.exists()


@pytest.mark.parametrize(
    "name",
    [
        "-dash.mp4",
        "100%03d.mp4",
        "a 'b' $c;.mp4",
        "concat:x.mp4",
        "駅 ñ.mp4",
        "new\nline.mp4",
        "x" * 250 + ".mp4",
    ],
)
def test_any_name_works(make_video: VideoMaker, name: str) -> None:
    path = make_video("plain.mp4", pictures(RED))
    assert probe(path.rename(path.with_name(name))).name == name


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "link.mp4").symlink_to(tmp_path / "gone.mp4")
    for name, complaint in (
        ("no.mp4", "does not exist"),
        ("folder.mp4", "is a folder"),
        ("link.mp4", "points to nothing"),
    ):
        with pytest.raises(InputError, match=complaint):
            probe(tmp_path / name)


def odd_names() -> list[str]:
    manifest = Path(__file__).parents[2] / "shared" / "odd" / "MANIFEST.tsv"
    if not manifest.is_file():
        return ["absent"]
    rows = csv.reader(manifest.read_text("utf-8").splitlines(), delimiter="\t")
    return [row[0] for row in rows if row and not row[0].startswith(("#", "file"))]


@pytest.mark.parametrize("name", odd_names())
def test_every_hostile_file_is_read_or_refused_in_one_sentence(shared: Path, name: str) -> None:
    path = shared / "odd" / name
    if name in REFUSED:
        with pytest.raises(InputError, match=REFUSED[name]) as refusal:
            probe(path)
        assert "\n" not in str(refusal.value)
        return
    video = probe(path)
    assert 0 < video.duration <= 36_000
    if name in SLOW:
        return
    with Projector(video, Media()) as projector:
        footage = projector.footage()
        assert bool(footage.frames) == bool(video.picture)
        assert all(0 <= frame.time <= video.duration + 0.5 for frame in footage.frames)
        if name in ("corrupt_middle.mp4", "truncated_faststart_half.mp4"):
            assert footage.warnings


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("rotated_90_flag.mp4", (180, 320)),
        ("portrait.mp4", (180, 320)),
        ("non_square_pixels.mp4", (427, 180)),
        ("huge_8k.mp4", (7680, 4320)),
    ],
)
def test_pictures_stand_upright_with_square_pixels(
    shared: Path, name: str, size: tuple[int, int]
) -> None:
    video = probe(shared / "odd" / name)
    assert video.picture is not None
    assert (video.picture.width, video.picture.height) == size
    with Projector(video, Media()) as projector:
        height, width = projector.footage().frames[0].pixels().shape[:2]
    assert width / height == pytest.approx(size[0] / size[1], rel=0.02)
    assert max(width, height) <= 1280


def test_the_needle_of_two_hours_is_kept(shared: Path) -> None:
    with Projector(probe(shared / "odd" / "two_hours_1fps_needles.mp4"), Media()) as projector:
        times = [frame.time for frame in projector.footage().frames]
    assert len(times) < 20
    assert any(abs(time - 2700) <= 1 for time in times)


@pytest.mark.parametrize(
    "name", ["subs_mov_text.mp4", "subs_ass.mkv", "subs_srt.mkv", "subs_no_audio.mkv"]
)
def test_embedded_subtitles_are_read(shared: Path, name: str) -> None:
    lines = read_embedded(shared / "odd" / name)
    assert lines[1].text == "SUBTITLE ONLY: the password is heron-42"
    assert lines[1].start == pytest.approx(3.1, abs=0.1)


def test_the_default_audio_track_is_taken_and_told(shared: Path) -> None:
    video = probe(shared / "odd" / "two_audio_de_first_en_default.mkv")
    assert "track 2 (eng)" in video.warnings[0]


def test_container_chapters(shared: Path) -> None:
    chapters = probe(shared / "odd" / "container_chapters.mp4").chapters
    assert [chapter.title for chapter in chapters] == ["Opening the gate", "Counting the crates"]


def test_sound_that_cannot_be_converted_is_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def resample(self, frame: object) -> list[object]:
            if frame is None:
                return []
            raise ValueError("Invalid argument")

    monkeypatch.setattr(decode, "_resampler", Broken)
    with decode.SoundKeeper(tmp_path, 4.0) as keeper:
        assert not keeper.hear(0.0, SimpleNamespace(pts=0, samples=1024))
        assert not keeper.hear(3.0, SimpleNamespace(pts=0, samples=1024))
        sound = keeper.finish()
    assert sound is None or not np.any(sound.samples)
