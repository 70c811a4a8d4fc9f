"""Models of a few thousand weights, made on the spot, for tests that need torch but no download."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

EXTRAS = "the packages of the extras are not here: pip install 'silvr[openclip,whisper]'"

COCA = {
    "embed_dim": 32,
    "custom_text": True,
    "vision_cfg": {
        "image_size": 32,
        "layers": 1,
        "width": 32,
        "patch_size": 16,
        "head_width": 16,
        "attentional_pool": True,
        "attn_pooler_heads": 2,
        "output_tokens": True,
    },
    "text_cfg": {
        "context_length": 76,
        "vocab_size": 49408,
        "width": 32,
        "heads": 2,
        "layers": 1,
        "embed_cls": True,
        "output_tokens": True,
    },
    "multimodal_cfg": {
        "context_length": 76,
        "vocab_size": 49408,
        "width": 32,
        "heads": 2,
        "layers": 1,
        "attn_pooler_heads": 2,
    },
}
CLIP = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "patch_size": 16, "head_width": 16},
    "text_cfg": {k: COCA["text_cfg"][k] for k in ("vocab_size", "width", "heads", "layers")},  # type: ignore[index]
}


def open_clip_package() -> Any:
    """open_clip, or a skip. Where torchvision was built for another torch, two operators that
    nothing here calls are declared, without which it cannot be imported."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the backends do before torch loads
    torch = pytest.importorskip("torch", reason=EXTRAS)
    if not hasattr(torch.ops.torchvision, "nms"):
        pytest.importorskip("PIL", reason=EXTRAS)
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        KEPT.append(library)
    return pytest.importorskip("open_clip", reason=EXTRAS)


KEPT: list[Any] = []  # a torch library undoes what it declared when it is collected


def clip_folder(folder: Path, config: dict[str, Any] | None = None) -> Path:
    """A folder with an open_clip config and random weights, always the same."""
    package = open_clip_package()
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    config = config or COCA
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config}), "utf-8")
    named = folder / f"silvr-tiny-{len(config)}.json"
    named.write_text(json.dumps(config), "utf-8")
    package.add_model_config(named)
    torch.manual_seed(0)
    model = package.create_model(named.stem)
    for name, value in model.named_parameters():
        if "ln" not in name and name != "logit_scale":
            value.data.normal_()  # as open_clip makes it, every word is as likely as any other
    torch.save(model.state_dict(), folder / "open_clip_pytorch_model.bin")
    return folder


def whisper_checkpoint(path: Path, words: str, language: str = "en") -> Path:
    """A Whisper that hears `words` in every window: only where it stands decides what comes next.

    All weights are nothing but the places (each its own direction) and, for each token that is to
    come at a place, that same direction; the attention to the sound is noise, so that it can be
    aligned.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    torch = pytest.importorskip("torch", reason=EXTRAS)
    pytest.importorskip("whisper", reason=EXTRAS)
    from whisper.model import ModelDimensions, Whisper
    from whisper.tokenizer import get_tokenizer

    tokenizer = get_tokenizer(multilingual=True, num_languages=99, language=language)
    spoken = [tokenizer.timestamp_begin, *tokenizer.encode(words), tokenizer.timestamp_begin + 200]
    # At place 0 the language is told, at the last of the opening tokens the text begins.
    first = len(tokenizer.sot_sequence) - 1
    comes = {0: tokenizer.language_token}
    comes.update(enumerate([*spoken, tokenizer.eot], start=first))
    torch.manual_seed(0)
    model = Whisper(ModelDimensions(80, 1500, 32, 2, 1, 51865, 448, 32, 2, 1))
    weights = {name: torch.zeros_like(value) for name, value in model.state_dict().items()}
    for name, value in weights.items():
        if name.endswith(("ln.weight", "ln_post.weight")):
            value.fill_(1.0)
        elif name.endswith(("query.weight", "key.weight")):
            value.normal_()
    weights["encoder.positional_embedding"].normal_()
    for direction, (place, token) in enumerate(comes.items()):
        weights["decoder.positional_embedding"][place, direction] = 1000.0
        weights["decoder.token_embedding.weight"][token, direction] = 8.0
    torch.save({"dims": vars(model.dims), "model_state_dict": weights}, path)
    return path
