"""Shared fixtures: no network, real clips where they are present, small videos made on the spot."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest

# A busy machine is no failure: no test asserts on wall time.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")
ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only loopback can be reached: a test that phones out fails."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> Any:
        local = self.family == socket.AF_UNIX or address[0] in ("127.0.0.1", "::1", "localhost")
        if not local:
            raise RuntimeError(f"a test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _own_folders(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests never touch the user's cache or settings; `models` tests use the real weights."""
    import os

    from silvr_cli.configuration import load
    from silvr_cli.settings import weights_path

    for name in [n for n in os.environ if n.startswith("SILVR_") and n != "SILVR_WEIGHTS"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SILVR_CONFIG", str(tmp_path / "no-user-settings.toml"))
    if request.node.get_closest_marker("models"):
        monkeypatch.setenv("SILVR_WEIGHTS", str(weights_path(load().settings)))
    else:
        monkeypatch.setenv("SILVR_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("SILVR_CACHE", str(tmp_path / "cache.sqlite"))
    monkeypatch.setenv("SILVR_OFFLINE", "1")


@pytest.fixture
def shared() -> Path:
    """The folder of real clips; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("the real clips are not here: ../shared is absent")
    return SHARED


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another process or thread is about to do; pytest-timeout ends a vain wait."""
    while not condition():
        time.sleep(0.02)


class Desk:
    """An in-memory `Work`: what a stage stored, reported and noted."""

    def __init__(self) -> None:
        self.pieces: dict[str, Any] = {}
        self.reports: list[tuple[float, float]] = []
        self.notes: list[str] = []

    def get(self, key: str) -> Any | None:
        return self.pieces.get(key)

    def put(self, key: str, value: Any) -> None:
        self.pieces[key] = value

    def report(self, done: float, total: float) -> None:
        self.reports.append((done, total))

    def note(self, message: str) -> None:
        self.notes.append(message)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="session")
def coca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny CoCa for open_clip; a skip where the extra is absent."""
    from tiny_models import clip_folder

    return clip_folder(tmp_path_factory.mktemp("coca"))


VideoMaker = Callable[..., Path]


@pytest.fixture
def make_video(tmp_path: Path) -> VideoMaker:
    """make_video(name, pictures, fps=10, sound=None): `pictures` are RGB arrays, one a frame."""

    def make(
        name: str,
        pictures: Sequence[np.ndarray] = (),
        fps: int = 10,
        sound: np.ndarray | None = None,
    ) -> Path:
        import av

        path = tmp_path / name
        with av.open(str(path), "w") as container:
            if len(pictures):
                height, width = pictures[0].shape[:2]
                video = container.add_stream("mpeg4", rate=fps)
                video.width, video.height, video.pix_fmt = width, height, "yuv420p"
                video.bit_rate = 2_000_000
            if sound is not None:
                audio = container.add_stream("aac", rate=16_000, layout="mono")
            for picture in pictures:
                for packet in video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                    container.mux(packet)
            if len(pictures):
                container.mux(video.encode(None))
            if sound is not None:
                _encode_sound(container, audio, sound)
        return path

    return make


def _encode_sound(container: Any, audio: Any, sound: np.ndarray) -> None:
    import av

    for start in range(0, len(sound), 1024):
        piece = np.ascontiguousarray(sound[None, start : start + 1024], dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16_000, start, Fraction(1, 16_000)
        container.mux(audio.encode(frame))
    container.mux(audio.encode(None))


@pytest.fixture
def subtitled(make_video: VideoMaker) -> VideoMaker:
    """subtitled(srt, seconds=6): talk.mp4, half dark and half bright, with subtitles beside it."""

    def make(srt: str, seconds: int = 6) -> Path:
        shades = [value for value in (20, 200) for _ in range(5 * seconds)]
        path = make_video("talk.mp4", [np.full((90, 160, 3), shade, np.uint8) for shade in shades])
        path.with_suffix(".srt").write_text(srt, "utf-8")
        return path

    return make
