"""How a speaker delivers a sentence: announces what is coming, or instructs; English words alone.

Knows no query. A video in which many sentences instruct is a tutorial, and what is asked of one is
told by its instructions; what is coming or gone is only announced. Edmundson's bonus and stigma
words, "New Methods in Automatic Extracting" (1969), section 4, for places instead of extracts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

ANNOUNCED = re.compile(
    r"\b(?:in this (?:video|tutorial|lesson|lecture|course|section|exercise|movie)"
    r"|this (?:video|tutorial|lesson|lecture)|follow(?:ing)? along|later|get started"
    r"|let'?s (?:begin|start)|welcome|thanks?|practice files?|download|happy|experiment"
    r"|on your own|now you know|how to|that'?s (?:it|how|all)|there you have it"
    r"|to recap|in summary|remember|if you don't have|if you(?:'d| would) like"
    r"|(?:next|previous|another|other) (?:video|lesson|tutorial|lecture)"
    r"|we(?:'ll| will| are going to|'re going to) (?:cover|explore|learn|look|see|talk)"
    r"|i(?:'ll| will)? (?:cover|explain|show|talk)|learn(?:ed)?"
    r"|you(?:'ll|'ve| will| have)? (?:saw|seen))\b",
    re.IGNORECASE,
)
INSTRUCTED = re.compile(
    r"\b(?:(?:double-)?click(?:ing)?|select(?:ing)?|choos(?:e|ing)|drag(?:ging)?|press(?:ing)?"
    r"|hold(?:ing)?|type|hit|enter|go (?:back|down|to|up)|(?:un)?check(?:ed)?|set|turn|switch"
    r"|box|button|command|control|default|dialog|icon|key|menu|ok|option|panel|shift|slider|tab"
    r"|window)\b",
    re.IGNORECASE,
)
# More of either in one sentence tells no more.
MOST = 3
# From this share of instructing sentences on a video is a tutorial: they come to 0.21 and more in
# 76 tutorials, to 0.12 at most in 35 meetings.
TUTORIAL = 0.18


def announced(texts: Sequence[str]) -> list[int]:
    """How often each text speaks of what comes later or came before; at most MOST."""
    return _counted(ANNOUNCED, texts)


def instructed(texts: Sequence[str]) -> list[int]:
    """How often each text says what to do, at most MOST; all 0 in a video that is no tutorial."""
    found = _counted(INSTRUCTED, texts)
    tutorial = sum(map(bool, found)) >= TUTORIAL * len(found)
    return found if tutorial else [0] * len(found)


def _counted(pattern: re.Pattern[str], texts: Sequence[str]) -> list[int]:
    return [min(MOST, sum(1 for _ in pattern.finditer(text))) for text in texts]
