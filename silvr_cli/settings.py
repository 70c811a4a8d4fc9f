"""The user's choices: one frozen section a stage, and the folders that they lead to.

Knows no stage, opens no model, and reads no file: `configuration` does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .records import Style


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Models(Section):
    """Which model plays each role, as `provider/model`, `auto` or `none`."""

    llm: str = Field(default="auto", description="reads the timeline and answers")
    speech: str = Field(default="auto", description="auto, subtitles, none, or whisper/base")
    vision: str = Field(
        default="auto", description="captions clips; embedded only tells what changed"
    )
    reader: str = Field(
        default="rapidocr", description="reads on-screen text; none switches it off"
    )
    embed: str = Field(
        default="auto", description="compares texts by meaning, and pictures if it sees; or none"
    )
    verbose: bool = Field(default=False, description="let model libraries write their own logs")
    mmproj: Path | None = Field(
        default=None, description="the projector file that lets a .gguf model see"
    )


class Media(Section):
    frames_per_second: float = Field(
        default=1.0, gt=0, le=30, description="frames looked at per second"
    )
    max_frames: int = Field(
        default=7200, ge=1, description="at most this many; longer videos thin out"
    )
    max_side: int = Field(default=1280, ge=64, description="frames are shrunk to this longer side")
    audio_track: int | None = Field(
        default=None, ge=0, description="stream; default: the default one"
    )


class Scenes(Section):
    method: Literal["adaptive", "content", "uniform", "tile"] = "adaptive"
    threshold: float | None = Field(
        default=None, gt=0, description="the detector's own when absent"
    )
    min_length: float = Field(default=1.0, gt=0, description="seconds")
    uniform_length: float = Field(default=30.0, gt=0, description="seconds, for method uniform")
    alpha: float = Field(
        default=1.0, ge=0, description="for method tile: cut above mean + alpha * std"
    )


class Vectors(Section):
    """What a model of models.embed that sees makes of the frames."""

    batch: int = Field(default=32, ge=1, le=4096, description="pictures embedded and kept at once")


class Clips(Section):
    ladder: tuple[float, ...] = Field(
        default=(8.0, 16.0, 32.0, 64.0), description="clip lengths, seconds"
    )


class Captions(Section):
    min_change: float = Field(
        default=0.02, gt=0, lt=1, description="share of brightness; less is a still"
    )
    frames: int = Field(default=4, ge=1, le=32, description="shown to a vision model a clip")
    max_side: int = Field(default=768, ge=64, description="they are shrunk to this longer side")
    max_tokens: int = Field(default=160, ge=16, description="room for one caption")
    with_speech: bool = Field(default=True, description="show what is said around the clip")
    same_picture: float = Field(
        default=0.985, gt=0, le=1, description="vectors (cosine) this alike show the same"
    )
    vocabulary: Path | None = Field(
        default=None, description="words to tag with, one a line; default: silvr's own"
    )
    tag_share: float = Field(
        default=0.15, ge=0, le=1, description="a tag needs this share of the vocabulary"
    )


class ScreenText(Section):
    min_score: float = Field(default=0.6, ge=0, le=1, description="drop readings the reader doubts")
    min_change: float = Field(
        default=0.015, ge=0, lt=1, description="frames less different are not read"
    )
    similarity: float = Field(
        default=0.8, ge=0, le=1, description="readings this alike are one line"
    )


class Speech(Section):
    language: str | None = Field(
        default=None, description="ISO 639-1, such as en; default: detected"
    )
    beam_size: int = Field(default=5, ge=1, le=10)
    batched: bool = Field(
        default=False,
        description="whisper/…: 0.7 x the CPU, a quarter more word errors (docs/backends.md)",
    )
    subtitle_track: int | None = Field(
        default=None, ge=0, description="stream index of an embedded track"
    )


class Reduction(Section):
    method: Literal["auto", "all", "paper", "focus", "segments"] = "auto"
    budget: int | None = Field(
        default=None, ge=64, description="tokens of timeline; default: the model's"
    )
    look: Literal["auto", "words", "model"] = Field(
        default="auto", description="who says what to look for; auto: models that reason in steps"
    )


class Moments(Section):
    top: int = Field(default=5, ge=1, le=100, description="moments that silvr find shows at most")


class Reading(Section):
    """A language model that reads for `find`."""

    find: bool = Field(default=False, description="silvr find has the likeliest stretches read")
    stretches: int = Field(default=12, ge=2, le=100, description="how many of them")


class Highlights(Section):
    top: int = Field(default=5, ge=1, le=100, description="highlights shown at most")


class Events(Section):
    length: float = Field(default=20.0, ge=1, description="seconds that an event lasts, about")
    method: Literal["auto", "lines", "model"] = "auto"


class Notes(Section):
    """Reduction `segments`: the timeline read part by part."""

    max_tokens: int = Field(default=200, ge=32, description="room for one part's notes")
    parallel: bool = Field(default=False, description="parts side by side, without earlier notes")


class Reasoning(Section):
    max_tokens: int = Field(
        default=768, ge=32, description="room for thinking and answer, in tokens"
    )
    style: Literal["auto", "words", "steps"] = Field(
        default="auto", description="steps: think first, then JSON; words: for small models"
    )
    vote: int = Field(
        default=1, ge=1, le=15, description="answers taken: options rotated, or samples"
    )
    temperature: float = Field(default=0.0, ge=0, le=2)
    seed: int = 0

    @property
    def how(self) -> list[float]:
        """What tells one way of asking a model from another, for the keys of what it made."""
        return [self.temperature, self.seed]


class Zoom(Section):
    """A closer look where an answer is in doubt; needs a model that sees."""

    rounds: int = Field(default=2, ge=0, le=2, description="closer looks at most; 0: none")
    spans: int = Field(default=3, ge=1, le=16, description="places looked at in a round")
    clip_length: float = Field(
        default=4.0, gt=0, description="seconds of a clip in the first round; then half"
    )
    frames_per_second: float = Field(default=4.0, gt=0, le=30)


class Chapters(Section):
    method: Literal["auto", "signs", "model"] = Field(
        default="auto", description="model asks it for boundaries too; auto: models that read much"
    )
    count: int | None = Field(
        default=None, ge=1, le=1000, description="so many; default: by length and evidence"
    )
    min_length: float | None = Field(
        default=None, gt=0, description="seconds; default: by the video's length, 10 or more"
    )


class Summary(Section):
    style: Style = "bullets"
    points: int | None = Field(
        default=None, ge=1, le=500, description="bullets; default: by the video's length"
    )
    max_tokens: int = Field(default=512, ge=32, description="room for one reply, in tokens")


class Calls(Section):
    """Calls to models, over a whole run."""

    timeout: float = Field(default=120.0, gt=0, description="seconds without a sign of life")
    retries: int = Field(default=5, ge=0, description="when a server is busy or away")
    slots: int | None = Field(
        default=None, ge=1, le=256, description="calls in flight; default: the provider's"
    )
    refusals: int = Field(default=3, ge=1, description="in a row, retries and all: stop the stage")
    max_calls: int | None = Field(default=None, ge=0)
    max_cost: float | None = Field(default=None, ge=0, description="US dollars")
    prices: Path | None = Field(default=None, description="TOML file of prices, over our own")


class Servers(Section):
    """Where servers are; keys come from the environment or the keyring, never from here."""

    base_url: str | None = Field(default=None, description="of openai/…: any compatible server")
    ollama: str | None = Field(default=None, description="default: OLLAMA_HOST, else this machine")


class Remote(Section):
    """Videos named by an address, such as https:// or s3://."""

    private: bool = Field(default=False, description="also from this machine and private networks")
    max_gb: float = Field(default=20.0, gt=0, description="larger files are refused")
    timeout: float = Field(default=30.0, gt=0, description="seconds without a sign of life")
    retries: int = Field(default=3, ge=0, description="when a connection breaks, where it was")
    sites: bool = Field(default=True, description="pages of video sites, if yt-dlp is here")
    path: Path | None = Field(
        default=None, description="folder for files under way; default: beside the cache"
    )


class Prompts(Section):
    path: Path | None = Field(default=None, description="folder of your own; silvr prompts eject")


class Cache(Section):
    path: Path | None = Field(
        default=None, description="the SQLite file; default: the user's data folder"
    )


class Weights(Section):
    path: Path | None = Field(
        default=None, description="where weights live; default: the data folder"
    )
    offline: bool = Field(default=False, description="never pull")
    source: Literal["auto", "hub", "index"] = "auto"


class Engine(Section):
    """How silvr batch shares out the work."""

    name: Literal["local", "ray"] = Field(default="local", description="who does it; docs/scale.md")
    workers: int | None = Field(default=None, ge=1, le=4096, description="default: the cores")
    videos: int = Field(default=6, ge=1, le=4096, description="in the language stage at once")
    address: str | None = Field(default=None, description="of a Ray cluster; default: none")
    cpus: float = Field(default=1.0, gt=0, description="cores that a worker on Ray takes")
    gpus: float = Field(default=0.0, ge=0, description="graphics cards that a worker on Ray takes")


class Settings(Section):
    models: Models = Models()
    media: Media = Media()
    vectors: Vectors = Vectors()
    scenes: Scenes = Scenes()
    clips: Clips = Clips()
    captions: Captions = Captions()
    screen_text: ScreenText = ScreenText()
    speech: Speech = Speech()
    reduction: Reduction = Reduction()
    moments: Moments = Moments()
    reading: Reading = Reading()
    highlights: Highlights = Highlights()
    events: Events = Events()
    notes: Notes = Notes()
    reasoning: Reasoning = Reasoning()
    zoom: Zoom = Zoom()
    chapters: Chapters = Chapters()
    summary: Summary = Summary()
    calls: Calls = Calls()
    servers: Servers = Servers()
    remote: Remote = Remote()
    prompts: Prompts = Prompts()
    cache: Cache = Cache()
    weights: Weights = Weights()
    engine: Engine = Engine()


def data_path() -> Path:
    """The user's data folder for silvr (cache and weights)."""
    from platformdirs import user_data_path

    return user_data_path("silvr")


def cache_path(settings: Settings) -> Path:
    return (settings.cache.path or data_path() / "silvr.sqlite").expanduser()


def spool_path(settings: Settings) -> Path:
    """Where remote files are kept while they are read."""
    cache = cache_path(settings)
    return (settings.remote.path or cache.with_name(f"{cache.name}.spool")).expanduser()


def weights_path(settings: Settings) -> Path:
    return (settings.weights.path or data_path() / "weights").expanduser()
