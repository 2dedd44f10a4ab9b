"""What the tiny random checkpoints of these tests share: words, tokenizer, template, image, and greedy answers of PyTorch."""

import json
import re
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

QUESTION = "what is on the table ?"
TOKENS = 16
GREEDY = {"max_new_tokens": TOKENS, "min_new_tokens": TOKENS, "do_sample": False}
WORDS = [f"w{i}" for i in range(400)] + "USER: ASSISTANT: what is on the table ? red blue green describe image .".split()
LLAVA_SPECIALS = ["<unk>", "<s>", "</s>", "<pad>", "<image>"]
LLAVA_TEMPLATE = (
    "<s>{% for m in messages %}{{ m['role'] | upper + ': ' }}{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for c in m['content'] %}{% if c['type'] == 'text' %}{{ c['text'] }}{% else %}<image> {% endif %}{% endfor %}"
    "{% endif %} {% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)


def tokenizer(specials: list[str], template: str, **tokens) -> PreTrainedTokenizerFast:
    """Whole words only; `tokens` are the names of special tokens, as PreTrainedTokenizerFast takes them."""
    inner = Tokenizer(models.WordPiece(vocab={t: i for i, t in enumerate(specials + WORDS)}, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    inner.decoder = decoders.WordPiece(cleanup=False)
    inner.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in specials])
    fast = PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="<unk>", **tokens)
    fast.chat_template = template
    return fast


def llava_tokenizer() -> PreTrainedTokenizerFast:
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "extra_special_tokens": {"image_token": "<image>"}}
    return tokenizer(LLAVA_SPECIALS, LLAVA_TEMPLATE, **names)


def llama_config(hidden: int, head: int) -> dict:
    return {
        "vocab_size": len(LLAVA_SPECIALS + WORDS),
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "num_hidden_layers": 2,
        "num_attention_heads": hidden // head,
        "num_key_value_heads": 1,
        "head_dim": head,
        "max_position_embeddings": 4096,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 3,
        "initializer_range": 0.25,
        "tie_word_embeddings": False,
    }


def with_strong_vision(model):
    """In 32-bit floats, with weights by which vision rows matter, and differ."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ("vision_tower" in name or "multi_modal_projector" in name) and parameter.dim() > 1:
                parameter.normal_(0, 0.15)
    for token, number in (("bos", 1), ("eos", 2), ("pad", 3)):
        setattr(model.generation_config, f"{token}_token_id", number)
    return model.float().eval()


def save_llava(model, folder: Path) -> None:
    """Saves a model of LLaVA's kin as vLLM loads it."""
    model.save_pretrained(folder)
    # transformers 5 drops `vision_model.` from the names; vLLM expects those of the published checkpoints.
    file = folder / "model.safetensors"
    old = re.compile(r"^((?:model\.)?vision_tower\.)(?!vision_model)")
    weights = {old.sub(r"\1vision_model.", name): weight.clone() for name, weight in load_file(file).items()}
    save_file(weights, file, metadata={"format": "pt"})


def write_json(file: Path, content: dict) -> None:
    file.write_text(json.dumps(content))


def blocks(width: int, height: int, side: int, seed: int = 3) -> Image.Image:
    """An image of random colored squares."""
    colors = np.random.default_rng(seed).integers(0, 255, (-(-height // side), -(-width // side), 3), dtype=np.uint8)
    return Image.fromarray(np.kron(colors, np.ones((side, side, 1), dtype=np.uint8))[:height, :width])


def answer_to_rows(model, ids: torch.Tensor, image_token: int, rows: torch.Tensor) -> tuple[list[int], int]:
    """The greedy answer to a prompt with `rows` in place of its placeholders, and the prompt's length."""
    places = (ids == image_token).nonzero()[:, 0]
    embed = model.get_input_embeddings()
    short = torch.cat([embed(ids[: int(places[0])]), rows, embed(ids[int(places[-1]) + 1 :])])[None]
    mask = torch.ones(short.shape[:2], dtype=torch.long)
    return model.generate(inputs_embeds=short, attention_mask=mask, **GREEDY)[0].tolist(), short.shape[1]
