"""Exports a LLaVA-NeXT checkpoint (LLaVA-1.6) of Hugging Face to a folder that `createVlm` and `mmtok serve` load.

    python -m llava_next.export llava-hf/llava-v1.6-vicuna-7b-hf ./llava-next-onnx
    python -m llava_next.export ./checkpoint ./encoder --without-decoder     # for `mmtok serve --upstream`

The files have the layout of LLaVA: onnx/vision_encoder.onnx, embed_tokens.onnx and decoder_model_merged.onnx, in 32-bit
floats. The vision encoder takes tiles `[tiles, 3, side, side]` and returns `image_features` `[tiles, tokens, D]` and
`image_newline` `[1, D]`. @mmtok/transformers does tiling, unpadding, and newlines, because they depend on the image's size.
"""

import argparse
import json
import warnings
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn
from transformers import AutoTokenizer, LlavaNextForConditionalGeneration
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

OPSET = 17
# Above this many bytes, weights go to a separate file: a protocol buffer holds at most 2 GiB.
EXTERNAL_ABOVE = 1_500_000_000


class VisionEncoder(nn.Module):
    """Vision tower and projector on tiles. The class token is dropped, as the checkpoint's strategy `default` says."""

    def __init__(self, model: LlavaNextForConditionalGeneration):
        super().__init__()
        self.tower, self.projector = model.model.vision_tower, model.model.multi_modal_projector
        self.newline, self.layer = model.model.image_newline, model.config.vision_feature_layer

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, Tensor]:
        states = self.tower(pixel_values, output_hidden_states=True).hidden_states[self.layer][:, 1:]
        features = self.projector(states)
        # Depends on the input, because the exporter renames outputs that do not.
        return features, torch.zeros_like(features[:1, 0]) + self.newline


class Embedding(nn.Module):
    def __init__(self, model: LlavaNextForConditionalGeneration):
        super().__init__()
        self.table = model.get_input_embeddings()

    def forward(self, input_ids: Tensor) -> Tensor:
        return self.table(input_ids)


class Decoder(nn.Module):
    """Llama or Mistral with a cache of keys and values as inputs and outputs."""

    def __init__(self, model: LlavaNextForConditionalGeneration):
        super().__init__()
        self.language, self.head = model.model.language_model, model.lm_head
        config = model.config.text_config
        self.heads, self.groups = config.num_attention_heads, config.num_key_value_heads
        self.width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads

    def forward(self, inputs_embeds: Tensor, attention_mask: Tensor, position_ids: Tensor, *past: Tensor):
        new, total = inputs_embeds.shape[1], attention_mask.shape[1]
        column = torch.arange(total)
        may = (column[None, :] <= column[total - new :][:, None])[None, None] & (attention_mask > 0)[:, None, None, :]
        mask = torch.where(may, 0.0, -1e9)
        cos, sin = (part[:, None] for part in self.language.rotary_emb(inputs_embeds, position_ids))
        states, present = inputs_embeds, []
        for number, layer in enumerate(self.language.layers):
            attention, normed = layer.self_attn, layer.input_layernorm(states)
            query = rotated(self.split(attention.q_proj(normed), self.heads), cos, sin)
            key = rotated(self.split(attention.k_proj(normed), self.groups), cos, sin)
            key = torch.cat([past[2 * number], key], 2)
            value = torch.cat([past[2 * number + 1], self.split(attention.v_proj(normed), self.groups)], 2)
            present += [key, value]
            share = self.heads // self.groups
            keys, values = (each.repeat_interleave(share, 1) for each in (key, value))
            weights = (query @ keys.transpose(2, 3) * self.width**-0.5 + mask).softmax(-1)
            mixed = (weights @ values).transpose(1, 2).flatten(2)
            states = states + attention.o_proj(mixed)
            states = states + layer.mlp(layer.post_attention_layernorm(states))
        return self.head(self.language.norm(states)), *present

    def split(self, states: Tensor, heads: int) -> Tensor:
        return states.unflatten(2, (heads, self.width)).transpose(1, 2)


def rotated(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = states.chunk(2, -1)
    return states * cos + torch.cat([-second, first], -1) * sin


def export_llava_next(source: str, folder: Path, with_decoder: bool = True) -> None:
    """Writes all files that transformers.js loads, replacing existing ones."""
    model = LlavaNextForConditionalGeneration.from_pretrained(source, dtype=torch.float32, attn_implementation="eager").eval()
    check(model, with_decoder)
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer's, about constants that depend on no input
        export_graphs(model, folder / "onnx", with_decoder)
    AutoTokenizer.from_pretrained(source).save_pretrained(folder)
    write_documents(model, source, folder)


def check(model: LlavaNextForConditionalGeneration, with_decoder: bool) -> None:
    config = model.config
    if config.vision_feature_select_strategy != "default" or not isinstance(config.vision_feature_layer, int):
        raise SystemExit("Only the select strategy 'default' with a single vision_feature_layer is supported.")
    text = config.text_config
    if with_decoder and (text.model_type not in ("llama", "mistral") or getattr(text, "sliding_window", None)):
        raise SystemExit(
            f"The decoder is {text.model_type}; only llama, and mistral without a sliding window, are exported. "
            "Use --without-decoder for `mmtok serve --upstream`."
        )


def export_graphs(model: LlavaNextForConditionalGeneration, folder: Path, with_decoder: bool) -> None:
    side, text = model.config.vision_config.image_size, model.config.text_config
    export(
        VisionEncoder(model),
        (torch.randn(2, 3, side, side),),
        folder / "vision_encoder.onnx",
        inputs={"pixel_values": ["tiles"]},
        outputs={"image_features": ["tiles"], "image_newline": []},
    )
    export(
        Embedding(model),
        (torch.ones(2, 7, dtype=torch.long),),
        folder / "embed_tokens.onnx",
        inputs={"input_ids": ["batch_size", "sequence_length"]},
        outputs={"inputs_embeds": ["batch_size", "sequence_length"]},
    )
    if not with_decoder:
        return
    decoder = Decoder(model)
    caches = [f"{i}.{part}" for i in range(text.num_hidden_layers) for part in ("key", "value")]
    past = [torch.randn(2, decoder.groups, 3, decoder.width) for _ in caches]
    export(
        decoder,
        (torch.randn(2, 5, text.hidden_size), torch.ones(2, 8, dtype=torch.long), torch.arange(3, 8).repeat(2, 1), *past),
        folder / "decoder_model_merged.onnx",
        inputs={
            "inputs_embeds": ["batch_size", "sequence_length"],
            "attention_mask": ["batch_size", "total_sequence_length"],
            "position_ids": ["batch_size", "sequence_length"],
            **{f"past_key_values.{c}": ["batch_size", None, "past_sequence_length"] for c in caches},
        },
        outputs={
            "logits": ["batch_size", "sequence_length"],
            **{f"present.{c}": ["batch_size", None, "total_sequence_length"] for c in caches},
        },
    )


def export(module: nn.Module, example: tuple, path: Path, inputs: dict, outputs: dict) -> None:
    axes = {name: {i: axis for i, axis in enumerate(a) if axis} for name, a in (inputs | outputs).items() if a}
    names = {"input_names": list(inputs), "output_names": list(outputs)}
    size = sum(weight.numel() * weight.element_size() for weight in module.parameters())
    torch.onnx.export(module.eval(), example, str(path), **names, dynamic_axes=axes, opset_version=OPSET, dynamo=False)
    if size > EXTERNAL_ABOVE:
        # The exporter left one file per weight; transformers.js wants one file, `….onnx_data`.
        loaded = onnx.load(path)
        for extra in path.parent.iterdir():
            if extra.suffix not in (".onnx", ".onnx_data"):
                extra.unlink()
        onnx.save(loaded, path, save_as_external_data=True, location=f"{path.name}_data")


def write_documents(model: LlavaNextForConditionalGeneration, source: str, folder: Path) -> None:
    config = model.config
    side = config.vision_config.image_size
    external = {path.name.removesuffix("_data"): 1 for path in (folder / "onnx").glob("*.onnx_data")}
    documents = {
        "config.json": {
            **{k: v for k, v in json.loads(config.to_json_string(use_diff=False)).items() if not k.startswith("_")},
            "image_token_index": config.image_token_id,
            "transformers.js_config": {"dtype": "fp32", **({"use_external_data_format": external} if external else {})},
        },
        "generation_config.json": json.loads(model.generation_config.to_json_string()),
        # transformers.js has no processor for LLaVA-NeXT; @mmtok/transformers makes the tiles.
        "preprocessor_config.json": {
            "image_processor_type": "CLIPImageProcessor",
            "crop_size": {"height": side, "width": side},
            "size": {"height": side, "width": side},
            "image_mean": list(OPENAI_CLIP_MEAN),
            "image_std": list(OPENAI_CLIP_STD),
            "rescale_factor": 1 / 255,
            "resample": 3,
            **preprocessing(source),
        },
    }
    for name, content in documents.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")
    file, template = folder / "tokenizer_config.json", folder / "chat_template.jinja"
    settings = json.loads(file.read_text())
    for loading in ("is_local", "local_files_only"):
        settings.pop(loading, None)
    if template.exists():
        # transformers.js reads it from the tokenizer's configuration.
        settings["chat_template"] = template.read_text()
        template.unlink()
    file.write_text(json.dumps(settings, indent=2) + "\n")


def preprocessing(source: str) -> dict:
    """Mean and standard deviation of the checkpoint's own image processor, if it has them."""
    from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil

    try:
        processor = LlavaNextImageProcessorPil.from_pretrained(source)
    except OSError:
        return {}
    return {"image_mean": list(processor.image_mean), "image_std": list(processor.image_std)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="a Hugging Face hub id or a folder")
    parser.add_argument("folder", type=Path, help="where to write")
    parser.add_argument("--without-decoder", action="store_true", help="for a server in front of vLLM, which has the decoder")
    given = parser.parse_args()
    export_llava_next(given.source, given.folder, not given.without_decoder)
