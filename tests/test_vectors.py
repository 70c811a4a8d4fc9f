"""The stage of vectors: which frames are embedded, kept batch by batch, and used by others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Desk, VideoMaker
from tiny_models import CLIP, clip_folder

from silvr_cli import backends, library, pipeline
from silvr_cli.backends.fake import FakeEmbedder
from silvr_cli.configuration import load
from silvr_cli.errors import ModelError
from silvr_cli.likeness import unpack
from silvr_cli.media.footage import Frame
from silvr_cli.records import FrameVectors
from silvr_cli.session import Session, Source
from silvr_cli.settings import Settings, Vectors
from silvr_cli.stages.vectors import embed_frames


class Embedder(FakeEmbedder):
    """Counts what it is shown, and fails at a batch."""

    def __init__(self, fails_at: int = 99) -> None:
        self.batches: list[int] = []
        self.fails_at = fails_at

    def embed_images(self, images: Sequence[bytes]) -> Any:
        if len(self.batches) == self.fails_at:
            raise ModelError("out of memory")
        self.batches.append(len(images))
        return super().embed_images(images)


@pytest.fixture
def frames(tmp_path: Path) -> tuple[Frame, ...]:
    """Seven frames, a second apart, a byte each."""
    (tmp_path / "frames").write_bytes(b"abcdefg")
    return tuple(Frame(float(i), tmp_path / "frames", i, 1) for i in range(7))


def test_each_frame_gets_its_row(frames: tuple[Frame, ...], desk: Desk) -> None:
    model = Embedder()
    made = embed_frames(frames, model, Vectors(batch=3), desk)
    assert made.times == tuple(range(7))
    assert np.allclose(unpack(made), FakeEmbedder().embed_images([f.jpeg() for f in frames]))
    assert model.batches == [3, 3, 1]
    assert desk.reports == [(3, 7), (6, 7), (7, 7)]


def test_finished_batches_are_not_embedded_again(frames: tuple[Frame, ...], desk: Desk) -> None:
    with pytest.raises(ModelError):
        embed_frames(frames, Embedder(fails_at=2), Vectors(batch=3), desk)
    again = Embedder()
    made = embed_frames(frames, again, Vectors(batch=3), desk)
    assert again.batches == [1]
    assert made == embed_frames(frames, Embedder(), Vectors(), Desk())


def test_no_frames_are_no_vectors(desk: Desk) -> None:
    assert embed_frames((), Embedder(), Vectors(), desk) == FrameVectors()


@pytest.mark.extras
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_real_embedder_takes_the_frames_of_a_film(coca: Path, film: Path, tmp_path: Path) -> None:
    described = run(film, tmp_path, f"openclip/{coca}", {"scenes.method": "tile"})
    assert described.vectors
    assert unpack(described.vectors).shape == (len(described.vectors.times), 32)
    assert "vectors" not in run(film, tmp_path, f"openclip/{coca}", {"scenes.method": "tile"}).ran


@pytest.mark.extras
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_one_clip_gives_tags_for_captions_and_vectors(film: Path, tmp_path: Path) -> None:
    model = f"openclip/{clip_folder(tmp_path / 'clip', CLIP)}"
    described = run(film, tmp_path, model, {"models.vision": model, "captions.tag_share": 0.0})
    lines = described.timeline.lines
    assert {(line.kind, line.source) for line in lines} == {("caption", model)}
    assert all(re.fullmatch(r"seen: [^,]+(, [^,]+){4,}", line.text) for line in lines)
    assert described.vectors
    with Session.open(settings(tmp_path, model)) as session:
        (first, *_) = library.search("zzz", 3, session)
    assert (first.name, first.kind) == ("film.mp4", "picture")


# -- in the graph


@pytest.fixture
def film(make_video: VideoMaker) -> Path:
    """Three pictures of four seconds each."""
    rng = np.random.default_rng(3)
    shots = [rng.integers(0, 255, (9, 16, 3), np.uint8).repeat(10, 0).repeat(10, 1) for _ in "abc"]
    return make_video("film.mp4", [shot for shot in shots for _ in range(40)])


def run(
    film: Path, folder: Path, embed: str, more: dict[str, Any] | None = None
) -> pipeline.Described:
    with Session.open(settings(folder, embed, more)) as session:
        return pipeline.describe(Source(film), session)


def settings(folder: Path, embed: str, more: dict[str, Any] | None = None) -> Settings:
    flags = {
        "models.embed": embed,
        "models.vision": "fake",
        "models.reader": "none",
        "models.speech": "none",
        "cache.path": folder / "cache.sqlite",
    }
    return load(flags | (more or {})).settings


def test_frames_are_embedded_once_a_video(film: Path, tmp_path: Path) -> None:
    first = run(film, tmp_path, "fake")
    assert "vectors" in first.ran
    assert first.vectors
    assert [round(time) for time in first.vectors.times] == [0, 4, 8]
    again = run(film, tmp_path, "fake")
    assert again.ran == ()
    assert again.vectors == first.vectors


def test_without_an_embedder_nothing_changes(film: Path, tmp_path: Path) -> None:
    assert run(film, tmp_path, "none").vectors is None
    run(film, tmp_path, "fake")
    assert run(film, tmp_path, "none").ran == ()


@pytest.mark.parametrize(("method", "rests"), [("tile", True), ("adaptive", False)])
def test_only_tiling_rests_on_vectors(film: Path, tmp_path: Path, method: str, rests: bool) -> None:
    run(film, tmp_path, "none", {"scenes.method": method})
    assert ("scenes" in run(film, tmp_path, "fake", {"scenes.method": method}).ran) == rests


def test_a_model_that_only_reads_embeds_no_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    class Reader:
        name = "reader"

    monkeypatch.setitem(backends._EMBEDDERS, "fake", lambda *_: Reader())  # type: ignore[index]
    assert backends.image_embedder("fake", Settings()) is None
    assert backends.image_embedder("none", Settings()) is None


def asked(film: Path, folder: Path, more: dict[str, Any]) -> tuple[pipeline.Answered, list[str]]:
    told: list[str] = []
    wanted = settings(folder, "fake", {"models.llm": "fake", "reduction.method": "focus", **more})
    with Session.open(wanted, tell=told.append) as session:
        described = pipeline.describe(Source(film), session)
        return pipeline.ask(described, "Where is the dog?", (), session), told


def test_a_question_is_compared_with_the_frames(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = {"clips.ladder": (4.0,)}
    described = run(film, tmp_path, "fake", more)
    assert len(described.timeline.lines) == 3
    assert described.vectors
    middle = unpack(described.vectors)[1:2]
    monkeypatch.setattr(FakeEmbedder, "embed", lambda self, texts: middle)
    answered, _ = asked(film, tmp_path, more)
    assert answered.context.plan.reason.endswith("by words and by hints")
    # The cut is found a thumbnail after the frame: both lines that touch it are kept, the last not.
    assert [round(line.start) for line in answered.context.lines] == [0, 4]


def test_an_embedder_that_fails_leaves_the_words(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: FakeEmbedder, texts: Sequence[str]) -> Any:
        raise ModelError("its weights are gone")

    monkeypatch.setattr(FakeEmbedder, "embed", fail)
    answered, told = asked(film, tmp_path, {})
    assert "the question is compared with words alone: its weights are gone" in told
    assert "pictures" not in answered.context.plan.reason


def test_a_plan_tells_of_the_vectors(film: Path, tmp_path: Path) -> None:
    with Session.open(settings(tmp_path, "fake", {"models.llm": "fake"})) as session:
        states = {state.name: state for state in pipeline.plan(Source(film), session)}
    assert (states["vectors"].state, states["vectors"].expected.calls) == ("to run", 1)
