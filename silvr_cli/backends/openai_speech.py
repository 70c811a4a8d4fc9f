"""Speech through a hosted service: OpenAI's /audio/transcriptions and servers like it.

Sound goes up as WAV in stretches cut where it is quiet; the times that come back are the window's.
"""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import Refused
from ..protocols import SAMPLE_RATE, Window
from ..records import Line
from .hosted import redacted

if TYPE_CHECKING:
    from ..protocols import Samples
    from .openai_api import Endpoint

# Services take 25 MB; five minutes of 16-bit sound are 9.6 MB.
LONGEST_SECONDS = 300.0
# A cut is looked for in this last part of a stretch, where it is quietest over QUIET_SECONDS.
SEARCHED, QUIET_SECONDS = 60.0, 0.4
# A segment that the service itself takes for no speech, or for a loop, is left out.
NO_SPEECH, LOOPING = 0.8, 2.6


class OpenAiSpeech:
    """A SpeechModel behind an OpenAI-compatible server."""

    def __init__(self, endpoint: Endpoint, model: str) -> None:
        self.endpoint, self.model = endpoint, model
        self.name = f"{endpoint.provider}/{model}"
        self.slots = min(4, endpoint.preset.slots)

    def fingerprint(self) -> str:
        return f"{self.name}@{self.endpoint.base_url}"

    def reach(self) -> None:
        self.endpoint.reach()

    def close(self) -> None:
        self.endpoint.close()

    def windows(self, sound: Samples) -> Sequence[Window]:
        """Stretches of at most five minutes, cut where it is quietest."""
        found, start, length = [], 0.0, len(sound) / SAMPLE_RATE
        while length - start > LONGEST_SECONDS:
            cut = _quietest(sound, start + LONGEST_SECONDS - SEARCHED, start + LONGEST_SECONDS)
            found.append(Window(start, cut))
            start = cut
        return [*found, Window(start, length)] if length > start else found

    def transcribe(self, sound: Samples, language: str | None) -> Sequence[Line]:
        length = len(sound) / SAMPLE_RATE
        reply = self._ask(sound, language)
        segments = _get(reply, "segments")
        if segments is None:
            text = str(_get(reply, "text") or "").strip()
            return [Line(0.0, length, "speech", text, None, self.name)] if text else []
        return [
            Line(
                _within(s, "start", length),
                _within(s, "end", length),
                "speech",
                text,
                None,
                self.name,
            )
            for s in segments
            if (text := str(_get(s, "text") or "").strip()) and _is_speech(s)
        ]

    def detect_language(self, sound: Samples) -> str | None:
        """None: the service finds the language of each stretch by itself."""
        return None

    def _ask(self, sound: Samples, language: str | None) -> Any:
        client = self.endpoint.client()
        options = {"language": language} if language else {}
        with self.endpoint.told(self.name):
            reply = client.audio.transcriptions.create(
                model=self.model,
                file=("sound.wav", _wav(sound), "audio/wav"),
                response_format="verbose_json",
                timestamp_granularities=["segment"],
                **options,
            )
        if isinstance(reply, str) or _get(reply, "text") is None:
            raise Refused(f"{self.name} gave no transcript: {redacted(reply, self.endpoint.key)}")
        return reply


def _quietest(sound: Samples, start: float, end: float) -> float:
    """The middle of the quietest QUIET_SECONDS between two times, in seconds."""
    import numpy as np

    step = round(QUIET_SECONDS * SAMPLE_RATE)
    first = round(start * SAMPLE_RATE)
    piece = sound[first : round(end * SAMPLE_RATE)]
    blocks = piece[: len(piece) // step * step].reshape(-1, step)
    loud = np.sqrt((blocks.astype(np.float64) ** 2).mean(axis=1))
    return (first + (int(loud.argmin()) + 0.5) * step) / SAMPLE_RATE


def _wav(sound: Samples) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def _get(reply: Any, name: str) -> Any:
    return reply.get(name) if isinstance(reply, dict) else getattr(reply, name, None)


def _within(segment: Any, name: str, length: float) -> float:
    return min(max(0.0, float(_get(segment, name) or 0.0)), length)


def _is_speech(segment: Any) -> bool:
    silent = float(_get(segment, "no_speech_prob") or 0.0)
    loops = float(_get(segment, "compression_ratio") or 0.0)
    return silent < NO_SPEECH and loops < LOOPING
