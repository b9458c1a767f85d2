"""A BLIP in the files that its repository on the hub has, with random weights, too small to say anything sensible."""

import json
from pathlib import Path
from typing import Any

MODEL = "Salesforce/blip-image-captioning-base"
# With the words' weights as they are drawn, a sentence never ends.
LOUD = 8


def build(folder: Path) -> Path:
    """Write model, tokenizer and what prepares pictures."""
    import torch
    from transformers import (
        BertTokenizerFast,
        BlipConfig,
        BlipForConditionalGeneration,
        BlipImageProcessor,
    )

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]", *(f"word{n}" for n in range(33))]
    (folder / "vocab.txt").write_text("\n".join(words))
    _tokenizer(BertTokenizerFast(str(folder / "vocab.txt")), folder)
    torch.manual_seed(3)
    small = {"hidden_size": 32, "intermediate_size": 37, "num_attention_heads": 4, "num_hidden_layers": 2}
    text = {
        **small, "vocab_size": len(words), "encoder_hidden_size": 32, "bos_token_id": 5, "pad_token_id": 0,
        "eos_token_id": 3, "sep_token_id": 3, "max_position_embeddings": 64,
    }  # fmt: skip
    # transformers draws weights of 1e-10 for the pictures' half, by which all pictures look alike.
    vision = {**small, "image_size": 384, "patch_size": 96, "initializer_range": 0.2}
    model = BlipForConditionalGeneration(BlipConfig(text_config=text, vision_config=vision, projection_dim=32))
    with torch.no_grad():
        for weights in model.text_decoder.parameters():
            weights.mul_(LOUD)
    # As the repository was written, by transformers 4.27; 5 would write safetensors and one file for both processors.
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    model.config.save_pretrained(folder)
    BlipImageProcessor(size={"height": 384, "width": 384}).save_pretrained(folder)
    return folder


def _tokenizer(tokenizer: Any, folder: Path) -> None:
    tokenizer.add_special_tokens({"bos_token": "[DEC]"})
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    special = {
        "bos_token": "[DEC]", "cls_token": "[CLS]", "mask_token": "[MASK]", "pad_token": "[PAD]",
        "sep_token": "[SEP]", "unk_token": "[UNK]",
    }  # fmt: skip
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    settings = {
        **special, "do_lower_case": True, "model_input_names": ["input_ids", "attention_mask"], "model_max_length": 512,
        "processor_class": "BlipProcessor", "strip_accents": None, "tokenize_chinese_chars": True,
        "tokenizer_class": "BertTokenizer",
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def paths(folder: Path) -> dict[str, Path]:
    """Its files by name."""
    return {path.name: path for path in folder.iterdir()}
