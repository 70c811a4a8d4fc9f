"""Speech through faster-whisper (CTranslate2): Whisper weights in a folder, Silero for voices.

Takes windows of sound and gives utterances; what is unsure is tried again here, and judged in
`utterances`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import cores
from ..errors import BackendMissing, ModelError, UsageError
from ..protocols import SAMPLE_RATE, Window
from ..records import Line
from .utterances import (
    LANGUAGE_PROBABILITY,
    LOG_PROBABILITY,
    OTHER_LANGUAGE_PROBABILITY,
    UNSURE,
    Segment,
    Word,
    most_tokens,
    sureness,
    told,
    without_tail,
)
from .voice import VOICED, WINDOW_SECONDS, joined, voice_shares, voiced_windows

if TYPE_CHECKING:
    from ..protocols import Samples
    from ..settings import Speech

BATCH = 4  # windows decoded together in batched mode
BATCH_JOIN_SECONDS = 60.0  # a batch skips the silence between its windows


class FasterWhisper:
    """A SpeechModel; `folder` is asked for when the first sound comes. Safe across threads.

    Calls raise ModelError when the folder holds no usable model, UsageError for a language that
    it does not know. In batched mode windows are up to BATCH times as long.
    """

    slots = 1

    def __init__(
        self, name: str, digest: str, folder: Callable[[], Path], settings: Speech
    ) -> None:
        self.name, self.digest, self.settings = name, digest, settings
        self._folder, self._model, self._lock = folder, None, threading.RLock()

    def fingerprint(self) -> str:
        return f"{self.name}@{self.digest}"

    def windows(self, sound: Samples) -> Sequence[Window]:
        """Stretches with a voice, joined up to about 30 seconds and cut where it is silent."""
        voiced = voiced_windows(sound)
        if self.settings.batched:
            return joined(voiced, WINDOW_SECONDS * BATCH, BATCH_JOIN_SECONDS)
        return voiced

    def detect_language(self, sound: Samples) -> str:
        """The likeliest language's code; English when Whisper is not sure of any."""
        language, probability = self._language(sound)
        return language if probability >= LANGUAGE_PROBABILITY else "en"

    def transcribe(self, sound: Samples, language: str | None) -> Sequence[Line]:
        """Utterances of one window, without what Whisper seems to have made up."""
        voices = voice_shares(sound)
        if not (voices >= VOICED).any():
            return ()
        with self._lock:
            self._check_language(language)
            decode = self._batched if self.settings.batched else self._careful
            segments = decode(sound, language)
        return told(segments, voices, len(sound) / SAMPLE_RATE, self.name)

    def _careful(self, sound: Samples, language: str | None) -> list[Segment]:
        """Decode; what comes out unsure is tried in the language it seems to be in, then wider.

        Whisper's authors fall back to sampling; a search gives the same text every time.
        """
        model, beam = self._loaded(), self.settings.beam_size
        best = self._decode(model, sound, language, beam_size=beam)
        if self.settings.language is None and sureness(best) < UNSURE:
            other, probability = self._language(sound)
            if other != language and probability >= OTHER_LANGUAGE_PROBABILITY:
                best = max(best, self._decode(model, sound, other, beam_size=beam), key=sureness)
        if sureness(best) < LOG_PROBABILITY:
            wide = self._decode(
                model,
                sound,
                language,
                beam_size=max(5, beam),
                repetition_penalty=1.1,
                no_repeat_ngram_size=4,
            )
            best = max(best, wide, key=sureness)
        return best

    def _batched(self, sound: Samples, language: str | None) -> list[Segment]:
        from faster_whisper import BatchedInferencePipeline

        windows = [{"start": w.start, "end": w.end} for w in voiced_windows(sound)]
        if not windows:
            return []
        return self._decode(
            BatchedInferencePipeline(self._loaded()),
            sound,
            language,
            beam_size=self.settings.beam_size,
            batch_size=BATCH,
            clip_timestamps=windows,
            vad_filter=False,
        )

    def _decode(
        self, model: Any, sound: Samples, language: str | None, **options: Any
    ) -> list[Segment]:
        duration = len(sound) / SAMPLE_RATE
        segments, _ = model.transcribe(
            sound,
            language=language,
            temperature=[0.0],
            condition_on_previous_text=False,
            word_timestamps=True,
            max_new_tokens=most_tokens(duration),
            # Judged in `utterances`, which sees both tries.
            no_speech_threshold=None,
            log_prob_threshold=None,
            compression_ratio_threshold=None,
            **options,
        )
        return without_tail((_segment(raw) for raw in segments), duration)

    def _language(self, sound: Samples) -> tuple[str, float]:
        with self._lock:
            language, probability, _ = self._loaded().detect_language(
                sound[: 30 * SAMPLE_RATE], language_detection_threshold=0.0
            )
        return str(language), float(probability)

    def _check_language(self, language: str | None) -> None:
        if language is not None and language not in self._loaded().supported_languages:
            raise UsageError(
                f"{self.name} does not know the language '{language}'",
                "give an ISO 639-1 code such as en",
            )

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
                self._model = WhisperModel(
                    folder,
                    device="auto",
                    compute_type=_precision(),
                    cpu_threads=min(4, len(cores.ours())),
                    local_files_only=True,
                )
            except (RuntimeError, ValueError, OSError) as error:
                raise ModelError(f"{self.name} in {folder} cannot be loaded: {error}") from error
        return self._model


def _segment(raw: Any) -> Segment:
    words = tuple(Word(float(w.start), float(w.end), w.word) for w in raw.words or ())
    sure = float(raw.avg_logprob), float(raw.compression_ratio), float(raw.no_speech_prob)
    return Segment(float(raw.start), float(raw.end), raw.text, words, *sure)


def _precision() -> str:
    import ctranslate2

    return "float16" if ctranslate2.get_cuda_device_count() else "int8"
