"""Golden data: which vision tokens the official MMTok keeps on two models of the real architectures with random weights.

Builds LLaVA-1.5 and Qwen2.5-VL from the classes of Hugging Face transformers, exports their vision encoders and embeddings to
ONNX as folders that transformers.js loads, and runs the official selection (a checkout of https://github.com/Ironieser/MMTok at
commit d1522cd) on the same pictures and questions. The language model is a stub: nothing of it decides which tokens are kept.

  python make_official_picks.py CHECKOUT_OF_MMTOK

Needs torch, transformers, tokenizers, onnx and loguru. Writes `llava/`, `qwen2_5_vl/` and `picks.json` beside
this file; `biome check --write` formats them.
"""

import ast
import importlib.util
import json
import math
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
import transformers as hf
from onnx import TensorProto, helper
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import nn

warnings.filterwarnings("ignore")
HERE = Path(__file__).parent
CHECKOUT = Path(sys.argv[1])
HIDDEN, WORDS = 32, 420
# A pick is golden only if the next best candidate is this much worse: float32 rounds differently from engine to engine.
CLEAR = 1e-5

QUESTIONS = [
    "What is on the small red table?",
    "What is on the small red table? Answer the question using a single word or phrase.",
    "Is there a dog in the image?\nAnswer the question using a single word or phrase.",
    "What is it?",
    "Describe the yellow umbrella, please.",
    "How many cats-and-dogs are there?  (A) 3 (B) 4",
    "What's the dog's colour?\nA. red\nB. blue\nAnswer with the option's letter from the given choices directly.",
    "Où est la tasse café? 杯子",
    "USER: what does ASSISTANT mean?",
    "  two  spaces\tand tab ",
]
CORPUS = [" ".join(QUESTIONS), "Question: a small yellow umbrella stands beside the green box. USER ASSISTANT colour café"] * 20


def picture(width: int, height: int) -> np.ndarray:
    """Pixels `[height, width, 3]` that JavaScript computes too: smooth bands, and blocks of their own colour."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    bands = (x * (3 + c) + y * (5 - c) + (x * y) // (40 + 9 * c)) % 256
    blocks = ((x // 56) * 37 + (y // 56) * 91 + c * 53) % 256
    return ((bands + 2 * blocks) // 3).astype(np.uint8)


def randomized(model: nn.Module, seed: int) -> nn.Module:
    """Weights wide enough that vision tokens differ."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            normal = torch.randn(weight.shape, generator=generator)
            if "embed_tokens" in name or "position" in name:
                weight.copy_(0.3 * normal)
            elif weight.ndim >= 2:
                weight.copy_(normal * (0.5 / math.sqrt(weight.shape[-1]) if weight.ndim == 2 else 0.05))
            elif name.endswith("bias"):
                weight.copy_(0.02 * normal)
            elif "norm" in name:
                weight.add_(0.1 * normal)
    return model.eval().float().requires_grad_(False)


TEXT = dict(
    hidden_size=HIDDEN, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2, head_dim=16,
    vocab_size=WORDS + 40, max_position_embeddings=4096,
)  # fmt: skip


class LlavaEncoder(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.tower, self.projector = model.model.vision_tower, model.model.multi_modal_projector

    def forward(self, pixel_values):
        features = self.tower(pixel_values, output_hidden_states=True).hidden_states[-2][:, 1:]
        return self.projector(features)


class QwenEncoder(nn.Module):
    """The visual tower, with the attention within windows written so that it can be traced."""

    def __init__(self, visual):
        super().__init__()
        self.visual = visual

    def patches(self, pixel_values, grid):
        """`[patches, d]` after the last block, in the order of windows, and that order."""
        v = self.visual
        states = v.patch_embed(pixel_values)
        angles = v.rot_pos_emb(grid)
        order, windows = v.get_window_index(grid)
        order = torch.as_tensor(order)
        unit = v.spatial_merge_unit
        by_window = lambda x: x.reshape(len(order), unit, -1)[order].reshape(len(x), -1)
        states, angles = by_window(states), by_window(angles)
        turned = torch.cat((angles, angles), dim=-1)
        position = (turned.cos(), turned.sin())
        count = states.shape[0]
        bounds = torch.unique_consecutive(torch.as_tensor(windows))
        window = (torch.arange(count)[:, None] >= bounds[None, 1:]).sum(-1)
        apart = torch.where(window[:, None] == window[None], 0.0, -1e9)
        for number, block in enumerate(v.blocks):
            mask = torch.zeros(count, count) if number in v.fullatt_block_indexes else apart
            states = states + self.attend(block.attn, block.norm1(states), position, mask)
            states = states + block.mlp(block.norm2(states))
        return states, order

    @staticmethod
    def attend(attention, states, position, mask):
        count = states.shape[0]
        q, k, v = attention.qkv(states).reshape(count, 3, attention.num_heads, -1).permute(1, 2, 0, 3).unbind(0)
        half = q.shape[-1] // 2
        turn = lambda x: x * position[0] + torch.cat((-x[..., half:], x[..., :half]), -1) * position[1]
        weights = torch.softmax(turn(q) @ turn(k).transpose(1, 2) / math.sqrt(q.shape[-1]) + mask, -1)
        return attention.proj((weights @ v).transpose(0, 1).reshape(count, -1))

    def forward(self, pixel_values, image_grid_thw):
        # The grid is that of the traced picture. It enters all the same, so that the export has it as an input as real ones do.
        states, order = self.patches(pixel_values + 0.0 * image_grid_thw.sum().float(), image_grid_thw)
        return self.visual.merger(states)[torch.argsort(order)]


class Embedding(nn.Module):
    def __init__(self, table):
        super().__init__()
        self.table = table

    def forward(self, input_ids):
        return self.table(input_ids)


def export(module: nn.Module, arguments: tuple, path: Path, inputs: list[str], output: str, axes: dict) -> None:
    with torch.no_grad():
        torch.onnx.export(
            module.eval(), arguments, str(path), input_names=inputs, output_names=[output], dynamic_axes=axes,
            opset_version=17, do_constant_folding=True, dynamo=False,
        )  # fmt: skip


def export_stub_decoder(path: Path) -> None:
    """A decoder with a cache of keys and values that says nothing: every word is as likely."""
    floats, ids = TensorProto.FLOAT, TensorProto.INT64
    cache = [f"0.{part}" for part in ("key", "value")]
    inputs = [
        helper.make_tensor_value_info("inputs_embeds", floats, ["b", "s", HIDDEN]),
        helper.make_tensor_value_info("attention_mask", ids, ["b", "t"]),
        *(helper.make_tensor_value_info(f"past_key_values.{c}", floats, ["b", 2, "p", 16]) for c in cache),
    ]
    outputs = [
        helper.make_tensor_value_info("logits", floats, ["b", "s", TEXT["vocab_size"]]),
        *(helper.make_tensor_value_info(f"present.{c}", floats, ["b", 2, "t", 16]) for c in cache),
    ]
    constants = [
        helper.make_tensor("zeros", floats, [HIDDEN, TEXT["vocab_size"]], [0.0] * (HIDDEN * TEXT["vocab_size"])),
        helper.make_tensor("heads", ids, [4], [0, 0, 2, 16]),
    ]
    nodes = [
        helper.make_node("MatMul", ["inputs_embeds", "zeros"], ["logits"]),
        helper.make_node("Reshape", ["inputs_embeds", "heads"], ["split"]),
        helper.make_node("Transpose", ["split"], ["fresh"], perm=[0, 2, 1, 3]),
        *(helper.make_node("Concat", [f"past_key_values.{c}", "fresh"], [f"present.{c}"], axis=2) for c in cache),
    ]
    graph = helper.make_graph(nodes, "stub", inputs, outputs, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def write(value, path: Path) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def llama_tokenizer(folder: Path, special: list[str]) -> hf.PreTrainedTokenizerFast:
    """Sentence pieces with the space before a word, as Llama's; trained on the questions."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    base = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=WORDS, special_tokens=base, show_progress=False))
    data = json.loads(tokenizer.to_str())
    data["pre_tokenizer"] = None
    data["normalizer"] = {
        "type": "Sequence",
        "normalizers": [
            {"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        ],
    }
    data["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
    }
    ids = [("<unk>", 0), ("<s>", 1), ("</s>", 2), *((word, WORDS + at) for at, word in enumerate(special))]
    return saved_tokenizer(folder, data, ids, "LlamaTokenizer", dict(bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>"))


def qwen_tokenizer(folder: Path, special: list[str]) -> hf.PreTrainedTokenizerFast:
    """Byte pairs, as Qwen's; trained on the questions."""
    pattern = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=WORDS, initial_alphabet=alphabet, show_progress=False))
    ids = [(word, WORDS + at) for at, word in enumerate(special)]
    data = json.loads(tokenizer.to_str())
    return saved_tokenizer(folder, data, ids, "Qwen2Tokenizer", dict(eos_token="<|im_end|>", pad_token="<|endoftext|>"))


def saved_tokenizer(folder, data, special, kind, names) -> hf.PreTrainedTokenizerFast:
    flags = dict(single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
    data["added_tokens"] = [dict(id=number, content=word, **flags) for word, number in special]
    write(data, folder / "tokenizer.json")
    write(dict(tokenizer_class=kind, model_max_length=4096, chat_template=TEMPLATES[kind], **names), folder / "tokenizer_config.json")
    return hf.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), **names)


# As short as a template can be that says where the picture and the text are.
TEMPLATES = {
    "LlamaTokenizer": "{% for m in messages %}USER: {% for c in m['content'] %}{% if c['type'] == 'image' %}<image>\n"
    "{% else %}{{ c['text'] }} {% endif %}{% endfor %}{% endfor %}ASSISTANT:",
    "Qwen2Tokenizer": "{% for m in messages %}<|im_start|>user\n{% for c in m['content'] %}{% if c['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ c['text'] }}{% endif %}{% endfor %}<|im_end|>\n"
    "{% endfor %}<|im_start|>assistant\n",
}
MEAN, SPREAD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


def normalized(pixels: np.ndarray) -> np.ndarray:
    return ((pixels.astype(np.float32) / 255 - np.float32(MEAN)) / np.float32(SPREAD)).astype(np.float32)


def official() -> type:
    """The official selector. Only its core is imported: the package itself would pull in LLaVA."""
    package = types.ModuleType("mmtok")
    package.__path__ = [str(CHECKOUT / "mmtok")]
    sys.modules["mmtok"] = package
    from mmtok.core import MMTokCore

    return MMTokCore


def official_padding(size: tuple[int, int]) -> list[int]:
    """The official list of tokens that show only padding; the file around that function needs LLaVA."""
    source = (CHECKOUT / "mmtok/llava/patch_llava.py").read_text()
    function = next(n for n in ast.parse(source).body if getattr(n, "name", "") == "calculate_padding_patch_indices")
    scope = {"math": math}
    exec(ast.get_source_segment(source, function), scope)
    return scope["calculate_padding_patch_indices"](size)


def smallest_gap(core, text, vision, features, excluded) -> float:
    """How near the second best candidate ever came, of the best gain: an independent greedy in double precision."""
    unit = lambda x: x.double() / x.double().norm(dim=-1, keepdim=True)
    rows = torch.softmax(unit(text) @ unit(vision).T / core.softmax_tv_temperature, 1) / len(text)
    columns = core.alpha * torch.softmax(unit(features) @ unit(features).T / core.softmax_vv_temperature, 1) / len(vision)
    matrix, best, gap = torch.cat([rows, columns]), torch.zeros(len(text) + len(vision)).double(), 1.0
    barred = torch.zeros(len(vision)).double()
    barred[excluded] = -math.inf
    for _ in range(core.token_selector.target_vision_tokens):
        gains = (matrix - best[:, None]).clamp(min=0).sum(0) + barred
        (first, second), picks = gains.topk(2)
        gap = min(gap, float((first - second) / first))
        barred[picks[0]] = -math.inf
        best = torch.maximum(best, matrix[:, picks[0]])
    return gap


def core_for(tokenizer, model, tokens: int, temperature: float):
    core = official()(
        target_vision_tokens=tokens, alpha=0.5, softmax_tv_temperature=temperature, softmax_vv_temperature=0.2, device="cpu"
    )
    core._main_model_embed_tokens, core._language_tokenizer = model.get_input_embeddings(), tokenizer
    return core


def ids_of(tokenizer, text: str) -> list[int]:
    ids = tokenizer(text.split(), is_split_into_words=True)["input_ids"]
    return ids[1:] if len(ids) > 1 and ids[0] == tokenizer.bos_token_id else ids


def folder_for(name: str) -> Path:
    folder = HERE / name
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    return folder


def make_llava() -> list[dict]:
    folder = folder_for("llava")
    tokenizer = llama_tokenizer(folder, ["<image>", "<pad>"])
    vision = dict(hidden_size=24, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=336, patch_size=14)
    config = hf.LlavaConfig(
        vision_config=hf.CLIPVisionConfig(**vision), text_config=hf.LlamaConfig(**TEXT), image_token_index=WORDS,
        vision_feature_layer=-2, vision_feature_select_strategy="default", image_seq_length=576,
    )  # fmt: skip
    config._attn_implementation = "eager"
    model = randomized(hf.LlavaForConditionalGeneration(config), 1)
    encoder = LlavaEncoder(model)
    example = torch.zeros(1, 3, 336, 336)
    batch = {0: "b"}
    export(encoder, (example,), folder / "onnx/vision_encoder.onnx", ["pixel_values"], "image_features", {"pixel_values": batch})
    export_embedding(model, folder)
    export_stub_decoder(folder / "onnx/decoder_model_merged.onnx")
    write(
        {
            "architectures": ["LlavaForConditionalGeneration"], "model_type": "llava", "image_token_index": WORDS,
            "vision_feature_layer": -2, "vision_feature_select_strategy": "default",
            "vision_config": {"model_type": "clip_vision_model", **vision},
            "text_config": {"model_type": "llama", **TEXT, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": WORDS + 1},
        },
        folder / "config.json",
    )  # fmt: skip
    size = {"height": 336, "width": 336}
    common = dict(do_resize=True, do_rescale=True, do_normalize=True, do_convert_rgb=True, rescale_factor=1 / 255, resample=3)
    statistics = dict(image_mean=MEAN, image_std=SPREAD)
    crop = dict(do_center_crop=True, crop_size=size, size={"shortest_edge": 336})
    write(dict(image_processor_type="CLIPImageProcessor", processor_class="LlavaProcessor", **common, **statistics, **crop), folder / "preprocessor_config.json")
    write(dict(processor_class="LlavaProcessor", image_token="<image>", patch_size=14, num_additional_image_tokens=1, vision_feature_select_strategy="default"), folder / "processor_config.json")
    write(dict(bos_token_id=1, eos_token_id=2, pad_token_id=WORDS + 1, do_sample=False), folder / "generation_config.json")

    cases = []
    for at, question in enumerate(QUESTIONS):
        # Every other picture is wide and comes padded to a square with black, as LLaVA-1.5 does with the mean colour.
        wide = at % 2 == 1
        pixels = np.zeros((336, 336, 3), np.uint8)
        if wide:
            pixels[42:294] = picture(336, 252)
        else:
            pixels = picture(336, 336)
        values = torch.from_numpy(normalized(pixels).transpose(2, 0, 1)[None].copy())
        before = encoder.tower(values, output_hidden_states=True).hidden_states[-2]
        after = encoder(values)
        excluded = official_padding((336, 252)) if wide else []
        core = core_for(tokenizer, model, 64, 0.02)
        _, picks = core.apply_selection(after, before, None, question, padding_patch_indices=[excluded] if wide else None)
        ids = ids_of(tokenizer, core.text_processor.extract_keywords_simple(question))
        gap = smallest_gap(core, model.get_input_embeddings()(torch.tensor(ids)), after[0], before[0, 1:], excluded)
        cases.append(dict(model="llava", question=question, wide=wide, tokens=64, ids=ids, picks=picks[0], gap=gap))
    return cases


def make_qwen() -> list[dict]:
    folder = folder_for("qwen2_5_vl")
    special = "<|endoftext|> <|im_start|> <|im_end|> <|vision_start|> <|vision_end|> <|vision_pad|> <|image_pad|> <|video_pad|>".split()
    tokenizer = qwen_tokenizer(folder, special)
    at = {word: WORDS + number for number, word in enumerate(special)}
    ids = dict(image_token_id=at["<|image_pad|>"], video_token_id=at["<|video_pad|>"], vision_start_token_id=at["<|vision_start|>"], vision_end_token_id=at["<|vision_end|>"])
    vision = dict(
        depth=2, hidden_size=32, out_hidden_size=HIDDEN, intermediate_size=48, num_heads=2, patch_size=14, spatial_merge_size=2,
        temporal_patch_size=2, in_channels=3, window_size=112, fullatt_block_indexes=[1],
    )  # fmt: skip
    scaling = {"type": "mrope", "mrope_section": [2, 3, 3]}
    config = hf.Qwen2_5_VLConfig(vision_config=vision, text_config={**TEXT, "rope_scaling": scaling}, **ids)
    config._attn_implementation = "eager"
    model = randomized(hf.Qwen2_5_VLForConditionalGeneration(config), 2)
    visual = model.model.visual
    encoder = QwenEncoder(visual)
    height, width = 168, 252
    grid = torch.tensor([[1, height // 14, width // 14]])
    values = torch.from_numpy(flattened(normalized(picture(width, height))))
    axes = {"pixel_values": {0: "patches"}, "image_grid_thw": {0: "images"}}
    export(encoder, (values, grid), folder / "onnx/vision_encoder.onnx", ["pixel_values", "image_grid_thw"], "image_features", axes)
    export_embedding(model, folder)
    export_stub_decoder(folder / "onnx/decoder_model_merged.onnx")
    write(
        {
            "architectures": ["Qwen2_5_VLForConditionalGeneration"], "model_type": "qwen2_5_vl", **ids,
            "text_config": {"model_type": "qwen2_5_vl_text", **TEXT, "rope_scaling": scaling}, "vision_config": {"model_type": "qwen2_5_vl", **vision},
            "bos_token_id": at["<|endoftext|>"], "eos_token_id": at["<|im_end|>"], "pad_token_id": at["<|endoftext|>"],
        },
        folder / "config.json",
    )  # fmt: skip
    write(
        dict(
            image_processor_type="Qwen2VLImageProcessor", processor_class="Qwen2_5_VLProcessor", min_pixels=3136,
            max_pixels=28 * 28 * 60, patch_size=14, temporal_patch_size=2, merge_size=2, image_mean=MEAN, image_std=SPREAD,
            do_resize=True, do_rescale=True, do_normalize=True, do_convert_rgb=True, rescale_factor=1 / 255, resample=3,
        ),
        folder / "preprocessor_config.json",
    )  # fmt: skip
    write(dict(bos_token_id=at["<|endoftext|>"], eos_token_id=at["<|im_end|>"], pad_token_id=at["<|endoftext|>"], do_sample=False), folder / "generation_config.json")

    embeds, features = official_vision(visual, values, grid)
    difference = float((embeds - encoder(values, grid)).abs().max())
    assert difference < 1e-4, f"the traced encoder differs from the official one by {difference}"
    cases = []
    count = embeds.shape[0]
    for question in QUESTIONS:
        core = core_for(tokenizer, model, int(0.2 * count), 0.01)
        picks, _ = core.apply_selection_preprocess_qwen(embeds, features, question, target_vision_tokens=int(0.2 * count))
        words = ids_of(tokenizer, f"Question: {question}")
        gap = smallest_gap(core, model.get_input_embeddings()(torch.tensor(words)), embeds, features, [])
        cases.append(dict(model="qwen2_5_vl", question=question, wide=True, tokens=int(0.2 * count), ids=words, picks=picks, gap=gap))
    return cases


def official_vision(visual, values, grid):
    """Projected tokens and mean patches by the official forward pass of the visual tower."""
    spec = importlib.util.spec_from_file_location("official_vision", CHECKOUT / "mmtok/qwen/modeling_qwen2_5_vl_mmtok.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # Newer transformers call what this reads by other names.
    visual.gradient_checkpointing = False
    with torch.no_grad():
        return module.Qwen2_5_VisionTransformerPretrainedModel_MMTok.forward(visual, values, grid)


def flattened(pixels: np.ndarray) -> np.ndarray:
    """Pixels `[H, W, 3]` as Qwen's processor gives them: a row per patch, four patches of a token together, two equal frames."""
    height, width, _ = pixels.shape
    frames = np.stack([pixels.transpose(2, 0, 1)] * 2)[None]
    blocks = frames.reshape(1, 2, 3, height // 28, 2, 14, width // 28, 2, 14).transpose(0, 3, 6, 4, 7, 2, 1, 5, 8)
    return np.ascontiguousarray(blocks.reshape(-1, 3 * 2 * 14 * 14))


def export_embedding(model, folder: Path) -> None:
    axes = {"input_ids": {0: "b", 1: "s"}, "inputs_embeds": {0: "b", 1: "s"}}
    table = Embedding(model.get_input_embeddings())
    export(table, (torch.ones(2, 5, dtype=torch.int64),), folder / "onnx/embed_tokens.onnx", ["input_ids"], "inputs_embeds", axes)


if __name__ == "__main__":
    torch.set_num_threads(1)
    cases = [*make_llava(), *make_qwen()]
    unclear = [case for case in cases if case["gap"] < CLEAR]
    assert not unclear, f"too close to call: {[(c['model'], c['question'], c['gap']) for c in unclear]}"
    write(cases, HERE / "picks.json")
    print(f"{len(cases)} cases, smallest gap {min(case['gap'] for case in cases):.1e}")
