"""On-screen text through RapidOCR: PaddleOCR's small models, in the package's own wheel."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BackendMissing, ModelError
from ..protocols import TextBox

if TYPE_CHECKING:
    from ..protocols import Image

# Text is looked for on a copy shrunk to this longer side and read at full size. The small side
# costs half as much and finds all of a slide, but hardly anything of a screen recording.
DETECT_SIDES = {"small": 480, "large": 640}
LARGE_PICTURE = 960
# Text needs some pixels to be text; smaller pictures only cost time.
MIN_SIDE, MIN_LONG_SIDE = 16, 96
# The detector works in steps of 32 pixels: a thin strip must not shrink to nothing.
MOST_ELONGATED = 8
SAME_ROW = 0.5


class RapidOcr:
    """A TextReader; the models load with the first picture. Safe across threads.

    Raises ModelError when the models cannot start; it never downloads any.
    """

    name, slots = "rapidocr", 1

    def __init__(self) -> None:
        self._engines: dict[int, Any] = {}
        self._lock = threading.Lock()

    def fingerprint(self) -> str:
        from importlib.metadata import version

        sides = "-".join(str(side) for side in DETECT_SIDES.values())
        return f"{self.name}@{version('rapidocr')}:{sides}"

    def read(self, image: Image) -> Sequence[TextBox]:
        height, width = image.shape[:2]
        if min(height, width) < MIN_SIDE or max(height, width) < MIN_LONG_SIDE:
            return ()
        side = DETECT_SIDES["large" if max(height, width) > LARGE_PICTURE else "small"]
        with self._lock:
            found = self._engine(side)(_padded(image)[:, :, ::-1])
        if found.boxes is None or not found.txts:
            return ()
        boxes = (
            _box(corners, text, score, width, height)
            for corners, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        )
        return _in_reading_order(box for box in boxes if box.text.strip())

    def _engine(self, side: int) -> Any:
        if side not in self._engines:
            try:
                from rapidocr import RapidOCR
            except ImportError as error:
                raise BackendMissing(
                    "the package rapidocr is missing", "pip install rapidocr, or --reader none"
                ) from error
            parameters = _parameters(side)
            try:
                self._engines[side] = RapidOCR(params=parameters)
            except Exception as error:
                raise ModelError(
                    f"the on-screen text reader cannot start: {error}",
                    "--reader none leaves it out",
                ) from error
            logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
        return self._engines[side]


def _parameters(side: int) -> dict[str, Any]:
    return {
        "Global.use_cls": False,
        "Global.log_level": "critical",
        # Its own resizing fails on thin pictures; `_padded` has seen to them.
        "Global.max_side_len": 100_000,
        "Global.min_height": 0,
        "Global.width_height_ratio": -1,
        "Det.model_path": _model("det"),
        "Rec.model_path": _model("rec"),
        "Det.limit_type": "max",
        "Det.limit_side_len": side,
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }


def _model(task: str) -> str:
    """The model in the wheel, named outright: the package would download one it does not find."""
    import rapidocr

    folder = Path(rapidocr.__file__).parent / "models"
    found = sorted(folder.glob(f"*_{task}_*.onnx"))
    if not found:
        raise ModelError(
            f"the package rapidocr holds no {task} model in {folder}",
            "pip install --force-reinstall rapidocr, or --reader none",
        )
    return str(found[0])


def _padded(image: Image) -> Image:
    """Thin pictures with black below or beside them, so that places stay as they are."""
    import numpy as np

    height, width = image.shape[:2]
    least = -(-max(height, width) // MOST_ELONGATED)
    down, right = max(0, least - height), max(0, least - width)
    return np.pad(image, ((0, down), (0, right), (0, 0))) if down or right else image


def _box(corners: Any, text: str, score: float, width: int, height: int) -> TextBox:
    xs = [min(1.0, max(0.0, float(x) / width)) for x, _ in corners]
    ys = [min(1.0, max(0.0, float(y) / height)) for _, y in corners]
    return TextBox(str(text), float(score), min(xs), min(ys), max(xs), max(ys))


def _in_reading_order(boxes: Iterable[TextBox]) -> tuple[TextBox, ...]:
    """Rows from top to bottom, each from left to right."""
    rows: list[list[TextBox]] = []
    for box in sorted(boxes, key=lambda b: b.top + b.bottom):
        if rows and _overlap(rows[-1][0], box) >= SAME_ROW:
            rows[-1].append(box)
        else:
            rows.append([box])
    return tuple(box for row in rows for box in sorted(row, key=lambda b: b.left))


def _overlap(one: TextBox, other: TextBox) -> float:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    lower = min(one.bottom - one.top, other.bottom - other.top)
    return shared / lower if lower > 0 else 0.0
