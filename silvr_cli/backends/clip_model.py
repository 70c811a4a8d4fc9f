"""A model of open_clip on its device: which one a name means, loading it, and its three calls.

The only place that runs torch for pictures; imports it when a model is loaded.
"""

from __future__ import annotations

import difflib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BackendMissing, InputError, ModelError, UsageError, WeightsError

if TYPE_CHECKING:
    from ..protocols import Vectors

INSTALL = "pip install 'silvr[openclip]'"
EXAMPLE = "such as openclip/ViT-B-32/laion2b_s34b_b79k, openclip/ViT-B-32/FILE or openclip/FOLDER"


@dataclass(frozen=True, slots=True)
class Source:
    """What open_clip is asked for; `file` is the checkpoint on disk, None when it is fetched."""

    model: str
    pretrained: str | None
    file: Path | None = None


def source(model: str) -> Source:
    """Understand what stands behind `openclip/`; raises UsageError when it names nothing."""
    folder = Path(model).expanduser()
    if model and folder.is_dir():
        files = [
            path for kind in ("safetensors", "bin", "pth") for path in folder.glob(f"*.{kind}")
        ]
        if not files or not (folder / "open_clip_config.json").is_file():
            raise UsageError(f"{folder} holds no open_clip_config.json with weights", EXAMPLE)
        return Source(f"local-dir:{folder}", None, max(files, key=lambda path: path.stat().st_size))
    if model.startswith("hf-hub:"):
        return Source(model, None)
    name, _, pretrained = model.partition("/")
    if not name or not pretrained:
        raise UsageError(f"'openclip/{model}' does not say which weights", EXAMPLE)
    file = Path(pretrained).expanduser()
    if file.is_file():
        return Source(name, str(file), file)
    if "/" in pretrained or file.suffix in (".pt", ".bin", ".safetensors"):
        raise UsageError(f"there is no checkpoint {file}", EXAMPLE)
    return Source(name, pretrained)


@dataclass(frozen=True, slots=True)
class ClipModel:
    """A model on its device, with its own preparation of pictures and texts."""

    model: Any
    prepare: Any
    tokenize: Any
    device: str

    @property
    def scale(self) -> float:
        return float(self.model.logit_scale.exp().item())

    def texts(self, texts: Sequence[str]) -> Vectors:
        import torch

        with torch.inference_mode():
            tokens = self.tokenize(list(texts)).to(self.device)
            return _rows(self.model.encode_text(tokens, normalize=True))

    def pictures(self, images: Sequence[bytes]) -> Vectors:
        import torch

        with torch.inference_mode():
            return _rows(self.model.encode_image(self._pixels(images), normalize=True))

    def captions(self, images: Sequence[bytes], room: int) -> list[str]:
        """As they are generated, with the marks of beginning and end; cut ones lack the end.

        The likeliest word at each step: open_clip's own search over six beams costs five times as
        much on a CPU, where it reads every picture six times.
        """
        import torch
        from open_clip import decode

        with torch.inference_mode():
            try:
                found = self.model.generate(
                    self._pixels(images), seq_len=room, generation_type="top_k", top_k=1
                )
            except AssertionError as error:  # open_clip found no transformers that it can use
                raise BackendMissing(
                    "captions by open_clip need transformers 4.56.2 or older", INSTALL
                ) from error
        # The last place of a full row is an end that open_clip has put there.
        return [decode(row[: room - 1]) for row in found]

    def _pixels(self, images: Sequence[bytes]) -> Any:
        import torch
        from PIL import Image

        pixels = []
        for image in images:
            try:
                pixels.append(self.prepare(Image.open(io.BytesIO(image)).convert("RGB")))
            except OSError as error:
                raise InputError(f"{len(image)} bytes are no picture: {error}") from error
        return torch.stack(pixels).to(self.device)


def load(name: str, source: Source, cache: Path, offline: bool) -> ClipModel:
    package = _package()
    import torch

    _check_known(package, source)
    if source.file is None and offline:
        _stay_offline()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        model, prepare = package.create_model_from_pretrained(
            source.model, source.pretrained, device=device, cache_dir=str(cache)
        )
        tokenize = package.get_tokenizer(source.model, cache_dir=str(cache))
    except Exception as error:
        reason = str(error).partition("\n")[0].partition(". ")[0]
        if source.file:
            raise ModelError(f"{name} cannot be loaded: {reason}") from error
        raise WeightsError(
            f"the weights of {name} cannot be had: {reason}",
            "silvr is offline" if offline else "check the network, or name a checkpoint file",
        ) from error
    return ClipModel(model.eval(), prepare, tokenize, device)


def _package() -> Any:
    # Otherwise torch's threads spin while they wait, and starve each other on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import open_clip
    except ImportError as error:
        raise missing() from error
    except RuntimeError as error:  # torchvision's operators were built for another torch
        raise BackendMissing(
            f"torch and torchvision do not fit each other: {error}",
            "install both from one index, for instance --index-url "
            "https://download.pytorch.org/whl/cpu",
        ) from error
    return open_clip


def missing() -> BackendMissing:
    return BackendMissing("the package open_clip_torch is missing", INSTALL)


def _check_known(package: Any, source: Source) -> None:
    """Raise UsageError for a model or tag that open_clip does not know."""
    if source.pretrained is None:
        return
    models = package.list_models()
    if source.model not in models:
        raise _unknown(f"model called '{source.model}'", source.model, models)
    if source.file is None and not package.is_pretrained_cfg(source.model, source.pretrained):
        tags = package.list_pretrained_tags_by_model(source.model)
        raise _unknown(f"weights '{source.pretrained}' of {source.model}", source.pretrained, tags)


def _unknown(what: str, value: str, known: Sequence[str]) -> UsageError:
    close = difflib.get_close_matches(value, known, 3) or known[:5]
    return UsageError(
        f"open_clip knows no {what}", f"it knows {', '.join(close)}" if close else EXAMPLE
    )


def _stay_offline() -> None:
    """What is on disk is used, nothing is fetched; the hub's client knows this by itself."""
    from huggingface_hub import constants

    constants.HF_HUB_OFFLINE = True


def _rows(tensor: Any) -> Vectors:
    import numpy as np

    return np.asarray(tensor.float().cpu(), np.float32)
