"""Writes a trained model as a folder that transformers.js loads as LlavaForConditionalGeneration: ONNX files in three
precisions, tokenizer, and configuration. check.py compares their answers with the trained model's.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from .config import Config
from .language import NORM_EPSILON, ROTARY_BASE, ROTARY_SHARE, LanguageModel, rotation
from .text import BOS, EOS, IMAGE, MARKERS, PAD, SPECIAL, VOCABULARY_SIZE, WORDS
from .train_language import Model
from .vision import attend

OPSET = 17
FILES = ("vision_encoder", "embed_tokens", "decoder_model_merged")
# The precisions' names in transformers.js, and the suffixes of their files.
PRECISIONS = {"fp32": "", "fp16": "_fp16", "q8": "_quantized"}


class VisionEncoder(nn.Module):
    def __init__(self, model: Model):
        super().__init__()
        self.tower, self.projector = model.vision, model.projector

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features, _, saliency = self.tower(pixel_values)
        return self.projector(features), features, saliency


class TileEncoder(nn.Module):
    """The same for tiles `[B, tiles, 3, S, S]` of several images. Tiles that only pad a batch are left out: their masks
    `[B, tiles, S, S]` are false everywhere, and those of the others are true at least in the first pixel.
    """

    def __init__(self, config: Config, model: Model):
        super().__init__()
        self.encoder, self.size = VisionEncoder(model), config.image_size

    def forward(self, pixel_values: Tensor, pixel_attention_mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        shown = pixel_attention_mask[:, :, 0, 0].reshape(-1)
        return self.encoder(pixel_values.reshape(-1, 3, self.size, self.size)[shown])


class Embedding(nn.Module):
    def __init__(self, language: LanguageModel):
        super().__init__()
        self.table = language.embedding

    def forward(self, input_ids: Tensor) -> Tensor:
        return self.table(input_ids)


class Decoder(nn.Module):
    """The language model as a decoder with a cache of keys and values."""

    def __init__(self, language: LanguageModel):
        super().__init__()
        self.language = language

    def forward(self, inputs_embeds: Tensor, attention_mask: Tensor, position_ids: Tensor, *past: Tensor):
        new, total = inputs_embeds.shape[1], attention_mask.shape[1]
        column = torch.arange(total)
        may = (column[None, :] <= column[total - new :][:, None])[None, None] & (attention_mask > 0)[:, None, None, :]
        mask = torch.where(may, 0.0, -1e9)
        cos, sin = (t[:, None] for t in rotation(position_ids, self.language.config.head_width))
        states, present = inputs_embeds, []
        for number, block in enumerate(self.language.blocks):
            query, key, value = block.project(states, cos, sin)
            key = torch.cat([past[2 * number], key], 2)
            value = torch.cat([past[2 * number + 1], value], 2)
            states = block.finish(states, attend(query, key, mask) @ value)
            present += [key, value]
        return self.language.logits(states), *present


def export_model(config: Config, model: Model, folder: Path, default: str = "fp32") -> None:
    """Writes all files, replacing existing ones. `default` is the precision that is loaded if the user requests none."""
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    for part in (model.vision, model.projector, model.language):
        part.cpu().eval()
    with warnings.catch_warnings(), torch.no_grad():
        # They are about constants from traced shapes, which is what this model has.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        _export_graphs(config, model, folder / "onnx")
    for name in FILES:
        _write_precisions(folder / "onnx" / name)
    for name, content in _documents(config, default).items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")


def keep_precisions(folder: Path, kept: list[str]) -> None:
    """Removes the files of all other precisions."""
    for precision, ending in PRECISIONS.items():
        if precision not in kept:
            for name in FILES:
                (folder / "onnx" / f"{name}{ending}.onnx").unlink()


def _export_graphs(config: Config, model: Model, folder: Path) -> None:
    size = config.image_size
    outputs = ["image_features", "vision_features", "vision_saliency"]
    if config.tiles:
        axes = ["batch_size", "num_tiles"]
        _export(
            TileEncoder(config, model),
            (torch.randn(2, 3, 3, size, size), torch.ones(2, 3, size, size, dtype=torch.bool)),
            folder / "vision_encoder.onnx",
            inputs={"pixel_values": axes, "pixel_attention_mask": axes},
            outputs={name: ["num_tiles_shown"] for name in outputs},
        )
    else:
        _export(
            VisionEncoder(model),
            (torch.randn(2, 3, size, size),),
            folder / "vision_encoder.onnx",
            inputs={"pixel_values": ["batch_size"]},
            outputs={name: ["batch_size"] for name in outputs},
        )
    _export(
        Embedding(model.language),
        (torch.randint(5, 100, (2, 7)),),
        folder / "embed_tokens.onnx",
        inputs={"input_ids": ["batch_size", "sequence_length"]},
        outputs={"inputs_embeds": ["batch_size", "sequence_length"]},
    )
    caches = [f"{i}.{part}" for i in range(config.layers) for part in ("key", "value")]
    past = [torch.randn(2, config.heads, 3, config.head_width) for _ in caches]
    _export(
        Decoder(model.language),
        (torch.randn(2, 5, config.width), torch.ones(2, 8, dtype=torch.long), torch.arange(3, 8).repeat(2, 1), *past),
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


def _export(module: nn.Module, example: tuple, path: Path, inputs: dict, outputs: dict) -> None:
    axes = {name: {i: axis for i, axis in enumerate(a) if axis} for name, a in (inputs | outputs).items()}
    names = {"input_names": list(inputs), "output_names": list(outputs)}
    torch.onnx.export(module.eval(), example, path, **names, dynamic_axes=axes, opset_version=OPSET, dynamo=False)


def _write_precisions(path: Path) -> None:
    """Writes half-precision and 8-bit weights next to the full ones, under the names that transformers.js looks for."""
    full = f"{path}.onnx"
    onnx.save(with_half_weights(onnx.load(full)), f"{path}{PRECISIONS['fp16']}.onnx")
    quantize_dynamic(
        full,
        f"{path}{PRECISIONS['q8']}.onnx",
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul", "Gemm", "Gather"],
        extra_options={"MatMulConstBOnly": True},
    )


def with_half_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Stores matrices, kernels, and tables in half precision. The graph casts them to single precision and computes in it; ONNX
    Runtime casts them once, when it loads the file. It has few half-precision kernels for CPUs and WASM, and would otherwise
    cast activations between nodes.
    """
    weights = [one for one in model.graph.initializer if one.data_type == TensorProto.FLOAT and len(one.dims) > 1]
    casts = []
    for weight in weights:
        half = numpy_helper.from_array(numpy_helper.to_array(weight).astype(np.float16), f"{weight.name}_half")
        casts.append(helper.make_node("Cast", [half.name], [weight.name], to=TensorProto.FLOAT))
        model.graph.initializer.remove(weight)
        model.graph.initializer.append(half)
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


# The prompt `<image> question … answer`, for one turn or several.
CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'user' %}{% if message['content'] is string %}"
    "{{ 'question ' + message['content'] + ' ' }}{% else %}{% for c in message['content'] %}{% if c['type'] == 'image' %}"
    "{{ '<image> ' }}{% endif %}{% endfor %}{{ 'question ' }}{% for c in message['content'] %}{% if c['type'] == 'text' %}"
    "{{ c['text'] + ' ' }}{% endif %}{% endfor %}{% endif %}{% else %}{{ 'answer ' + (message['content'] if "
    "message['content'] is string else message['content'][0]['text']) + ' </s> ' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'answer' }}{% endif %}"
)


def _documents(config: Config, default: str) -> dict[str, dict]:
    tiled = _tiled(config)
    return {
        "config.json": {
            **(tiled["config"] if tiled else _LLAVA),
            "text_config": {
                "model_type": "llama",
                "hidden_size": config.width,
                "intermediate_size": config.mlp_width,
                "num_attention_heads": config.heads,
                "num_key_value_heads": config.heads,
                "num_hidden_layers": config.layers,
                "head_dim": config.head_width,
                "vocab_size": VOCABULARY_SIZE,
                "rope_theta": ROTARY_BASE,
                "partial_rotary_factor": ROTARY_SHARE,
                "rms_norm_eps": NORM_EPSILON,
                "tie_word_embeddings": True,
                "max_position_embeddings": 2048,
            },
            "vision_config": {
                "model_type": "idefics3_vision" if tiled else "clip_vision_model",
                "hidden_size": config.vision_width,
                "num_hidden_layers": config.vision_layers,
                "num_attention_heads": 4,
                "image_size": config.image_size,
                "patch_size": 8,
            },
            "transformers.js_config": {"dtype": default},
        },
        "generation_config.json": {
            "bos_token_id": BOS,
            "eos_token_id": EOS,
            "pad_token_id": PAD,
            "max_new_tokens": 8,
            "do_sample": False,
        },
        "preprocessor_config.json": {
            "do_convert_rgb": True,
            "do_resize": True,
            **(
                tiled["preprocessor"]
                if tiled
                else {
                    "processor_class": "LlavaProcessor",
                    "image_processor_type": "CLIPImageProcessor",
                    "size": {"height": config.image_size, "width": config.image_size},
                    "do_center_crop": False,
                }
            ),
            "do_normalize": True,
            "do_rescale": True,
            "rescale_factor": 1 / 255,
            "image_mean": [0.5] * 3,
            "image_std": [0.5] * 3,
            "resample": 3,
        },
        "processor_config.json": tiled["processor"]
        if tiled
        else {
            "processor_class": "LlavaProcessor",
            "image_token": SPECIAL[IMAGE],
            "patch_size": 8,
            "num_additional_image_tokens": 0,
            "vision_feature_select_strategy": "full",
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": SPECIAL[BOS],
            "eos_token": SPECIAL[EOS],
            "unk_token": "<unk>",
            "pad_token": SPECIAL[PAD],
            "padding_side": "left",
            "model_max_length": 2048,
            "clean_up_tokenization_spaces": False,
            "chat_template": CHAT_TEMPLATE,
        },
        "tokenizer.json": _tokenizer((*SPECIAL, *MARKERS) if tiled else SPECIAL),
    }


_LLAVA = {
    "architectures": ["LlavaForConditionalGeneration"],
    "model_type": "llava",
    "image_token_index": IMAGE,
    "projector_hidden_act": "gelu",
    "vision_feature_layer": -1,
    "vision_feature_select_strategy": "full",
}


def _tiled(config: Config) -> dict[str, dict]:
    """The entries of a model with tiles that replace those of LLaVA: the layout of Idefics 3."""
    if config.tiles == 0:
        return {}
    return {
        "config": {
            "architectures": ["Idefics3ForConditionalGeneration"],
            "model_type": "idefics3",
            "image_token_id": IMAGE,
            "scale_factor": config.shuffle,
        },
        "preprocessor": {
            "processor_class": "Idefics3Processor",
            "image_processor_type": "Idefics3ImageProcessor",
            "size": {"longest_edge": config.tiles * config.image_size},
            "max_image_size": {"longest_edge": config.image_size},
            "do_image_splitting": True,
            "do_pad": True,
        },
        "processor": {"processor_class": "Idefics3Processor", "image_seq_len": config.grid**2},
    }


def _tokenizer(special: tuple[str, ...]) -> dict:
    """Whole lowercase words, split at spaces and punctuation. Words outside the vocabulary become `<unk>`."""
    words = [*WORDS, *(f"<unused{i}>" for i in range(len(WORDS), VOCABULARY_SIZE))]
    begin = {"SpecialToken": {"id": SPECIAL[BOS], "type_id": 0}}
    first, second = ({"Sequence": {"id": name, "type_id": i}} for i, name in enumerate("AB"))
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": words.index(word), "content": word, **flags} for word in special],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "Isolated"}],
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [begin, first],
            "pair": [begin, first, second],
            "special_tokens": {SPECIAL[BOS]: {"id": SPECIAL[BOS], "ids": [BOS], "tokens": [SPECIAL[BOS]]}},
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": False},
        "model": {
            "type": "WordPiece",
            "unk_token": "<unk>",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 64,
            "vocab": {word: i for i, word in enumerate(words)},
        },
    }
