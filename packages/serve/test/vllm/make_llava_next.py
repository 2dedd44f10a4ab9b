"""A tiny random LLaVA-NeXT: as vLLM loads it, its encoder as training/llava_next exports it, and what PyTorch answers.

PYTHONPATH=training python make_llava_next.py FOLDER writes FOLDER/checkpoint, FOLDER/encoder, images and FOLDER/reference.json.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from llava_next.export import export_llava_next
from tiny import (
    GREEDY,
    LLAVA_SPECIALS,
    QUESTION,
    answer_to_rows,
    blocks,
    llama_config,
    llava_tokenizer,
    save_llava,
    with_strong_vision,
    write_json,
)
from transformers import CLIPVisionConfig, LlamaConfig, LlavaNextConfig, LlavaNextForConditionalGeneration
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil
from transformers.models.llava_next.modeling_llava_next import get_anyres_image_grid_shape
from transformers.models.llava_next.processing_llava_next import LlavaNextProcessor

SIDE, PATCH, PER_TILE = 336, 14, 32
GRID = SIDE // PATCH
IMAGE = LLAVA_SPECIALS.index("<image>")
RESOLUTIONS = [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]
# Width and height. The first fits without resizing, so that every processor makes the same pixels of it.
SIZES = [(336, 336), (337, 335), (500, 300), (800, 40)]
folder = Path(sys.argv[1])
checkpoint = folder / "checkpoint"
torch.manual_seed(13)
fast = llava_tokenizer()
config = LlavaNextConfig(
    vision_config=CLIPVisionConfig(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=PATCH,
        projection_dim=64,
    ),
    text_config=LlamaConfig(**llama_config(128, 64)),
    image_grid_pinpoints=RESOLUTIONS,
    image_token_index=IMAGE,
    vision_feature_layer=-2,
    vision_feature_select_strategy="default",
)
model = with_strong_vision(LlavaNextForConditionalGeneration(config))
model.save_pretrained(checkpoint)
images = LlavaNextImageProcessorPil(
    size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}, image_grid_pinpoints=RESOLUTIONS
)
settings = {"patch_size": PATCH, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
processor = LlavaNextProcessor(images, fast, **settings, chat_template=fast.chat_template)
processor.save_pretrained(checkpoint)
fast.save_pretrained(checkpoint)
export_llava_next(str(checkpoint), folder / "encoder", with_decoder=False)
save_llava(model, checkpoint)

message = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]}
prompt = processor.apply_chat_template([message], add_generation_prompt=True)
random = np.random.default_rng(5)
cases = []
for number, (width, height) in enumerate(SIZES):
    image = blocks(width, height, PATCH, seed=number)
    image.save(folder / f"image-{number}.png")
    inputs = processor(images=[image], text=prompt, return_tensors="pt", add_special_tokens=False)
    ids, tiles = inputs["input_ids"][0], inputs["pixel_values"][0]
    keep = [np.sort(random.choice(GRID * GRID, PER_TILE, replace=False)) for _ in tiles]
    with torch.no_grad():
        states = model.model.vision_tower(tiles, output_hidden_states=True).hidden_states[-2][:, 1:]
        rows = model.model.multi_modal_projector(states)
        # The whole image first; then the other tiles' tokens, line by line over the grid of tiles.
        _, columns = get_anyres_image_grid_shape((height, width), RESOLUTIONS, SIDE)
        places = []
        for tile, own in enumerate(keep[1:]):
            for token in own:
                line = tile // columns * GRID + token // GRID
                places.append((line, tile % columns * GRID + token % GRID, tile + 1, int(token)))
        order = torch.stack([rows[tile, token] for _, _, tile, token in sorted(places)])
        kept, length = answer_to_rows(model, ids, IMAGE, torch.cat([rows[0, torch.tensor(keep[0])], order]))
        whole = model.generate(**inputs, **GREEDY)[0, ids.numel() :]
    cases.append(
        {
            "file": f"image-{number}.png",
            "isExact": (width, height) == (SIDE, SIDE),
            "keep": [own.tolist() for own in keep],
            "whole": {"tokens": whole.tolist(), "promptTokens": ids.numel()},
            "kept": {"tokens": kept, "promptTokens": length},
        }
    )
    print(f"{folder}: {width} × {height}, {len(keep)} tiles, {ids.numel()} prompt tokens, {length} with {PER_TILE} rows per tile")
write_json(folder / "reference.json", {"question": QUESTION, "perTile": PER_TILE, "cases": cases})
