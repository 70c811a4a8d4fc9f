"""`silvr chat`: several questions about one video, with what was said before in mind."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from io import TextIOWrapper
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import options

if TYPE_CHECKING:
    from ..protocols import Progress
    from ..settings import Settings

LEAVING = {"/exit", "/quit", "exit", "quit"}
COMMAND = re.compile(r"/\w*")
HELP = "one question a line; /exit or the end of input leaves, and --resume goes on later"


def chat(
    video: options.VideoPlace = None,
    resume: Annotated[
        str | None, typer.Option("--resume", help="A conversation's id, or its beginning.")
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="List the conversations that are kept.")
    ] = False,
    captions: options.Captions = None,
    subtitles: options.Subtitles = None,
    llm: options.Llm = None,
    speech: options.Speech = None,
    vision: options.Vision = None,
    base_url: options.BaseUrl = None,
    max_cost: options.MaxCost = None,
    max_calls: options.MaxCalls = None,
    cache: options.CacheFile = None,
    set_: options.Set = None,
    dry_run: options.DryRun = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Ask several questions about a video, one a line, until /exit or the end of input.

    Follow-ups such as "and after that?" are understood from what was said before. The conversation
    is kept: --resume ID goes on with it, and --list shows them all.
    """
    going_on = _command(locals())
    from .. import conversation, pipeline
    from ..errors import SilvrError, UsageError
    from . import answer, display

    loaded = options.chosen(locals())
    if list_:
        options.existing(cache)
        _list(loaded.settings, json)
        return
    if not (video or captions or subtitles):
        raise UsageError("a chat needs a video", "silvr chat VIDEO")
    source = options.source(video, captions, subtitles, None, "chat")
    talk: conversation.Conversation | None = None
    try:
        with (
            options.session(loaded.settings, quiet) as session,
            closing(pipeline.open_text_model(session)) as model,
        ):
            described = pipeline.describe(source, session, model, pipeline.open_embedder(session))
            known = described.timeline.video.id
            talk = conversation.resume(resume, session) if resume else conversation.begin(known)
            if talk.video != known:
                other, talk = talk.id, None
                raise UsageError(f"conversation {other} is about another video", "leave --resume")
            for question in _questions(session.progress):
                try:
                    talk, answered = conversation.say(talk, question, described, session, model)
                except SilvrError as error:
                    if not sys.stdin.isatty():
                        raise
                    display.tell(f"silvr: {error}")
                    continue
                display.clear(session.progress)
                if talk.turns[-1].understood != question and not quiet:
                    display.tell(f"understood as: {talk.turns[-1].understood}")
                if json:
                    display.result(display.as_line(answer.as_document(answered)))
                else:
                    display.result(answer.as_text(answered.answer, "") + "\n")
    finally:
        # However it ends, what was answered is kept.
        if talk and talk.turns and not quiet:
            display.tell(f"go on with: {going_on} --resume {talk.id}")


def _command(given: Mapping[str, Any]) -> str:
    """The command that has these arguments, but for --resume, as a shell takes it; what may be
    secret in addresses has to be put in again.
    """
    from ..engine.jobs import shown

    words = ["silvr", "chat", *([shown(given["video"])] if given["video"] else [])]
    for name, value in given.items():
        if name in ("video", "resume") or value is None or value is False:
            continue
        option = f"--{name.strip('_').replace('_', '-')}"
        for each in value if isinstance(value, list) else [value]:
            key, equals, text = str(each).partition("=") if name == "set_" else ("", "", str(each))
            words += [option] if each is True else [option, f"{key}{equals}{shown(text)}"]
    return shlex.join(words)


def _list(settings: Settings, json: bool) -> None:
    from ..cache.upkeep import chats
    from . import display

    with options.session(settings, quiet=True) as session:
        rows = chats(session.store)
    if json:
        display.document(rows)
        return
    names = ("id", "video", "questions", "first", "last used")
    display.table(names, [tuple(row.values()) for row in rows])


def _questions(progress: Progress | None) -> Iterator[str]:
    """Lines from a person or from a file or pipe; what is no question is answered here."""
    from . import display

    if isinstance(sys.stdin, TextIOWrapper):
        # A line that is not UTF-8 is refused as a question; it must not end the reading.
        sys.stdin.reconfigure(errors="surrogateescape")
    while True:
        line = _line(progress)
        said = line.strip()
        if not line or said.lower() in LEAVING:
            return
        if COMMAND.fullmatch(said):
            unknown = "" if said.lower() in ("/help", "/") else f"there is no {said}: "
            display.tell(unknown + HELP)
        elif said and _has_words(said):
            yield said


def _has_words(said: str) -> bool:
    """Whether it can be asked; if not, that is told, and the next line may be a question again."""
    from ..errors import UsageError
    from . import display

    try:
        options.question(said)
    except UsageError as error:
        display.tell(f"silvr: {error}")
        return False
    return True


def _line(progress: Progress | None) -> str:
    """The next line, "" at the end; a person gets a prompt on stderr and edits behind it."""
    from . import display

    if not sys.stdin.isatty():
        return sys.stdin.readline()
    display.clear(progress)
    sys.stderr.write("> ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line.endswith("\n"):
        # The end of input leaves the cursor behind the prompt.
        display.tell("")
    return line
