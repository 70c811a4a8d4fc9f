"""Sentences: of a model's reply, without what stands around them, and shortened; pure."""

from __future__ import annotations

import re

from .timeline import parse_clock

TIMED = re.compile(r"^\W*\[?(\d{1,2}:\d\d(?::\d\d)?)(?:\s*[-–]\s*[\d:]+)?\]?[\s:.\-–—]*")
BULLET = re.compile(r"^\s*(?:[-*•–]+|\(?\d{1,2}[.)])\s+")
SENTENCE_END = re.compile(r"(?<=[^\W\d_]{2}[.!?])\s+(?=[A-Z])")
# How small models begin whatever they are asked.
OPENING = re.compile(
    r"^(?:the|this) (?:video|recording|part|clip|speaker|speech|text|notes?|section)(?: also)? "
    r"(?:discuss(?:es|ed)?|describe[sd]?|talk(?:s|ed)? about|mention(?:s|ed)?|is about"
    r"|tells? (?:of|about)|told (?:of|about)|cover(?:s|ed)?|explain(?:s|ed)?|show(?:s|ed)?)"
    r"(?: that)? ",
    re.IGNORECASE,
)
MARKUP = re.compile(r"\*\*|__|`|^#+\s*")
AT = re.compile(r"^at \d{1,2}:\d\d(?::\d\d)?,? ", re.IGNORECASE)
# How they lead in to it, from the prompt's own last words or as they greet.
LEAD_IN = re.compile(
    r"^\W*(?:(?:in (?:one|two|three|four|five|\d+)(?: short)? sentences?(?: at most)?"
    r"|in (?:short|summary|other words|brief)|sure|certainly|of course|okay)\s*[:,]\s*"
    r"|(?:summary|sentence|answer|point)(?: \d+)?:\s*"
    r"|(?:(?:sure|certainly|of course|okay)[^:.]{0,30} )?here(?: is| are|'s)[^:.]{0,60}:\s*)",
    re.IGNORECASE,
)


def rows(reply: str) -> list[tuple[float | None, str]]:
    """(time, sentence) a row of a reply; bullets, numbers and markup are taken off."""
    found = []
    for row in reply.splitlines():
        text = LEAD_IN.sub("", MARKUP.sub("", BULLET.sub("", row.strip())))
        match = TIMED.match(text)
        time = parse_clock(match[1]) if match else None
        text = " ".join(text[match.end() :].split() if match else text.split())
        text = LEAD_IN.sub("", text.strip('"“” ')).strip('"“” ')
        text = OPENING.sub("", AT.sub("", text))
        text = text[:1].upper() + text[1:]
        if text and not text.endswith(":"):
            found.append((time, text))
    return found


def split(row: str) -> list[str]:
    """The sentences that stand on one row."""
    return SENTENCE_END.split(row)


def shortened(text: str, most: int) -> str:
    """At most so many letters of it and an ellipsis; between words, where spaces part them."""
    return text if len(text) <= most else (text[:most].rpartition(" ")[0] or text[:most]) + " …"
