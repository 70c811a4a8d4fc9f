"""The table of models: what `provider/model` means for each role; imports a provider when used.

A role's spec is `auto`, a provider's name, or `provider/model`; `resolve` says what it stands for
and why, without loading or pulling anything.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from .. import cores
from ..errors import UsageError
from ..settings import weights_path
from ..weights import catalogue, store
from .kept import kept

if TYPE_CHECKING:
    from ..protocols import (
        Embedder,
        ImageEmbedder,
        Model,
        Progress,
        SpeechModel,
        TextModel,
        TextReader,
        VisionModel,
    )
    from ..settings import Settings
    from .llama_cpp import LlamaCpp
    from .ollama import Ollama
    from .open_clip import OpenClip, Tags
    from .openai_api import Endpoint, OpenAiApi
    from .sentences import Sentences

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
    if spec == "auto":
        return _auto(role, settings)
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
    if choice.provider not in TABLE[role]:
        return choice.spec
    made: Model = _made(role, choice, settings, None)
    return made.fingerprint()


def text_model(spec: str, settings: Settings, progress: Progress | None = None) -> TextModel:
    made: TextModel = _made("llm", resolve("llm", spec, settings), settings, progress)
    return made


def speech_model(spec: str, settings: Settings, progress: Progress | None = None) -> SpeechModel:
    made: SpeechModel = _made("speech", resolve("speech", spec, settings), settings, progress)
    return made


def text_reader(spec: str, settings: Settings, progress: Progress | None = None) -> TextReader:
    made: TextReader = _made("reader", resolve("reader", spec, settings), settings, progress)
    return made


def vision_model(spec: str, settings: Settings, progress: Progress | None = None) -> VisionModel:
    made: VisionModel = _made("vision", resolve("vision", spec, settings), settings, progress)
    return made


def embedder(spec: str, settings: Settings, progress: Progress | None = None) -> Embedder:
    return cast("Embedder", _made("embed", resolve("embed", spec, settings), settings, progress))


def image_embedder(
    spec: str, settings: Settings, progress: Progress | None = None
) -> ImageEmbedder | None:
    """The embedder if it sees, None if it only reads or the spec is `none`; loads nothing."""
    if resolve("embed", spec, settings).spec == "none":
        return None
    model = embedder(spec, settings, progress)
    return cast("ImageEmbedder", model) if hasattr(model, "embed_images") else None


def _made(role: Role, choice: Choice, settings: Settings, progress: Progress | None) -> Any:
    make = TABLE[role][choice.provider]
    return kept(role, choice.spec, settings, lambda: make(choice, settings, progress))


def _llama_cpp(choice: Choice, settings: Settings, progress: Progress | None) -> LlamaCpp:
    from .llama_cpp import LlamaCpp

    verbose = settings.models.verbose
    if choice.model.endswith(".gguf"):
        path = _gguf(choice)
        mmproj = settings.models.mmproj
        digest = _file_digest(path) + (_file_digest(mmproj) if mmproj else "")
        return LlamaCpp(choice.spec, digest, lambda: path, None, None, mmproj, verbose)
    entry = catalogue.get(choice.model)
    if entry.role != "llm":
        raise UsageError(f"{entry.name} is no text model but one for {entry.role}")
    return LlamaCpp(
        choice.spec,
        entry.digest,
        lambda: store.ensure(entry, settings, progress).main,
        entry.context_length,
        entry.reading_budget,
        verbose=verbose,
    )


def _gguf(choice: Choice) -> Path:
    path = Path(choice.model).expanduser()
    if not path.is_file():
        raise UsageError(f"there is no model file {path}", "llamacpp/PATH.gguf names a file")
    return path


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
    from .open_clip import Tags

    return _clip(choice, settings, Tags())


def _open_clip_seer(choice: Choice, settings: Settings, progress: Progress | None) -> OpenClip:
    del progress
    from .open_clip import Tags
    from .tags import read_vocabulary

    vocabulary = read_vocabulary(settings.captions.vocabulary)
    return _clip(choice, settings, Tags(vocabulary, settings.captions.tag_share))


def _clip(choice: Choice, settings: Settings, tags: Tags) -> OpenClip:
    from .clip_model import source
    from .open_clip import OpenClip

    found, cache = source(choice.model), weights_path(settings) / "openclip"
    digest = _file_digest(found.file) if found.file else ""
    offline = settings.weights.offline
    return OpenClip(choice.spec, found, digest, cache, tags=tags, offline=offline)


def _sentences(choice: Choice, settings: Settings, progress: Progress | None) -> Sentences:
    from .sentences import SHAPES, Sentences

    shape = SHAPES[choice.provider]
    entry = catalogue.get(choice.model or shape.weights)
    if entry.name != shape.weights:
        raise UsageError(f"{choice.provider} reads the weights {shape.weights}, not {entry.name}")
    name = f"{choice.provider}/{entry.name}"
    return Sentences(
        name, entry.digest, shape, lambda: store.ensure(entry, settings, progress).folder
    )


def _rapidocr(choice: Choice, settings: Settings, progress: Progress | None) -> TextReader:
    del choice, settings, progress
    from .rapidocr import RapidOcr

    return RapidOcr()


def _endpoint(choice: Choice, settings: Settings) -> Endpoint:
    from .openai_api import Endpoint

    base_url = settings.servers.base_url if choice.provider == "openai" else None
    return Endpoint(choice.provider, base_url, settings.calls.timeout)


def _openai_api(choice: Choice, settings: Settings, progress: Progress | None) -> OpenAiApi:
    del progress
    from ..metering import Prices
    from .openai_api import OpenAiApi

    _named(choice)
    length = Prices.load(settings.calls.prices).known(choice.spec).context_length
    return OpenAiApi(_endpoint(choice, settings), choice.model, length)


def _openai_speech(choice: Choice, settings: Settings, progress: Progress | None) -> SpeechModel:
    del progress
    from .openai_speech import OpenAiSpeech

    _named(choice)
    return OpenAiSpeech(_endpoint(choice, settings), choice.model)


def _ollama(choice: Choice, settings: Settings, progress: Progress | None) -> Ollama:
    del progress
    from .ollama import Ollama, OllamaServer

    _named(choice)
    return Ollama(OllamaServer(settings.servers.ollama, settings.calls.timeout), choice.model)


def _vectors(choice: Choice, settings: Settings, progress: Progress | None) -> Embedder:
    del progress
    from .served_vectors import OllamaVectors, OpenAiVectors, Served

    if choice.provider == "llamacpp":
        from .gguf_vectors import GgufVectors

        path = _gguf(choice)
        return Served(
            GgufVectors(choice.spec, _file_digest(path), path, verbose=settings.models.verbose)
        )
    _named(choice)
    if choice.provider != "ollama":
        return Served(OpenAiVectors(_endpoint(choice, settings), choice.model))
    from .ollama import OllamaServer

    server = OllamaServer(settings.servers.ollama, settings.calls.timeout)
    return Served(OllamaVectors(server, choice.model))


def _named(choice: Choice) -> None:
    if not choice.model:
        raise UsageError(
            f"'{choice.spec}' names no model",
            f"{choice.provider}/MODEL; silvr models list --remote",
        )


def _fake(kind: str) -> Callable[..., Any]:
    def make(choice: Choice, settings: Settings, progress: Progress | None) -> Any:
        from . import fake

        return getattr(fake, kind)()

    return make


# The services that openai_api knows by name; listed here so that a typo costs no import.
SERVICES = (
    *("openai", "gemini", "deepseek", "openrouter", "groq", "mistral", "together"),
    *("vllm", "lmstudio", "llama-server"),
)
EMBEDDING = tuple(name for name in SERVICES if name not in ("deepseek", "groq"))
_CHAT: Mapping[str, Callable[..., Any]] = {
    "ollama": _ollama,
    **dict.fromkeys(SERVICES, _openai_api),
}
_TEXT: Mapping[str, Callable[..., TextModel]] = {
    "llamacpp": _llama_cpp,
    **_CHAT,
    "fake": _fake("FakeText"),
}
_SPEECH: Mapping[str, Callable[..., SpeechModel]] = {
    "whisper": _whisper,
    "openai-whisper": _openai_whisper,
    **dict.fromkeys(SERVICES, _openai_speech),
    "fake": _fake("FakeSpeech"),
}
_VISION: Mapping[str, Callable[..., VisionModel]] = {
    **_CHAT,
    "llamacpp": _llama_cpp,
    "openclip": _open_clip_seer,
    "fake": _fake("FakeVision"),
}
_EMBEDDERS: Mapping[str, Callable[..., Embedder]] = {
    **dict.fromkeys(("llamacpp", "ollama", *EMBEDDING), _vectors),
    **dict.fromkeys(("minilm", "mpnet"), _sentences),
    "openclip": _open_clip,
    "fake": _fake("FakeEmbedder"),
}
_READERS: Mapping[str, Callable[..., TextReader]] = {
    "rapidocr": _rapidocr,
    "fake": _fake("FakeReader"),
}
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


def _auto(role: Role, settings: Settings) -> Choice:
    """What is configured, else a reachable Ollama, else a key that is set, else the embedded."""
    if role in ("llm", "vision"):
        from .automatic import found

        spec, reason = found(role, settings)
        if spec:
            return Choice(spec, reason)
    return _EMBEDDED[role](settings)


def _embedded_embedder(settings: Settings) -> Choice:
    from .sentences import SHAPES

    entry = catalogue.get(SHAPES["minilm"].weights)
    if settings.weights.offline and store.state(entry, settings) != "installed":
        return Choice("none", f"the weights {entry.name} are not here and silvr is offline")
    return Choice(f"minilm/{entry.name}", "the embedded default")


def _embedded_llm(settings: Settings) -> Choice:
    del settings
    entry = catalogue.get(LARGE)
    memory = cores.memory_gb()
    if memory is not None and memory < entry.memory_gb + 1:
        return Choice(f"llamacpp/{SMALL}", f"this machine has only {memory:.1f} GB of memory")
    return Choice(f"llamacpp/{LARGE}", "the embedded default")


_EMBEDDED: Mapping[Role, Callable[[Settings], Choice]] = {
    "llm": _embedded_llm,
    "speech": lambda _: Choice("whisper/base", "the embedded default"),
    "vision": lambda _: Choice("embedded", "no vision model is configured"),
    "reader": lambda _: Choice("rapidocr", "the embedded default"),
    "embed": _embedded_embedder,
}


def _file_digest(path: Path) -> str:
    """A stand-in for the hash of a large file: its size, time, beginning and end."""
    stat = path.stat()
    with path.open("rb") as file:
        head = file.read(1 << 20)
        file.seek(max(0, stat.st_size - (1 << 20)))
        tail = file.read()
    marks = f"{stat.st_size}:{stat.st_mtime_ns}".encode("ascii")
    return hashlib.sha256(marks + head + tail).hexdigest()[:16]
