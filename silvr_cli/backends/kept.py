"""Models that stay open from one video to the next, where many are worked through in one process.

`keep` switches it on for the process. A kept model answers from as many threads as like to ask,
never more at once than it takes; `close` of one user leaves it open for the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from ..settings import Settings

Model = TypeVar("Model")
# What asks the model itself; everything else about it is free to look at.
CALLS = frozenset({"chat", "describe", "embed", "embed_images", "read", "tags", "transcribe"})

_kept: dict[tuple[str, str, Settings], Any] | None = None
_share = 1
_lock = threading.Lock()


@contextmanager
def keep(share: int = 1) -> Iterator[None]:
    """Keep models open until the end of the block; `share` processes divide their slots."""
    global _kept, _share
    with _lock:
        _kept, _share = {}, share
    try:
        yield
    finally:
        with _lock:
            models, _kept = list((_kept or {}).values()), None
        for model in models:
            getattr(model.inner, "close", lambda: None)()


def kept(role: str, spec: str, settings: Settings, make: Callable[[], Model]) -> Model:
    """The model that was made for this role, spec and settings before, else `make()`."""
    with _lock:
        if _kept is None:
            return make()
        key = (role, spec, settings)
        if key not in _kept:
            _kept[key] = _Kept(make(), settings.calls.slots, _share)
        return cast("Model", _kept[key])


class _Kept:
    """Passes everything on; calls wait for a slot."""

    def __init__(self, inner: Any, wanted: int | None, share: int) -> None:
        slots = inner.slots if inner.slots == 1 else wanted or inner.slots
        self.inner, self.slots = inner, max(1, slots // share)
        self._gate = threading.BoundedSemaphore(self.slots)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        return self._gated(found) if name in CALLS else found

    def close(self) -> None:
        return

    def _gated(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def gated(*values: Any, **named: Any) -> Any:
            with self._gate:
                return call(*values, **named)

        return gated
