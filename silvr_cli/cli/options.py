"""Options that several commands share, and how they become Settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..configuration import Loaded
    from ..pipeline import Session, Source
    from ..settings import Settings

MODELS, WORK, OUTPUT = "Models", "Language stage", "Output"

Llm = Annotated[
    str | None,
    typer.Option(
        "--llm", help="Model that answers: provider/model or auto.", rich_help_panel=MODELS
    ),
]
Speech = Annotated[
    str | None,
    typer.Option(
        "--speech", help="auto, subtitles, none, or a model: whisper/base.", rich_help_panel=MODELS
    ),
]
Vision = Annotated[
    str | None,
    typer.Option(
        "--vision",
        help="Model that captions clips; embedded tells what changed.",
        rich_help_panel=MODELS,
    ),
]
Reader = Annotated[
    str | None,
    typer.Option("--reader", help="Reads on-screen text, or none.", rich_help_panel=MODELS),
]
Embed = Annotated[
    str | None,
    typer.Option(
        "--embed",
        help="Compares texts (minilm, ollama/MODEL), or pictures and words (openclip/MODEL).",
        rich_help_panel=MODELS,
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url", help="Server of openai/…: vLLM, LM Studio, any.", rich_help_panel=MODELS
    ),
]
MaxCost = Annotated[
    float | None,
    typer.Option("--max-cost", help="Stop before so many dollars.", rich_help_panel=MODELS),
]
MaxCalls = Annotated[
    int | None,
    typer.Option("--max-calls", help="Stop before more calls to models.", rich_help_panel=MODELS),
]
Language = Annotated[
    str | None,
    typer.Option(
        "--language", help="Spoken language, such as en; else detected.", rich_help_panel=WORK
    ),
]
ScenesMethod = Annotated[
    str | None,
    typer.Option("--scenes", help="adaptive, content, uniform or tile.", rich_help_panel=WORK),
]
VideoPlace = Annotated[
    str | None,
    typer.Argument(help="A video or sound file, or an address: https://…, s3://…"),
]
Captions = Annotated[
    Path | None,
    typer.Option(
        "--captions", help="Your own captions: txt, srt, vtt, json.", rich_help_panel=WORK
    ),
]
Subtitles = Annotated[
    Path | None,
    typer.Option("--subtitles", help="Your own subtitles: srt, vtt, ass.", rich_help_panel=WORK),
]
ClipLength = Annotated[
    float | None,
    typer.Option(
        "--clip-length", help="Seconds a line of a --captions text file.", rich_help_panel=WORK
    ),
]
CacheFile = Annotated[
    Path | None,
    typer.Option("--cache", help="The cache's SQLite file.", rich_help_panel=WORK),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="SECTION.KEY=VALUE", help="Any setting of silvr config; repeatable."
    ),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Use the fake models: shows the path, answers nothing."),
]
ClipOut = Annotated[
    Path | None,
    typer.Option(
        "--clip-out",
        metavar="DIR",
        help="Also cut them out of the video into files in this folder, without re-encoding.",
        rich_help_panel=OUTPUT,
    ),
]
Exact = Annotated[
    bool,
    typer.Option(
        "--exact",
        help="Encode --clip-out files anew: they begin at the very picture.",
        rich_help_panel=OUTPUT,
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document.", rich_help_panel=OUTPUT)
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write to this file instead.", rich_help_panel=OUTPUT),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="No progress and no notes.", rich_help_panel=OUTPUT),
]


Verbose = Annotated[
    bool | None,
    typer.Option(
        "--verbose", "-v", help="Let model libraries write their logs.", rich_help_panel=OUTPUT
    ),
]


# The arguments that mean the same in every command, with the settings that they stand for.
SETTINGS = {
    "llm": "models__llm",
    "speech": "models__speech",
    "vision": "models__vision",
    "reader": "models__reader",
    "verbose": "models__verbose",
    "base_url": "servers__base_url",
    "max_cost": "calls__max_cost",
    "max_calls": "calls__max_calls",
    "language": "speech__language",
    "scenes": "scenes__method",
    "reduction": "reduction__method",
    "budget": "reduction__budget",
    "vote": "reasoning__vote",
    "cache": "cache__path",
}
FAKED = ("models__llm", "models__speech", "models__vision", "models__reader")


def settings_from(set_: list[str] | None = None, **flags: Any) -> Loaded:
    """Load Settings with `flags` (named section__key) and `--set section.key=value` on top.

    Raises SettingsError for all bad keys and values at once, UsageError for a --set without `=`.
    """
    from ..configuration import load
    from ..errors import UsageError

    given = {name.replace("__", "."): value for name, value in flags.items()}
    for item in set_ or []:
        key, equals, value = item.partition("=")
        if not equals:
            raise UsageError(f"--set {item} has no '='", "write --set section.key=value")
        given[key.strip()] = value.split(",") if key.strip() == "clips.ladder" else value
    return load(given)


def chosen(given: Mapping[str, Any], **own: Any) -> Loaded:
    """Settings from a command's arguments, `given` as its `locals()`, and from its `own` ones.

    `--dry-run` puts the fakes in the place of models. Raises UsageError as `settings_from` does.
    """
    flags = {setting: given[name] for name, setting in SETTINGS.items() if name in given}
    if given.get("dry_run"):
        flags |= {setting: "fake" for setting in FAKED if setting in flags}
    loaded = settings_from(given.get("set_"), **{**flags, **own})
    return _faked(loaded, flags) if given.get("dry_run") else loaded


def _faked(loaded: Loaded, flags: Mapping[str, Any]) -> Loaded:
    """With fakes even where --set or the environment name a model: a dry run sends nothing."""
    models = loaded.settings.models
    roles = [setting.partition("__")[2] for setting in FAKED if setting in flags]
    roles += [] if models.embed in ("auto", "none") else ["embed"]
    fakes = models.model_copy(update=dict.fromkeys(roles, "fake"))
    return replace(loaded, settings=loaded.settings.model_copy(update={"models": fakes}))


def in_utf8(text: str, what: str) -> str:
    """The text as it is; raises UsageError when the terminal gave bytes that are no UTF-8."""
    from ..errors import UsageError

    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{what} is not UTF-8: {text!a}", "check the terminal's encoding"
        ) from error
    return text


def question(text: str) -> str:
    """What is asked or looked for; raises UsageError where it has no words, or is not UTF-8."""
    from ..errors import UsageError

    if not any(map(str.isalnum, in_utf8(text, "the question"))):
        raise UsageError(f"the question '{text}' has no words", "say what is asked or looked for")
    return text


def one_format(format: str, json: bool) -> None:
    """Raises UsageError where --format would be ignored."""
    from ..errors import UsageError

    if json and format not in ("text", "json"):
        raise UsageError(f"--json and --format {format} contradict each other", "give one of them")


def existing(cache: Path | None) -> Path | None:
    """The --cache of a command that only reads; raises CacheError when no file is there."""
    from ..errors import CacheError

    if cache is not None and not cache.exists():
        raise CacheError(f"there is no cache {cache}", "silvr cache info tells where yours is")
    return cache


def answers(given: list[str] | None) -> tuple[str, ...]:
    """The options of a multiple choice; raises UsageError for one that is empty or given twice, and
    for more than there are letters.
    """
    from ..errors import UsageError
    from ..letters import MOST

    found = tuple(in_utf8(text, "an option") for text in given or ())
    plain = [" ".join(text.split()) for text in found]
    for place, text in enumerate(plain):
        if not text:
            raise UsageError(f"option {place + 1} is empty", "give --choice a possible answer")
        if text in plain[:place]:
            raise UsageError(f"the option '{text}' is given twice", "leave one out")
    if len(found) > MOST:
        raise UsageError(f"{len(found)} options are too many", f"give {MOST} at most")
    return found


def source_and_question(
    command: str,
    words: list[str],
    captions: Path | None,
    subtitles: Path | None,
    clip_length: float | None,
    output: Path | None,
) -> tuple[Source, str]:
    """Tell the video from the question: with text of your own, the video may be absent.

    Raises UsageError when the words are not one question, or it has nothing to be asked of.
    """
    from ..errors import UsageError

    if len(words) == 2:
        brought = source(words[0], captions, subtitles, clip_length, command, output)
        return brought, question(words[1])
    if len(words) == 1 and (captions or subtitles):
        brought = source(None, captions, subtitles, clip_length, command, output)
        return brought, question(words[0])
    if len(words) == 1:
        raise UsageError(
            f"'{words[0]}' stands alone: a video and a question are needed",
            f"silvr {command} VIDEO 'QUESTION'",
        )
    raise UsageError(
        f"{len(words)} words were given for a video and a question",
        "put the question in quotes",
    )


def source(
    video: str | None,
    captions: Path | None,
    subtitles: Path | None,
    clip_length: float | None,
    command: str,
    output: Path | None = None,
) -> Source:
    """What the user brought; raises UsageError when that is nothing, or `output` would replace it
    or cannot be written.
    """
    from ..errors import UsageError
    from ..intake import place
    from ..pipeline import Source

    if not (video or captions or subtitles):
        hint = f"silvr {command} VIDEO, or --captions, --subtitles"
        raise UsageError("there is nothing to read", hint)
    named = place(video) if video else None
    if output:
        _apart(output, (named, captions, subtitles))
    return Source(named, captions, subtitles, clip_length)


def confirmed(text: str) -> None:
    """Ends the command unless the user agrees; raises UsageError where nobody can answer."""
    from ..errors import UsageError

    try:
        typer.confirm(text, abort=True, err=True)
    except typer.Abort as abort:
        if isinstance(abort.__context__, EOFError):
            raise UsageError("nobody is there to be asked", "--yes goes on without") from None
        raise


def _is_database(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(16) == b"SQLite format 3\0"
    except OSError:
        return False


def _apart(output: Path, read: Iterable[Path | str | None]) -> None:
    """Told before any work: what is written last must not replace what was read, or get lost."""
    from ..errors import UsageError

    if output.is_dir():
        raise UsageError(f"{output} is a folder", "choose another -o")
    if _is_database(output):
        raise UsageError(f"{output} is a database, such as silvr's cache", "choose another -o")
    if not output.absolute().parent.is_dir():
        raise UsageError(
            f"{output} cannot be written: its folder is not there", "choose another -o"
        )
    for path in read:
        if isinstance(path, Path) and path.exists() and output.exists() and output.samefile(path):
            raise UsageError(f"-o {output} would replace what is read", "choose another -o")


@contextmanager
def session(settings: Settings, quiet: bool) -> Iterator[Session]:
    """An open Session that shows progress and notes on stderr unless `quiet`."""
    from contextlib import nullcontext

    from ..pipeline import Session
    from .display import bar, tell

    with nullcontext() if quiet else bar("") as advance:
        with Session.open(settings, advance, None if quiet else tell) as opened:
            yield opened
