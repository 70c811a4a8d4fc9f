"""Embeddings are made once a video: kept under the model and the very texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from silvr_cli.backends.fake import FakeEmbedder
from silvr_cli.cache.store import Store
from silvr_cli.embeddings import Kept


class Counted(FakeEmbedder):
    def __init__(self, name: str = "fake@1") -> None:
        self.asked: list[list[str]] = []
        self.print = name

    def fingerprint(self) -> str:
        return self.print

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Any:
        self.asked.append(list(texts))
        return super().embed(texts)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "cache.sqlite") as opened:
        yield opened


def test_the_same_texts_are_embedded_once(store: Store) -> None:
    model = Counted()
    texts = ["a boat", "", "日 é"]
    first = Kept(model, store, "sha256:x").embed(texts)
    again = Kept(model, store, "sha256:x").embed(texts)
    assert np.array_equal(first, again)
    assert again.dtype == np.float32
    assert model.asked == [texts]


def test_other_texts_or_another_model_are_embedded_anew(store: Store) -> None:
    one, other = Counted(), Counted("fake@2")
    Kept(one, store, "sha256:x").embed(["a", "b"])
    Kept(one, store, "sha256:x").embed(["ab", ""])
    Kept(other, store, "sha256:x").embed(["a", "b"])
    assert (len(one.asked), len(other.asked)) == (2, 1)


class Hosted(Counted):
    """A model on a server under one name, whatever stands behind it."""

    on_a_server = True

    def __init__(self, shift: int = 0, size: int = 64) -> None:
        super().__init__()
        self.shift, self.size = shift, size

    def embed(self, texts: Sequence[str], *, query: bool = False) -> Any:
        return np.roll(super().embed(texts), self.shift, axis=1)


def test_rows_of_another_model_under_the_same_name_are_made_anew(store: Store) -> None:
    texts = ["a", "b"]
    Kept(Hosted(), store, "sha256:x").embed(texts)
    for other in (Hosted(shift=3), Hosted(size=128)):
        assert np.array_equal(Kept(other, store, "sha256:x").embed(texts), other.embed(texts))
    last = Hosted(size=128)
    assert Kept(last, store, "sha256:x").embed(texts).shape == (2, 128)
    assert texts not in last.asked


def test_a_lone_query_is_not_kept(store: Store) -> None:
    model = Counted()
    kept = Kept(model, store, "sha256:x")
    assert np.array_equal(kept.embed(["a"]), kept.embed(["a"]))
    assert kept.embed([]).shape == (0, model.size)
    assert store.rows("SELECT count(*) FROM pieces") == [(0,)]
