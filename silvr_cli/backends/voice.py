"""Where somebody speaks: Silero's voice detector, from faster-whisper's package (no Whisper in it).

For speech models that want stretches of voice; knows no model and writes no text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..errors import BackendMissing
from ..protocols import SAMPLE_RATE, Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..protocols import Samples

WINDOW_SECONDS = 29.0  # Whisper hears 30 s at a time; a little room keeps the last word whole
JOIN_SECONDS = 2.0  # a shorter silence is cheaper inside a window than a window of its own
MIN_VOICE_MS, SILENCE_MS, PAD_MS = 200, 500, 400
VOICED, VOICE_STEP = 0.35, 512


def voiced_windows(sound: Samples) -> list[Window]:
    """Stretches with a voice, joined up to WINDOW_SECONDS and cut where it is silent."""
    _check_package()
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        threshold=0.5,
        min_speech_duration_ms=MIN_VOICE_MS,
        max_speech_duration_s=WINDOW_SECONDS,
        min_silence_duration_ms=SILENCE_MS,
        speech_pad_ms=PAD_MS,
    )
    voices = get_speech_timestamps(sound, options) if len(sound) else []
    windows = [Window(v["start"] / SAMPLE_RATE, v["end"] / SAMPLE_RATE) for v in voices]
    return joined(windows, WINDOW_SECONDS, JOIN_SECONDS)


def joined(windows: Iterable[Window], longest: float, gap: float) -> list[Window]:
    """Neighbours less than `gap` seconds apart as one window, of at most `longest` seconds."""
    found: list[Window] = []
    for window in windows:
        last = found[-1] if found else None
        if last and window.end - last.start <= longest and window.start - last.end < gap:
            found[-1] = Window(last.start, window.end)
        else:
            found.append(window)
    return found


def voice_shares(sound: Samples) -> NDArray[np.float32]:
    """float32[n]: how much every VOICE_STEP samples sound like a voice, 0 to 1."""
    import numpy as np

    if not sound.any():  # digital silence needs no model
        return np.zeros(1, np.float32)
    _check_package()
    from faster_whisper.vad import get_vad_model

    padded = np.pad(sound, (0, -len(sound) % VOICE_STEP))
    return np.asarray(get_vad_model()(padded), np.float32).ravel()


def _check_package() -> None:
    try:
        import faster_whisper.vad  # noqa: F401
    except ImportError as error:
        raise BackendMissing(
            "the package faster-whisper is missing, which finds voices",
            "pip install faster-whisper",
        ) from error
