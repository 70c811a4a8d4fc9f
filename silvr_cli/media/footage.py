"""What one decoding pass leaves for the stages: thumbnails, frames and sound, kept on disk.

Knows nothing of how they were made; the folder that holds them is removed when the pass closes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..protocols import SAMPLE_RATE
from ..records import FrameVectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..protocols import Image, Samples


# Two thumbnails show one picture when no block's mean differs by this share of full brightness.
SAME_PICTURE = 0.015


@dataclass(frozen=True, slots=True)
class Thumbs:
    """Small pictures to find cuts in: `times` float64[n], `pixels` uint8[n, h, w, 3] RGB."""

    times: NDArray[np.float64]
    pixels: NDArray[np.uint8]

    def within(self, start: float, end: float) -> NDArray[np.uint8]:
        """The thumbnails in `[start, end)`, at least the one that stands at `start`."""
        import numpy as np

        first, last = np.searchsorted(self.times, (start, end))
        return self.pixels[min(first, len(self.times) - 1) : max(last, first + 1)]

    def still(self, start: float, end: float) -> bool:
        """Whether one picture stands from `start` to `end`."""
        import numpy as np

        if not len(self.times):
            return False
        pixels = self.within(start, end)
        first = pixels[0].astype(np.int16)
        return all(same_picture(first, other.astype(np.int16)) for other in pixels[1:])


def same_picture(one: NDArray[np.int16], other: NDArray[np.int16]) -> bool:
    """Whether no 9 x 8 block of two thumbnails differs: other words on one background do."""
    import numpy as np

    difference = np.abs(one - other).reshape(3, 9, 6, 8, 3).mean(axis=(1, 3, 4))
    return float(difference.max()) / 255 < SAME_PICTURE


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture, upright and with square pixels: `size` bytes of JPEG in a file of many."""

    time: float
    path: Path
    offset: int
    size: int

    def jpeg(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)

    def pixels(self) -> Image:
        """uint8[height, width, 3], RGB."""
        import cv2
        import numpy as np

        data = np.frombuffer(self.jpeg(), np.uint8)
        bgr = cv2.imdecode(data, cv2.IMREAD_COLOR)
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Sound:
    """Mono sound at 16 kHz as int16[n] (often a memory map); sample i is heard at i / 16000 s."""

    samples: NDArray[np.int16]

    @property
    def duration(self) -> float:
        return len(self.samples) / SAMPLE_RATE

    def cut(self, start: float, end: float) -> Samples:
        """float32[n] between two times in seconds."""
        import numpy as np

        piece = self.samples[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
        return piece.astype(np.float32) / 32768.0


@dataclass(frozen=True, slots=True)
class Footage:
    """The pass's yield; `duration` is measured, in seconds; `warnings` are for the user.

    `vectors` are of `frames`, where an embedder has seen them.
    """

    duration: float
    thumbs: Thumbs
    frames: tuple[Frame, ...]
    sound: Sound | None
    warnings: tuple[str, ...] = ()
    vectors: FrameVectors | None = None
