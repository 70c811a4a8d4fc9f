"""Speech through faster-whisper (CTranslate2): Whisper weights in a folder, Silero for voices.

Takes windows of sound and gives utterances; what a window is worth is judged here, because only
the model knows how sure it was.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BackendMissing, ModelError
from ..protocols import SAMPLE_RATE, Window
from ..records import Line

if TYPE_CHECKING:
    from ..protocols import Samples
    from ..settings import Speech

WINDOW_SECONDS = 28.0
MIN_VOICE_SECONDS = 0.25
SILENCE_MS = 600
PAD_MS = 250
# Whisper's own limits for a failed decoding, a little tighter: music and noise sit just inside.
NO_SPEECH = 0.5
LOG_PROBABILITY = -0.9
COMPRESSION = 2.2
LANGUAGE_PROBABILITY = 0.5
UTTERANCE_SECONDS = 12.0
PAUSE_SECONDS = 0.8
SENTENCE_END = re.compile(r"[.!?。！？…]['\")\]]?$")


class FasterWhisper:
    """A SpeechModel; `folder` is asked for when the first sound comes."""

    slots = 1

    def __init__(
        self, name: str, digest: str, folder: Callable[[], Path], settings: Speech
    ) -> None:
        self.name, self.digest, self.settings = name, digest, settings
        self._folder, self._model, self._lock = folder, None, threading.Lock()

    def fingerprint(self) -> str:
        return f"{self.name}@{self.digest}"

    def windows(self, sound: Samples) -> Sequence[Window]:
        """Stretches with a voice, joined up to 28 seconds and cut where it is silent."""
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        options = VadOptions(
            threshold=0.5,
            min_speech_duration_ms=int(MIN_VOICE_SECONDS * 1000),
            max_speech_duration_s=WINDOW_SECONDS - 2 * PAD_MS / 1000,
            min_silence_duration_ms=SILENCE_MS,
            speech_pad_ms=PAD_MS,
        )
        voices = get_speech_timestamps(sound, options)
        joined: list[Window] = []
        for voice in voices:
            start, end = voice["start"] / SAMPLE_RATE, voice["end"] / SAMPLE_RATE
            # A gap of over two seconds would be decoded for nothing.
            if joined and end - joined[-1].start <= WINDOW_SECONDS and start - joined[-1].end < 2:
                joined[-1] = Window(joined[-1].start, end)
            else:
                joined.append(Window(start, end))
        return joined

    def detect_language(self, sound: Samples) -> str:
        """The likeliest language's code; English when Whisper is not sure of any."""
        with self._lock:
            language, probability, _ = self._loaded().detect_language(sound[: 30 * SAMPLE_RATE])
        return str(language) if probability >= LANGUAGE_PROBABILITY else "en"

    def transcribe(self, sound: Samples, language: str | None) -> Sequence[Line]:
        """Utterances of one window, without what Whisper seems to have made up."""
        with self._lock:
            segments, _ = self._transcriber()(
                sound,
                language=language,
                beam_size=self.settings.beam_size,
                temperature=[0.0, 0.4],
                condition_on_previous_text=False,
                no_speech_threshold=NO_SPEECH,
                log_prob_threshold=LOG_PROBABILITY,
                compression_ratio_threshold=COMPRESSION,
                word_timestamps=True,
            )
            trusted = [segment for segment in segments if _trusted(segment)]
        words = [word for segment in trusted for word in segment.words or ()]
        limit = len(sound) / SAMPLE_RATE
        return tuple(self._utterance(group, limit) for group in _grouped(words))

    def _utterance(self, words: Sequence[Any], limit: float) -> Line:
        text = "".join(word.word for word in words).strip()
        start, end = float(words[0].start), min(limit, float(words[-1].end))
        return Line(min(start, end), end, "speech", text, None, self.name)

    def _transcriber(self) -> Callable[..., Any]:
        model = self._loaded()
        if not self.settings.batched:
            return model.transcribe  # type: ignore[no-any-return]
        from faster_whisper import BatchedInferencePipeline

        return BatchedInferencePipeline(model).transcribe  # type: ignore[no-any-return]

    def _loaded(self) -> Any:
        if self._model is None:
            try:
                from faster_whisper import WhisperModel
            except ImportError as error:
                raise BackendMissing(
                    "the package faster-whisper is missing", "pip install faster-whisper"
                ) from error
            folder = str(self._folder())
            try:
                self._model = WhisperModel(folder, device="auto", compute_type=_precision())
            except (RuntimeError, ValueError, OSError) as error:
                raise ModelError(f"{self.name} in {folder} cannot be loaded: {error}") from error
        return self._model


def _precision() -> str:
    import ctranslate2

    return "float16" if ctranslate2.get_cuda_device_count() else "int8"


def _trusted(segment: Any) -> bool:
    """Whether a segment sounds like speech: text invented over noise is unsure or repeats itself."""
    if segment.compression_ratio > COMPRESSION:
        return False
    if segment.avg_logprob < LOG_PROBABILITY:
        return False
    return not (segment.no_speech_prob > NO_SPEECH and segment.avg_logprob < LOG_PROBABILITY / 2)


def _grouped(words: Sequence[Any]) -> Iterator[list[Any]]:
    """Words as utterances: a sentence, a stretch between pauses, or twelve seconds."""
    group: list[Any] = []
    for word in words:
        if group and (
            SENTENCE_END.search(group[-1].word.strip())
            or word.start - group[-1].end > PAUSE_SECONDS
            or word.end - group[0].start > UTTERANCE_SECONDS
        ):
            yield group
            group = []
        group.append(word)
    if group:
        yield group
