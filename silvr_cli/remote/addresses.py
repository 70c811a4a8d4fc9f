"""Addresses as text: which words are one, how they are shown, and under what key they are known.

What a person or a log sees never has the secrets that stand in addresses: passwords and queries.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from ..errors import InputError

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
# Characters that an address may hold as they are; everything else is percent-encoded.
SAFE = "/%:@!$&'()*+,;=~"
NAME_LENGTH = 120


def place(words: str | Path) -> Path | str:
    """What a user's words name: a file on this disk, or an address as text."""
    text = str(words)
    if not ADDRESS.match(text):
        return Path(words)
    scheme, _, rest = text.partition("://")
    if scheme.lower() in ("file", "local"):
        # Names of files are bytes, also those that are not UTF-8.
        return Path(unquote(rest.removeprefix("localhost"), errors="surrogateescape"))
    return text


def shown(address: str) -> str:
    """The address without what may be secret: user, password, query and fragment."""
    parts = _split(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def name(address: str) -> str:
    """A file name for it: the last part of its path, else its host."""
    parts = _split(address)
    last = unquote(parts.path).rstrip("/").rpartition("/")[2] or parts.hostname or "video"
    clean = re.sub(r"[\x00-\x1f\x7f/\\:]+", "_", last).lstrip(".") or "video"
    stem, dot, ending = clean.rpartition(".")
    if len(clean.encode("utf-8", "replace")) <= NAME_LENGTH:
        return clean
    # File names are limited in bytes, and letters may take four.
    return f"{stem or ending}"[: NAME_LENGTH // 4] + (f".{ending[:8]}" if dot else "")


def key(address: str) -> str:
    """SHA-256 of the whole address but for its fragment, which no server is told."""
    text = address.partition("#")[0]
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def encoded(address: str) -> tuple[str, str | None]:
    """(the address in ASCII and without user and password, "user:password" or None).

    Raises InputError when it has no host or no possible port.
    """
    parts = _split(address)
    try:
        host, port = (parts.hostname or "").encode("idna").decode("ascii"), parts.port
    except ValueError as error:
        raise InputError(f"{shown(address)} is no address: {error}", "check it") from error
    if not host:
        raise InputError(f"{shown(address)} names no host", "check the address")
    host = f"[{host}]" if ":" in host else host
    netloc = host if port is None else f"{host}:{port}"
    path, query = quote(parts.path or "/", SAFE), quote(parts.query, SAFE + "?")
    user = parts.netloc.rpartition("@")[0]
    return urlunsplit((parts.scheme.lower(), netloc, path, query, "")), unquote(user) or None


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError as error:
        raise InputError(f"the address cannot be read: {error}", "check it") from error
