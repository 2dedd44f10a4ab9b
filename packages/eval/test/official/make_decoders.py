"""Runs small decoders and a projector of transformers, for src/speed/decoder.test.ts and src/speed/encoder.test.ts.

    pip install torch transformers    # made with torch 2.13 and transformers 5.24
    python make_decoders.py > decoders-golden.json

The file has, for each decoder, its weights under the names of the graphs in src/speed, the embeddings of a prompt and of one more token,
and the logits after both. For the projector of GLM-OCR, it has weights, tokens, and the output. Weights and embeddings are multiples of
1/16 and are stored in sixteenths, which keeps the file short.
"""

import json
import sys

import torch
from transformers import PhiConfig, PhiForCausalLM, Qwen3Config, Qwen3ForCausalLM
from transformers.cache_utils import DynamicCache
from transformers.models.glm_ocr.modeling_glm_ocr import GlmOcrVisionPatchMerger

HIDDEN = 32
LAYERS = 2
PROMPT = 9
SIZES = {
    "vocab_size": 10,
    "hidden_size": HIDDEN,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "hidden_act": "gelu_new",
    "tie_word_embeddings": False,
}


def numbers(tensor):
    return [float(f"{value:.7g}") for value in tensor.detach().flatten().tolist()]


def sixteenths(tensor):
    return [int(value) for value in (tensor.detach() * 16).flatten().tolist()]


def draw_weights(module):
    """Random multiples of 1/16: near 1 for norms, near 0 for the rest."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            near = 1 if "norm" in name and name.endswith("weight") else 0
            parameter.copy_(torch.round(near * 16 + torch.randn_like(parameter) * 5) / 16)


def linear(name, layer):
    bias = {} if layer.bias is None else {f"{name}.bias": layer.bias}
    return {f"{name}.weight": layer.weight.T, **bias}


def norm(name, layer):
    bias = getattr(layer, "bias", None)
    return {f"{name}.weight": layer.weight, **({} if bias is None else {f"{name}.bias": bias})}


def phi_layer(name, layer):
    attention, mlp = layer.self_attn, layer.mlp
    return {
        **norm(f"{name}.attention.norm", layer.input_layernorm),
        **linear(f"{name}.attention.q", attention.q_proj),
        **linear(f"{name}.attention.k", attention.k_proj),
        **linear(f"{name}.attention.v", attention.v_proj),
        **linear(f"{name}.attention.o", attention.dense),
        **linear(f"{name}.mlp.up", mlp.fc1),
        **linear(f"{name}.mlp.down", mlp.fc2),
    }


def qwen3_layer(name, layer):
    attention, mlp = layer.self_attn, layer.mlp
    return {
        **norm(f"{name}.attention.norm", layer.input_layernorm),
        **linear(f"{name}.attention.q", attention.q_proj),
        **linear(f"{name}.attention.k", attention.k_proj),
        **linear(f"{name}.attention.v", attention.v_proj),
        **norm(f"{name}.attention.q.norm", attention.q_norm),
        **norm(f"{name}.attention.k.norm", attention.k_norm),
        **linear(f"{name}.attention.o", attention.o_proj),
        **norm(f"{name}.mlp.norm", layer.post_attention_layernorm),
        **linear(f"{name}.mlp.gate", mlp.gate_proj),
        **linear(f"{name}.mlp.up", mlp.up_proj),
        **linear(f"{name}.mlp.down", mlp.down_proj),
    }


def decoder(model, final, layer_weights):
    model.eval()
    draw_weights(model)
    weights = {**norm("norm", final), **linear("head", model.lm_head)}
    for at, layer in enumerate(model.model.layers):
        weights.update(layer_weights(f"layers.{at}", layer))
    embeddings = torch.round(torch.randn(1, PROMPT + 1, HIDDEN) * 16) / 16
    with torch.no_grad():
        cache = DynamicCache(config=model.config)
        prompt = model(inputs_embeds=embeddings[:, :PROMPT], cache=cache)
        step = model(inputs_embeds=embeddings[:, PROMPT:], cache=cache)
    return {
        "weights": {name: sixteenths(value) for name, value in weights.items()},
        "embeddings": sixteenths(embeddings),
        "prompt": numbers(prompt.logits[0, -1]),
        "step": numbers(step.logits[0, -1]),
    }


def phi():
    rotary = {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 1.0}
    model = PhiForCausalLM(PhiConfig(**SIZES, layer_norm_eps=1e-5, rope_parameters=rotary))
    return decoder(model, model.model.final_layernorm, phi_layer)


def qwen3():
    rotary = {"rope_type": "default", "rope_theta": 10000.0}
    config = Qwen3Config(
        **{**SIZES, "hidden_act": "silu"},
        num_key_value_heads=1,
        head_dim=16,
        rms_norm_eps=1e-5,
        rope_parameters=rotary,
        layer_types=["full_attention"] * LAYERS,
    )
    model = Qwen3ForCausalLM(config)
    return decoder(model, model.model.norm, qwen3_layer)


def glm_ocr_merger():
    merger = GlmOcrVisionPatchMerger(dim=8, context_dim=12, hidden_act="silu").eval()
    draw_weights(merger)
    tokens = torch.round(torch.randn(5, 8) * 16) / 16
    weights = {
        **linear("merger.in", merger.proj),
        **norm("merger.norm", merger.post_projection_norm),
        **linear("merger.gate", merger.gate_proj),
        **linear("merger.up", merger.up_proj),
        **linear("merger.down", merger.down_proj),
    }
    with torch.no_grad():
        output = merger(tokens)
    return {
        "weights": {name: sixteenths(value) for name, value in weights.items()},
        "tokens": sixteenths(tokens),
        "output": numbers(output),
    }


torch.manual_seed(0)
json.dump({"phi": phi(), "qwen3": qwen3(), "glmOcrMerger": glm_ocr_merger()}, sys.stdout)
