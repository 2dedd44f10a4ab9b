"""A tiny random LLaVA three times: as vLLM loads it, its encoder as transformers.js loads it, and what PyTorch answers.

python make_llava.py FOLDER writes FOLDER/checkpoint, FOLDER/encoder, FOLDER/image.png and FOLDER/reference.json.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from tiny import (
    GREEDY,
    LLAVA_SPECIALS,
    LLAVA_TEMPLATE,
    QUESTION,
    answer_to_rows,
    blocks,
    llama_config,
    llava_tokenizer,
    save_llava,
    with_strong_vision,
    write_json,
)
from transformers import AutoProcessor, CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

PATCH, SIDE, HIDDEN, KEPT = 14, 24, 128, 57
IMAGE = LLAVA_SPECIALS.index("<image>")
folder = Path(sys.argv[1])
checkpoint, encoder = folder / "checkpoint", folder / "encoder"
(encoder / "onnx").mkdir(parents=True, exist_ok=True)
torch.manual_seed(7)
fast = llava_tokenizer()
config = LlavaConfig(
    vision_config=CLIPVisionConfig(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=PATCH * SIDE,
        patch_size=PATCH,
        projection_dim=64,
    ),
    text_config=LlamaConfig(**llama_config(HIDDEN, 64)),
    image_token_index=IMAGE,
    image_token_id=IMAGE,
    vision_feature_select_strategy="default",
    vision_feature_layer=-2,
    image_seq_length=SIDE * SIDE,
    projector_hidden_act="gelu",
)
model = with_strong_vision(LlavaForConditionalGeneration(config))
save_llava(model, checkpoint)
fast.save_pretrained(checkpoint)
size = {"height": PATCH * SIDE, "width": PATCH * SIDE}
preprocessor = {
    "processor_class": "LlavaProcessor",
    "image_processor_type": "CLIPImageProcessor",
    "crop_size": size,
    "do_center_crop": True,
    "do_convert_rgb": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "resample": 3,
    "rescale_factor": 1 / 255,
    "size": {"shortest_edge": PATCH * SIDE},
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}
processor_config = {
    "processor_class": "LlavaProcessor",
    "patch_size": PATCH,
    "vision_feature_select_strategy": "default",
    "image_token": "<image>",
    "num_additional_image_tokens": 1,
}
for target in (checkpoint, encoder):
    write_json(target / "preprocessor_config.json", preprocessor)
    write_json(target / "processor_config.json", processor_config)
(checkpoint / "chat_template.jinja").write_text(LLAVA_TEMPLATE)

# The encoder as transformers.js loads it. There is no decoder in this folder.
fast.backend_tokenizer.save(str(encoder / "tokenizer.json"))
tokens = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
settings = {"tokenizer_class": "PreTrainedTokenizerFast", **tokens, "chat_template": LLAVA_TEMPLATE}
write_json(encoder / "tokenizer_config.json", settings)
saved = json.loads((checkpoint / "config.json").read_text())
write_json(encoder / "config.json", {**saved, "transformers.js_config": {"dtype": "fp32"}})


class VisionEncoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.tower = model.model.vision_tower
        self.projector = model.model.multi_modal_projector

    def forward(self, pixel_values):
        states = self.tower(pixel_values, output_hidden_states=True).hidden_states
        return self.projector(states[-2][:, 1:])


class TokenEmbeddings(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table = model.get_input_embeddings()

    def forward(self, input_ids):
        return self.table(input_ids)


def export(module, example, name, given, output, dynamic):
    torch.onnx.export(
        module.eval(),
        (example,),
        str(encoder / "onnx" / f"{name}.onnx"),
        input_names=[given],
        output_names=[output],
        dynamic_shapes={given: dynamic},
        external_data=False,
        dynamo=True,
    )


Dim = torch.export.Dim
pixels = torch.zeros(2, 3, PATCH * SIDE, PATCH * SIDE)
export(VisionEncoder(), pixels, "vision_encoder", "pixel_values", "image_features", {0: Dim("images")})
ids = torch.zeros(2, 5, dtype=torch.long)
export(TokenEmbeddings(), ids, "embed_tokens", "input_ids", "inputs_embeds", {0: Dim("batch"), 1: Dim("tokens")})

# What PyTorch answers to the image, and to some of its rows.
processor = AutoProcessor.from_pretrained(checkpoint)
image = blocks(PATCH * SIDE, PATCH * SIDE, PATCH)
image.save(folder / "image.png")
message = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]}
prompt = processor.apply_chat_template([message], add_generation_prompt=True)
inputs = processor(images=[image], text=prompt, return_tensors="pt", add_special_tokens=False)
ids = inputs["input_ids"][0]
keep = np.sort(np.random.default_rng(5).choice(SIDE * SIDE, KEPT, replace=False))
with torch.no_grad():
    rows = VisionEncoder()(inputs["pixel_values"])[0]
    whole = model.generate(**inputs, **GREEDY)[0, ids.numel() :]
    kept, length = answer_to_rows(model, ids, IMAGE, rows[torch.tensor(keep)])
reference = {
    "question": QUESTION,
    "keep": keep.tolist(),
    "visionTokens": SIDE * SIDE,
    "whole": {"tokens": whole.tolist(), "promptTokens": ids.numel()},
    "kept": {"tokens": kept, "promptTokens": length},
}
write_json(folder / "reference.json", reference)
print(f"{folder}: {ids.numel()} prompt tokens, {length} with {KEPT} of {SIDE * SIDE} rows")
