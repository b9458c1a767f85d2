"""A BLIP in the layout that the manifest lists, with random weights, too small to say anything sensible."""

from pathlib import Path

MODEL = "Salesforce/blip-image-captioning-base"
# With the words' weights as they are drawn, a sentence never ends.
LOUD = 8


def build(folder: Path) -> Path:
    """Write model, tokenizer and processor with transformers."""
    import torch
    from transformers import (
        BertTokenizerFast,
        BlipConfig,
        BlipForConditionalGeneration,
        BlipImageProcessor,
        BlipProcessor,
    )

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]", *(f"word{n}" for n in range(33))]
    (folder / "words.txt").write_text("\n".join(words))
    tokenizer = BertTokenizerFast(str(folder / "words.txt"))
    tokenizer.add_special_tokens({"bos_token": "[DEC]"})
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
    model.save_pretrained(folder)
    BlipProcessor(BlipImageProcessor(size={"height": 384, "width": 384}), tokenizer).save_pretrained(folder)
    return folder


def paths(folder: Path) -> dict[str, Path]:
    """Its files by name."""
    return {path.name: path for path in folder.iterdir()}
