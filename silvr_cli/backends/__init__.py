"""The table of models: what `provider/model` means for each role; imports a provider when used.

A role's spec is `auto`, a provider's name, or `provider/model`; `resolve` says what it stands for
and why, without loading or pulling anything.
"""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..errors import UsageError
from ..settings import weights_path
from ..weights import catalogue, store

if TYPE_CHECKING:
    from ..protocols import (
        Embedder,
        Model,
        Progress,
        SpeechModel,
        TextModel,
        TextReader,
        VisionModel,
    )
    from ..settings import Settings
    from .open_clip import OpenClip

Role = Literal["llm", "speech", "vision", "reader", "embed"]
LARGE, SMALL = "qwen2.5-coder-1.5b", "qwen2.5-coder-0.5b"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a spec stands for; `reason` says why when it was `auto`."""

    spec: str
    reason: str = ""

    @property
    def provider(self) -> str:
        return self.spec.partition("/")[0]

    @property
    def model(self) -> str:
        return self.spec.partition("/")[2]


def resolve(role: Role, spec: str, settings: Settings) -> Choice:
    """What `spec` stands for in that role; raises UsageError for a provider nobody knows."""
    del settings  # other providers will be preferred where they are configured
    if spec == "auto":
        return _AUTO[role]()
    choice = Choice(spec)
    known = [*TABLE[role], *KEYWORDS[role]]
    if choice.provider not in known:
        close = difflib.get_close_matches(choice.provider, known, 1)
        raise UsageError(
            f"no provider for {role} is called '{choice.provider}'",
            f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}",
        )
    return choice


def fingerprint(role: Role, spec: str, settings: Settings) -> str:
    """What identifies the model behind a spec; changes with its weights. Loads nothing."""
    choice = resolve(role, spec, settings)
    make = TABLE[role].get(choice.provider)
    return make(choice, settings, None).fingerprint() if make else choice.spec


def text_model(spec: str, settings: Settings, progress: Progress | None = None) -> TextModel:
    choice = resolve("llm", spec, settings)
    return _TEXT[choice.provider](choice, settings, progress)


def speech_model(spec: str, settings: Settings, progress: Progress | None = None) -> SpeechModel:
    choice = resolve("speech", spec, settings)
    return _SPEECH[choice.provider](choice, settings, progress)


def text_reader(spec: str, settings: Settings, progress: Progress | None = None) -> TextReader:
    choice = resolve("reader", spec, settings)
    return _READERS[choice.provider](choice, settings, progress)


def vision_model(spec: str, settings: Settings, progress: Progress | None = None) -> VisionModel:
    choice = resolve("vision", spec, settings)
    return _VISION[choice.provider](choice, settings, progress)


def embedder(spec: str, settings: Settings, progress: Progress | None = None) -> Embedder:
    choice = resolve("embed", spec, settings)
    return _EMBEDDERS[choice.provider](choice, settings, progress)


def _llama_cpp(choice: Choice, settings: Settings, progress: Progress | None) -> TextModel:
    from .llama_cpp import LlamaCpp

    if choice.model.endswith(".gguf"):
        path = Path(choice.model).expanduser()
        if not path.is_file():
            raise UsageError(f"there is no model file {path}", "llamacpp/PATH.gguf names a file")
        return LlamaCpp(choice.spec, _file_digest(path), lambda: path)
    entry = catalogue.get(choice.model)
    if entry.role != "llm":
        raise UsageError(f"{entry.name} is no text model but one for {entry.role}")
    return LlamaCpp(
        choice.spec,
        entry.digest,
        lambda: store.ensure(entry, settings, progress).main,
        entry.context_length,
        entry.reading_budget,
    )


def _whisper(choice: Choice, settings: Settings, progress: Progress | None) -> SpeechModel:
    from .faster_whisper import FasterWhisper

    entry = catalogue.find(choice.spec)
    if entry:
        return FasterWhisper(
            choice.spec,
            entry.digest,
            lambda: store.ensure(entry, settings, progress).folder,
            settings.speech,
        )
    folder = Path(choice.model).expanduser()
    if not (folder / "model.bin").is_file():
        known = ", ".join(e.name for e in catalogue.entries() if e.role == "speech")
        raise UsageError(
            f"'{choice.spec}' is neither in the catalogue nor a folder with a model.bin",
            f"known: {known}",
        )
    digest = _file_digest(folder / "model.bin")
    return FasterWhisper(choice.spec, digest, lambda: folder, settings.speech)


def _openai_whisper(choice: Choice, settings: Settings, progress: Progress | None) -> SpeechModel:
    del progress
    from .openai_whisper import OpenAiWhisper, checkpoint

    path, cache = checkpoint(choice.model), weights_path(settings) / "openai-whisper"
    digest = _file_digest(path) if path else ""
    offline = settings.weights.offline
    return OpenAiWhisper(choice.spec, digest, cache, settings.speech, offline=offline)


def _open_clip(choice: Choice, settings: Settings, progress: Progress | None) -> OpenClip:
    del progress
    from .clip_model import source
    from .open_clip import OpenClip

    found, cache = source(choice.model), weights_path(settings) / "openclip"
    digest = _file_digest(found.file) if found.file else ""
    return OpenClip(choice.spec, found, digest, cache, offline=settings.weights.offline)


def _rapidocr(choice: Choice, settings: Settings, progress: Progress | None) -> TextReader:
    del choice, settings, progress
    from .rapidocr import RapidOcr

    return RapidOcr()


def _fake_text(choice: Choice, settings: Settings, progress: Progress | None) -> TextModel:
    del choice, settings, progress
    from .fake import FakeText

    return FakeText()


def _fake_speech(choice: Choice, settings: Settings, progress: Progress | None) -> SpeechModel:
    del choice, settings, progress
    from .fake import FakeSpeech

    return FakeSpeech()


def _fake_reader(choice: Choice, settings: Settings, progress: Progress | None) -> TextReader:
    del choice, settings, progress
    from .fake import FakeReader

    return FakeReader()


def _fake_vision(choice: Choice, settings: Settings, progress: Progress | None) -> VisionModel:
    del choice, settings, progress
    from .fake import FakeVision

    return FakeVision()


def _fake_embedder(choice: Choice, settings: Settings, progress: Progress | None) -> Embedder:
    del choice, settings, progress
    from .fake import FakeEmbedder

    return FakeEmbedder()


_TEXT = {"llamacpp": _llama_cpp, "fake": _fake_text}
_SPEECH = {"whisper": _whisper, "openai-whisper": _openai_whisper, "fake": _fake_speech}
_VISION: Mapping[str, Callable[..., VisionModel]] = {"openclip": _open_clip, "fake": _fake_vision}
_EMBEDDERS: Mapping[str, Callable[..., Embedder]] = {
    "openclip": _open_clip,
    "fake": _fake_embedder,
}
_READERS = {"rapidocr": _rapidocr, "fake": _fake_reader}
TABLE: Mapping[Role, Mapping[str, Callable[..., Model]]] = {
    "llm": _TEXT,
    "speech": _SPEECH,
    "vision": _VISION,
    "reader": _READERS,
    "embed": _EMBEDDERS,
}
# Specs that are not models: the pipeline knows what they mean.
KEYWORDS: Mapping[Role, tuple[str, ...]] = {
    "llm": (),
    "speech": ("subtitles", "none"),
    "vision": ("embedded", "none"),
    "reader": ("none",),
    "embed": ("none",),
}


def _auto_llm() -> Choice:
    entry = catalogue.get(LARGE)
    memory = _memory_gb()
    if memory is not None and memory < entry.memory_gb + 1:
        return Choice(f"llamacpp/{SMALL}", f"this machine has only {memory:.1f} GB of memory")
    return Choice(f"llamacpp/{LARGE}", "the embedded default")


_AUTO: Mapping[Role, Callable[[], Choice]] = {
    "llm": _auto_llm,
    "speech": lambda: Choice("whisper/base", "the embedded default"),
    "vision": lambda: Choice("embedded", "no vision model is configured"),
    "reader": lambda: Choice("rapidocr", "the embedded default"),
    "embed": lambda: Choice("none", "no embedding model is configured"),
}


def _memory_gb() -> float | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):
        return None


def _file_digest(path: Path) -> str:
    """A stand-in for the hash of a large file: its size, time, beginning and end."""
    stat = path.stat()
    with path.open("rb") as file:
        head = file.read(1 << 20)
        file.seek(max(0, stat.st_size - (1 << 20)))
        tail = file.read()
    marks = f"{stat.st_size}:{stat.st_mtime_ns}".encode("ascii")
    return hashlib.sha256(marks + head + tail).hexdigest()[:16]
