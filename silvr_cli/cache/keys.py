"""Names for finished work: a stage's key holds everything that changes its answer, nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any


def stage_key(
    root: str, name: str, version: int, identity: Mapping[str, Any], needs: Sequence[str]
) -> str:
    """SHA-256 over the video's content id, the stage, its identity and the keys that it reads."""
    parts = {"root": root, "name": name, "version": version, "identity": identity}
    text = json.dumps({**parts, "needs": list(needs)}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
