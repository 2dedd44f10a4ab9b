"""A tiny random LLaVA three times: as vLLM loads it, its encoder as transformers.js loads it, and what PyTorch answers.

python make_llava.py FOLDER writes FOLDER/llava, FOLDER/encoder, FOLDER/image.png and FOLDER/reference.json.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    AutoProcessor,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    PreTrainedTokenizerFast,
)

PATCH, SIDE, HIDDEN, HEAD, KEPT, TOKENS = 14, 24, 128, 64, 57, 16
QUESTION = "what is on the table ?"
folder = Path(sys.argv[1])
checkpoint, encoder = folder / "llava", folder / "encoder"
(encoder / "onnx").mkdir(parents=True, exist_ok=True)
torch.manual_seed(7)

specials = ["<unk>", "<s>", "</s>", "<pad>", "<image>"]
words = [f"w{i}" for i in range(400)] + "USER: ASSISTANT: what is on the table ? red blue green describe image .".split()
vocabulary = {token: i for i, token in enumerate(specials + words)}
tokenizer = Tokenizer(models.WordPiece(vocab=vocabulary, unk_token="<unk>"))
tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer.decoder = decoders.WordPiece(cleanup=False)
tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in specials])
fast = PreTrainedTokenizerFast(
    tokenizer_object=tokenizer,
    unk_token="<unk>",
    bos_token="<s>",
    eos_token="</s>",
    pad_token="<pad>",
    extra_special_tokens={"image_token": "<image>"},
)
template = (
    "<s>{% for m in messages %}{{ m['role'] | upper + ': ' }}{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for c in m['content'] %}{% if c['type'] == 'text' %}{{ c['text'] }}{% else %}<image> {% endif %}{% endfor %}"
    "{% endif %} {% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
fast.chat_template = template

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
    text_config=LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=HIDDEN,
        intermediate_size=2 * HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=HIDDEN // HEAD,
        num_key_value_heads=1,
        head_dim=HEAD,
        max_position_embeddings=4096,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=3,
        initializer_range=0.25,
        tie_word_embeddings=False,
    ),
    image_token_index=vocabulary["<image>"],
    image_token_id=vocabulary["<image>"],
    vision_feature_select_strategy="default",
    vision_feature_layer=-2,
    image_seq_length=SIDE * SIDE,
    projector_hidden_act="gelu",
)
model = LlavaForConditionalGeneration(config)
with torch.no_grad():  # so that vision rows matter, and differ
    for name, parameter in model.named_parameters():
        if ("vision_tower" in name or "multi_modal_projector" in name) and parameter.dim() > 1:
            parameter.normal_(0, 0.15)
model = model.to(torch.float32).eval()
for token, number in (("bos", 1), ("eos", 2), ("pad", 3)):
    setattr(model.generation_config, f"{token}_token_id", number)
model.save_pretrained(checkpoint)
# transformers 5 drops `vision_model.` from the names; vLLM expects those of the published checkpoints.
weights_file = checkpoint / "model.safetensors"
weights = load_file(weights_file)
old = re.compile(r"^((?:model\.)?vision_tower\.)(?!vision_model)")
save_file({old.sub(r"\1vision_model.", k): v.clone() for k, v in weights.items()}, weights_file, metadata={"format": "pt"})
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
    (target / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    (target / "processor_config.json").write_text(json.dumps(processor_config))
(checkpoint / "chat_template.jinja").write_text(template)

# The encoder as transformers.js loads it. There is no decoder in this folder.
tokenizer.save(str(encoder / "tokenizer.json"))
(encoder / "tokenizer_config.json").write_text(
    json.dumps(
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": "<s>",
            "eos_token": "</s>",
            "unk_token": "<unk>",
            "pad_token": "<pad>",
            "chat_template": template,
        }
    )
)
saved = json.loads((checkpoint / "config.json").read_text())
(encoder / "config.json").write_text(json.dumps({**saved, "transformers.js_config": {"dtype": "fp32"}}))


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
export(
    VisionEncoder(),
    torch.zeros(2, 3, PATCH * SIDE, PATCH * SIDE),
    "vision_encoder",
    "pixel_values",
    "image_features",
    {0: Dim("images")},
)
export(
    TokenEmbeddings(),
    torch.zeros(2, 5, dtype=torch.long),
    "embed_tokens",
    "input_ids",
    "inputs_embeds",
    {0: Dim("batch"), 1: Dim("tokens")},
)

# What PyTorch answers to the image, and to some of its rows.
processor = AutoProcessor.from_pretrained(checkpoint)
random = np.random.default_rng(3)
blocks = random.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8)
image = Image.fromarray(np.kron(blocks, np.ones((PATCH, PATCH, 1), dtype=np.uint8)))
image.save(folder / "image.png")
message = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]}
prompt = processor.apply_chat_template([message], add_generation_prompt=True)
inputs = processor(images=[image], text=prompt, return_tensors="pt", add_special_tokens=False)
ids = inputs["input_ids"][0]
keep = np.sort(random.choice(SIDE * SIDE, KEPT, replace=False))
length = {"max_new_tokens": TOKENS, "min_new_tokens": TOKENS, "do_sample": False}
with torch.no_grad():
    rows = VisionEncoder()(inputs["pixel_values"])[0]
    places = (ids == vocabulary["<image>"]).nonzero()[:, 0]
    embed = model.get_input_embeddings()
    before, after = embed(ids[: int(places[0])]), embed(ids[int(places[-1]) + 1 :])
    short = torch.cat([before, rows[torch.tensor(keep)], after])[None]
    whole = model.generate(**inputs, **length)[0, ids.numel() :]
    mask = torch.ones(short.shape[:2], dtype=torch.long)
    kept = model.generate(inputs_embeds=short, attention_mask=mask, **length)[0]
reference = {
    "question": QUESTION,
    "keep": keep.tolist(),
    "visionTokens": SIDE * SIDE,
    "whole": {"tokens": whole.tolist(), "promptTokens": ids.numel()},
    "kept": {"tokens": kept.tolist(), "promptTokens": short.shape[1]},
}
(folder / "reference.json").write_text(json.dumps(reference))
print(f"{folder}: {ids.numel()} prompt tokens, {short.shape[1]} with {KEPT} of {SIDE * SIDE} rows")
