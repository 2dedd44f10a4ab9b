"""A tiny random Qwen2-VL as vLLM loads it, the rows of an image, and what PyTorch answers to some of them on a line.

python make_qwen2_vl.py FOLDER writes FOLDER/checkpoint, FOLDER/rows.bin (float32) and FOLDER/reference.json.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from tiny import QUESTION, TOKENS, WORDS, blocks, tokenizer, write_json
from transformers import AutoProcessor, Qwen2VLConfig, Qwen2VLForConditionalGeneration

KEPT, COLUMNS, LINES, HIDDEN = 30, 16, 12, 128
SPECIALS = ["<unk>", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>"]
SPECIALS.append("<|video_pad|>")
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }} {% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for c in m['content'] %}{% if c['type'] == 'text' %}{{ c['text'] }}{% else %}<|vision_start|><|image_pad|>"
    "<|vision_end|>{% endif %}{% endfor %}{% endif %}<|im_end|> {% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant {% endif %}"
)
folder = Path(sys.argv[1])
checkpoint = folder / "checkpoint"
checkpoint.mkdir(parents=True, exist_ok=True)
torch.manual_seed(11)
marks = {"image_token": "<|image_pad|>", "video_token": "<|video_pad|>"}
marks |= {"vision_bos_token": "<|vision_start|>", "vision_eos_token": "<|vision_end|>"}
fast = tokenizer(SPECIALS, TEMPLATE, eos_token="<|im_end|>", pad_token="<|endoftext|>", extra_special_tokens=marks)
number = {token: at for at, token in enumerate(SPECIALS)}
config = Qwen2VLConfig(
    text_config={
        "vocab_size": len(SPECIALS + WORDS),
        "hidden_size": HIDDEN,
        "intermediate_size": 2 * HIDDEN,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 8192,
        "tie_word_embeddings": False,
        "bos_token_id": number["<|endoftext|>"],
        "eos_token_id": number["<|im_end|>"],
        "pad_token_id": number["<|endoftext|>"],
        "rope_parameters": {"rope_type": "default", "type": "default", "mrope_section": [8, 12, 12], "rope_theta": 10000.0},
    },
    vision_config={
        "depth": 2,
        "embed_dim": 64,
        "hidden_size": HIDDEN,
        "num_heads": 2,
        "mlp_ratio": 2,
        "patch_size": 14,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "in_channels": 3,
    },
    image_token_id=number["<|image_pad|>"],
    video_token_id=number["<|video_pad|>"],
    vision_start_token_id=number["<|vision_start|>"],
    vision_end_token_id=number["<|vision_end|>"],
    tie_word_embeddings=False,
)
model = Qwen2VLForConditionalGeneration(config).float().eval()
with torch.no_grad():  # so that vision rows matter, and differ
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            parameter.normal_(0, 0.15 if "visual" in name else 0.25)
model.generation_config.eos_token_id, model.generation_config.pad_token_id = number["<|im_end|>"], number["<|endoftext|>"]
model.save_pretrained(checkpoint)
fast.save_pretrained(checkpoint)
(checkpoint / "chat_template.jinja").write_text(TEMPLATE)
preprocessor = {
    "image_processor_type": "Qwen2VLImageProcessor",
    "processor_class": "Qwen2VLProcessor",
    "do_convert_rgb": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "patch_size": 14,
    "merge_size": 2,
    "temporal_patch_size": 2,
    "min_pixels": 3136,
    "max_pixels": 1003520,
    "size": {"shortest_edge": 3136, "longest_edge": 1003520},
    "resample": 3,
    "rescale_factor": 1 / 255,
}
write_json(checkpoint / "preprocessor_config.json", preprocessor)

processor = AutoProcessor.from_pretrained(checkpoint)
message = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]}
prompt = processor.apply_chat_template([message], add_generation_prompt=True)
inputs = processor(images=[blocks(28 * COLUMNS, 28 * LINES, 28)], text=[prompt], return_tensors="pt")
ids = inputs["input_ids"][0]
places = (ids == number["<|image_pad|>"]).nonzero()[:, 0]
before, after = int(places[0]), int(places[-1]) + 1
keep = np.sort(np.random.default_rng(5).choice(LINES * COLUMNS, KEPT, replace=False))
embed = model.get_input_embeddings()


def answer(rows: torch.Tensor, lines: int, columns: int) -> list[int]:
    """Greedy, with the rows on a grid, and positions that go on behind it."""
    down, across = torch.arange(lines).repeat_interleave(columns), torch.arange(columns).repeat(lines)
    grid = torch.stack([torch.zeros_like(down), down, across]) + before
    tail = torch.arange(len(ids) - after).expand(3, -1) + int(grid.max()) + 1
    positions = torch.cat([torch.arange(before).expand(3, -1), grid, tail], 1)
    states = torch.cat([embed(ids[:before]), rows, embed(ids[after:])])[None]
    tokens = []
    for _ in range(TOKENS):
        length = states.shape[1]
        mask = torch.ones(1, length, dtype=torch.long)
        hidden = model.model.language_model(
            inputs_embeds=states, position_ids=positions[:, None], attention_mask=mask, use_cache=False
        ).last_hidden_state
        tokens.append(int(model.lm_head(hidden[0, -1]).argmax()))
        states = torch.cat([states, embed(torch.tensor([[tokens[-1]]]))], 1)
        positions = torch.cat([positions, (positions.max() + 1).expand(3, 1)], 1)
    return tokens


with torch.no_grad():
    features = model.model.get_image_features(inputs["pixel_values"], inputs["image_grid_thw"]).pooler_output
    rows = (features[0] if isinstance(features, (list, tuple)) else features).reshape(-1, HIDDEN)
    reference = {
        "question": QUESTION,
        "hiddenSize": HIDDEN,
        "visionTokens": len(rows),
        "kept": KEPT,
        "line": {"tokens": answer(rows[torch.tensor(keep)], 1, KEPT), "promptTokens": len(ids) - len(rows) + KEPT},
    }
    rows[torch.tensor(keep)].numpy().tofile(folder / "rows.bin")
write_json(folder / "reference.json", reference)
print(f"{folder}: {KEPT} of {len(rows)} rows, {reference['line']['promptTokens']} prompt tokens")
