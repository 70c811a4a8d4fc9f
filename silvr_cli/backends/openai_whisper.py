"""Speech through openai-whisper (torch): a size that it fetches itself, or a checkpoint file.

Takes windows of sound and gives utterances; what is unsure is tried again here, and judged in
`utterances`. Sound comes as samples, so the ffmpeg program is not needed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BackendMissing, ModelError, UsageError, WeightsError
from ..protocols import SAMPLE_RATE, Window
from ..records import Line
from .utterances import (
    LANGUAGE_PROBABILITY,
    LOG_PROBABILITY,
    NO_SPEECH,
    NO_SPEECH_LOG_PROBABILITY,
    OTHER_LANGUAGE_PROBABILITY,
    UNSURE,
    Segment,
    Word,
    most_tokens,
    sureness,
    told,
    without_tail,
)
from .voice import VOICED, voice_shares, voiced_windows

if TYPE_CHECKING:
    from ..protocols import Samples
    from ..settings import Speech

INSTALL = "pip install 'silvr[whisper]'"


def checkpoint(model: str) -> Path | None:
    """The file that `model` names, or None for a size; raises UsageError when it is not there."""
    if not model:
        raise UsageError(
            "openai-whisper needs a size or a checkpoint file", "such as openai-whisper/base"
        )
    if not model.endswith(".pt"):
        return None
    path = Path(model).expanduser()
    if not path.is_file():
        raise UsageError(f"there is no checkpoint {path}", "openai-whisper/PATH.pt names a file")
    return path


class OpenAiWhisper:
    """A SpeechModel; loads with the first sound, on a GPU where torch has one. Safe across threads.

    `cache` is the folder that sizes are fetched into. Calls raise ModelError when the model cannot
    be loaded (WeightsError: fetched), UsageError for a size or a language that it does not know.
    """

    slots = 1

    def __init__(
        self, name: str, digest: str, cache: Path, settings: Speech, *, offline: bool = False
    ) -> None:
        self.name, self.digest, self.settings = name, digest, settings
        self._cache, self._offline = cache, offline
        self._model, self._lock = None, threading.RLock()

    def fingerprint(self) -> str:
        from importlib.metadata import PackageNotFoundError, version

        try:
            # A size stands for one file in each version of the package.
            return f"{self.name}@{version('openai-whisper')}:{self.digest}".rstrip(":")
        except PackageNotFoundError as error:
            raise _missing() from error

    def windows(self, sound: Samples) -> Sequence[Window]:
        """Stretches with a voice, joined up to about 30 seconds and cut where it is silent."""
        return voiced_windows(sound)

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
            segments = self._careful(sound, language)
        return told(segments, voices, len(sound) / SAMPLE_RATE, self.name)

    def close(self) -> None:
        """Give back memory; a closed model may be used again."""
        with self._lock:
            self._model = None

    def _careful(self, sound: Samples, language: str | None) -> list[Segment]:
        """Decode; what comes out unsure is tried in the language it seems to be in, then wider.

        Whisper's authors fall back to sampling; a search gives the same text every time.
        """
        beam = self.settings.beam_size
        best = self._decode(sound, language, beam_size=beam)
        if best and self.settings.language is None and sureness(best) < UNSURE:
            other, probability = self._language(sound)
            if other != language and probability >= OTHER_LANGUAGE_PROBABILITY:
                best = max(best, self._decode(sound, other, beam_size=beam), key=sureness)
        if best and sureness(best) < LOG_PROBABILITY:
            wide = self._decode(sound, language, beam_size=max(5, beam), patience=2.0)
            best = max(best, wide, key=sureness)
        return best

    def _decode(self, sound: Samples, language: str | None, **options: Any) -> list[Segment]:
        model, seconds = self._loaded(), len(sound) / SAMPLE_RATE
        decoded = model.transcribe(
            sound,
            language=language,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
            sample_len=most_tokens(seconds),
            fp16=model.device.type == "cuda",
            # What `utterances` would throw away needs no word times.
            no_speech_threshold=NO_SPEECH,
            logprob_threshold=NO_SPEECH_LOG_PROBABILITY,
            compression_ratio_threshold=None,
            **options,
        )
        raw = [one for one in decoded["segments"] if one["text"].strip()]
        return without_tail((_segment(one) for one in raw), seconds)

    def _language(self, sound: Samples) -> tuple[str, float]:
        with self._lock:
            model = self._loaded()
            if not model.is_multilingual:
                return "en", 1.0
            import torch
            import whisper

            padded = whisper.pad_or_trim(torch.from_numpy(sound))
            mel = whisper.log_mel_spectrogram(padded, n_mels=model.dims.n_mels)
            _, shares = model.detect_language(mel.to(model.device))
        language = max(shares, key=shares.__getitem__)
        return str(language), float(shares[language])

    def _check_language(self, language: str | None) -> None:
        known = self._known_languages()
        if language is not None and language not in known:
            raise UsageError(
                f"{self.name} does not know the language '{language}'",
                "give an ISO 639-1 code such as en",
            )

    def _known_languages(self) -> Sequence[str]:
        model = self._loaded()
        from whisper.tokenizer import LANGUAGES

        return tuple(LANGUAGES)[: model.num_languages] if model.is_multilingual else ("en",)

    def _loaded(self) -> Any:
        if self._model is None:
            # Otherwise torch's threads spin while they wait, and starve each other.
            os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
            try:
                import whisper
            except ImportError as error:
                raise _missing() from error
            source = self._source(whisper._MODELS)
            try:
                self._model = whisper.load_model(source, download_root=str(self._cache))
            except OSError as error:
                raise WeightsError(
                    f"the weights of {self.name} cannot be had: {error}",
                    "check the network, or give a file: openai-whisper/PATH.pt",
                ) from error
            except Exception as error:
                reason = str(error).partition("\n")[0].partition(". ")[0]
                raise ModelError(f"{self.name} cannot be loaded: {reason}") from error
        return self._model

    def _source(self, sizes: Mapping[str, str]) -> str:
        """What whisper is asked for: a path, or a size (`sizes` says from where it is fetched).

        A size has to be here already when silvr is offline.
        """
        model = self.name.partition("/")[2]
        path = checkpoint(model)
        if path:
            return str(path)
        if model not in sizes:
            raise UsageError(
                f"openai-whisper has no size '{model}'", f"a .pt file, or of {', '.join(sizes)}"
            )
        if self._offline and not (self._cache / Path(sizes[model]).name).is_file():
            raise WeightsError(
                f"the weights of {self.name} are not in {self._cache} and silvr is offline",
                "go online once, or give a file: openai-whisper/PATH.pt",
            )
        return model


def _segment(raw: dict[str, Any]) -> Segment:
    words = tuple(
        Word(float(w["start"]), float(w["end"]), w["word"]) for w in raw.get("words") or ()
    )
    sure = (float(raw[key]) for key in ("avg_logprob", "compression_ratio", "no_speech_prob"))
    return Segment(float(raw["start"]), float(raw["end"]), raw["text"], words, *sure)


def _missing() -> BackendMissing:
    return BackendMissing("the package openai-whisper is missing", INSTALL)
