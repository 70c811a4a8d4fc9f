"""On-screen text through RapidOCR: PaddleOCR's small models, in the package's own wheel."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import BackendMissing, ModelError
from ..protocols import TextBox

if TYPE_CHECKING:
    from ..protocols import Image

DETECT_SIDE = 480
# Text needs some pixels to be text; smaller pictures only cost time.
MIN_SIDE, MIN_LONG_SIDE = 16, 96


class RapidOcr:
    """A TextReader; the models load with the first picture."""

    name, slots = "rapidocr", 1

    def __init__(self) -> None:
        self._engine: Any = None
        self._lock = threading.Lock()

    def fingerprint(self) -> str:
        from importlib.metadata import version

        return f"{self.name}@{version('rapidocr')}:{DETECT_SIDE}"

    def read(self, image: Image) -> Sequence[TextBox]:
        height, width = image.shape[:2]
        if min(height, width) < MIN_SIDE or max(height, width) < MIN_LONG_SIDE:
            return ()
        with self._lock:
            found = self._loaded()(image[:, :, ::-1])
        if found.boxes is None or not found.txts:
            return ()
        return tuple(
            _box(corners, text, score, width, height)
            for corners, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        )

    def _loaded(self) -> Any:
        if self._engine is None:
            try:
                from rapidocr import RapidOCR
            except ImportError as error:
                raise BackendMissing(
                    "the package rapidocr is missing", "pip install rapidocr, or --reader none"
                ) from error
            try:
                self._engine = RapidOCR(params=_parameters())
            except Exception as error:
                raise ModelError(
                    f"the on-screen text reader cannot start: {error}",
                    "--reader none leaves it out",
                ) from error
            logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
        return self._engine


def _parameters() -> dict[str, Any]:
    return {
        "Global.use_cls": False,
        "Global.log_level": "critical",
        "Det.limit_type": "max",
        "Det.limit_side_len": DETECT_SIDE,
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }


def _box(corners: Any, text: str, score: float, width: int, height: int) -> TextBox:
    xs, ys = [float(x) / width for x, _ in corners], [float(y) / height for _, y in corners]
    return TextBox(str(text), float(score), min(xs), min(ys), max(xs), max(ys))
