"""What the decoding pass keeps of its pictures: a thumbnail of many, a JPEG of those that differ.

Both read the decoder's own planes at a stride: a scaler over every frame would cost as much as
the decoding.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .footage import Frame, Thumbs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..protocols import Image
    from ..records import Video
    from ..settings import Media

THUMB_SIZE = (27, 48)
GRID_SIZE = (72, 128)
BLOCKS = (12, 16)
# A block of the picture must change by this share of full brightness to make a frame worth keeping.
DIFFERENT = 0.03
# A little under a quarter, so that a frame on the quarter is not missed by rounding.
THUMB_SECONDS = 0.24
JPEG_QUALITY = 90
CHUNK = 4096
PLANAR = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p")


class ThumbKeeper:
    """Keeps up to four small pictures a second, in a file."""

    def __init__(self, folder: Path) -> None:
        self.times: list[float] = []
        self.next = 0.0
        self.path = folder / "thumbs.raw"
        self.file = self.path.open("wb")

    def __enter__(self) -> ThumbKeeper:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def see(self, time: float, frame: Any) -> None:
        if time < self.next:
            return
        self.next = time + THUMB_SECONDS
        self.times.append(time)
        for plane in _yuv(frame):
            self.file.write(plane.tobytes())

    def finish(self) -> Thumbs:
        """All thumbnails in order of time, as RGB."""
        self.file.close()
        shape = (len(self.times), 3, *THUMB_SIZE)
        if not self.times:
            return Thumbs(np.zeros(0), np.zeros((0, *THUMB_SIZE, 3), np.uint8))
        pixels = np.memmap(self.path, dtype=np.uint8, mode="r+", shape=shape)
        for start in range(0, len(pixels), CHUNK):
            _to_rgb(pixels[start : start + CHUNK])
        rgb = pixels.reshape(len(self.times), *THUMB_SIZE, 3)
        times = np.asarray(self.times)
        if np.any(np.diff(times) < 0):
            order = np.argsort(times, kind="stable")
            return Thumbs(times[order], rgb[order])
        return Thumbs(times, rgb)


class FrameKeeper:
    """Keeps upright JPEGs at the asked rate, but only of pictures that differ from the last."""

    def __init__(self, folder: Path, video: Video, settings: Media) -> None:
        self.picture, self.side = video.picture, settings.max_side
        self.interval = max(1 / settings.frames_per_second, video.duration / settings.max_frames)
        self.next = 0.0
        self.last: NDArray[np.int16] | None = None
        self.frames: list[Frame] = []
        self.path = folder / "frames.jpg"
        self.file = self.path.open("wb")

    def __enter__(self) -> FrameKeeper:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def see(self, time: float, frame: Any) -> None:
        if time < self.next:
            return
        # The grid of moments does not drift when frames come late.
        self.next = (time // self.interval + 1) * self.interval
        grid = _luma(frame, GRID_SIZE).astype(np.int16)
        if self.last is not None and _change(grid, self.last) < DIFFERENT:
            return
        self.last = grid
        data = _jpeg(self._upright(frame))
        self.frames.append(Frame(time, self.path, self.file.tell(), len(data)))
        self.file.write(data)

    def finish(self) -> tuple[Frame, ...]:
        self.file.close()
        return tuple(self.frames)

    def _upright(self, frame: Any) -> Image:
        """BGR, square pixels, turned, its longer side at most `side`."""
        rotation = self.picture.rotation if self.picture else 0
        width, height = (
            (self.picture.width, self.picture.height)
            if self.picture
            else (frame.width, frame.height)
        )
        if rotation in (90, 270):
            width, height = height, width
        shrink = min(1.0, self.side / max(width, height))
        size = max(2, round(width * shrink)), max(2, round(height * shrink))
        return np.ascontiguousarray(np.rot90(_bgr(frame, size), rotation // 90))


def _bgr(frame: Any, size: tuple[int, int]) -> Image:
    import cv2

    even = frame.width % 2 == 0 and frame.height % 2 == 0
    if frame.format.name == "yuv420p" and size == (frame.width, frame.height) and even:
        picture: Image = cv2.cvtColor(frame.to_ndarray(), cv2.COLOR_YUV2BGR_I420)
        return picture
    scaled: Image = frame.reformat(width=size[0], height=size[1], format="bgr24").to_ndarray()
    return scaled


def _jpeg(picture: Image) -> bytes:
    import cv2

    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(data)


def _change(one: NDArray[np.int16], other: NDArray[np.int16]) -> float:
    """The largest mean change of any block, as a share of full brightness."""
    if one.shape != other.shape:
        return 1.0
    difference = np.abs(one - other)
    rows, columns = (max(1, size // parts) for size, parts in zip(one.shape, BLOCKS, strict=True))
    height, width = one.shape[0] // rows * rows, one.shape[1] // columns * columns
    blocks = difference[:height, :width].reshape(height // rows, rows, width // columns, columns)
    return float(blocks.mean(axis=(1, 3)).max()) / 255


def _yuv(frame: Any) -> list[Image]:
    """Brightness and the two colour planes, each of THUMB_SIZE."""
    import cv2

    if frame.format.name in PLANAR:
        planes = [_strided(plane, THUMB_SIZE) for plane in frame.planes[:3]]
        if all(plane.shape == THUMB_SIZE for plane in planes):
            return planes
    small = frame.reformat(width=THUMB_SIZE[1], height=THUMB_SIZE[0], format="rgb24")
    yuv = cv2.cvtColor(small.to_ndarray(), cv2.COLOR_RGB2YUV)
    return [yuv[..., channel] for channel in range(3)]


def _to_rgb(planes: NDArray[np.uint8]) -> None:
    """Turn uint8[n, 3, h, w] YUV planes into uint8[n, h, w, 3] RGB in their own place."""
    import cv2

    count, _, height, width = planes.shape
    packed = np.ascontiguousarray(planes.transpose(0, 2, 3, 1)).reshape(count * height, width, 3)
    planes[:] = cv2.cvtColor(packed, cv2.COLOR_YUV2RGB).reshape(planes.shape)


def _luma(frame: Any, size: tuple[int, int]) -> Image:
    if frame.format.name in PLANAR or frame.format.name in ("nv12", "gray"):
        return _strided(frame.planes[0], size)
    small: Image = frame.reformat(width=size[1], height=size[0], format="gray").to_ndarray()
    return small


def _strided(plane: Any, size: tuple[int, int]) -> Image:
    """At most `size` samples of an 8-bit plane, evenly spread."""
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[
        : plane.height, : plane.width
    ]
    down, across = (max(1, have // want) for have, want in zip(rows.shape, size, strict=True))
    return rows[down // 2 :: down, across // 2 :: across][: size[0], : size[1]]
