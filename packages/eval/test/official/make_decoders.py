"""Runs small decoders and a vision tower of transformers, for src/speed/decoder.test.ts and src/speed/encoder.test.ts.

    pip install torch transformers    # made with torch 2.13 and transformers 5.24
    python make_decoders.py > decoders-golden.json

The file has, for each decoder, its weights under the names of the graphs in src/speed, the embeddings of a prompt and of one more token,
and the logits after both. For the tower of GLM-OCR, it has weights, patches, and tokens. Weights, embeddings, and patches are multiples
of 1/16 and are stored in sixteenths, which keeps the file short.
"""

import json
import sys

import torch
from transformers import PhiConfig, PhiForCausalLM, Qwen3Config, Qwen3ForCausalLM
from transformers.cache_utils import DynamicCache
from transformers.models.glm_ocr.configuration_glm_ocr import GlmOcrTextConfig, GlmOcrVisionConfig
from transformers.models.glm_ocr.modeling_glm_ocr import GlmOcrTextModel, GlmOcrVisionModel

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


def halves_first(name, layer, heads):
    """A projection to heads whose rotary pairs are neighbors, with the first numbers of all pairs before the second ones."""
    weight = layer.weight.view(heads, -1, 2, HIDDEN).transpose(1, 2).reshape(-1, HIDDEN)
    return {f"{name}.weight": weight.T}


def glm_ocr_layer(name, layer):
    attention, mlp = layer.self_attn, layer.mlp
    gate, up = mlp.gate_up_proj.weight.chunk(2)
    return {
        **norm(f"{name}.attention.norm", layer.input_layernorm),
        **halves_first(f"{name}.attention.q", attention.q_proj, 2),
        **halves_first(f"{name}.attention.k", attention.k_proj, 1),
        **linear(f"{name}.attention.v", attention.v_proj),
        **linear(f"{name}.attention.o", attention.o_proj),
        **norm(f"{name}.attention.post.norm", layer.post_self_attn_layernorm),
        **norm(f"{name}.mlp.norm", layer.post_attention_layernorm),
        f"{name}.mlp.gate.weight": gate.T,
        f"{name}.mlp.up.weight": up.T,
        **linear(f"{name}.mlp.down", mlp.down_proj),
        **norm(f"{name}.mlp.post.norm", layer.post_mlp_layernorm),
    }


def decoder(body, head, final, layer_weights):
    for module in (body, head):
        draw_weights(module.eval())
    weights = {**norm("norm", final), **linear("head", head)}
    for at, layer in enumerate(body.layers):
        weights.update(layer_weights(f"layers.{at}", layer))
    embeddings = torch.round(torch.randn(1, PROMPT + 1, HIDDEN) * 16) / 16
    with torch.no_grad():
        cache = DynamicCache(config=body.config)
        prompt = head(body(inputs_embeds=embeddings[:, :PROMPT], cache=cache).last_hidden_state[0, -1])
        step = head(body(inputs_embeds=embeddings[:, PROMPT:], cache=cache).last_hidden_state[0, -1])
    return {
        "weights": {name: sixteenths(value) for name, value in weights.items()},
        "embeddings": sixteenths(embeddings),
        "prompt": numbers(prompt),
        "step": numbers(step),
    }


def phi():
    rotary = {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 1.0}
    model = PhiForCausalLM(PhiConfig(**SIZES, layer_norm_eps=1e-5, rope_parameters=rotary))
    return decoder(model.model, model.lm_head, model.model.final_layernorm, phi_layer)


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
    return decoder(model.model, model.lm_head, model.model.norm, qwen3_layer)


def glm_ocr():
    rotary = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}
    config = GlmOcrTextConfig(
        **{**SIZES, "hidden_act": "silu"}, num_key_value_heads=1, head_dim=16, rms_norm_eps=1e-5, rope_parameters=rotary
    )
    body = GlmOcrTextModel(config)
    return decoder(body, torch.nn.Linear(HIDDEN, SIZES["vocab_size"], bias=False), body.norm, glm_ocr_layer)


def glm_ocr_tower():
    """Without rotary embeddings. Eight patches in four rows become two tokens."""
    config = GlmOcrVisionConfig(
        depth=2, hidden_size=16, num_heads=2, patch_size=2, out_hidden_size=12, intermediate_size=24, rms_norm_eps=1e-5
    )
    tower = GlmOcrVisionModel(config).eval()
    draw_weights(tower)
    tower.rotary_pos_emb.forward = lambda states, positions: (torch.ones(8, 8), torch.zeros(8, 8))
    weights = {
        "embed.weight": tower.patch_embed.proj.weight.flatten(1).T,
        "embed.bias": tower.patch_embed.proj.bias,
        **norm("post.norm", tower.post_layernorm),
        # Patches are concatenated one after the other.
        "projector.0.weight": tower.downsample.weight.permute(2, 3, 1, 0).flatten(0, 2),
        "projector.0.bias": tower.downsample.bias,
        **linear("merger.in", tower.merger.proj),
        **norm("merger.norm", tower.merger.post_projection_norm),
        **linear("merger.gate", tower.merger.gate_proj),
        **linear("merger.up", tower.merger.up_proj),
        **linear("merger.down", tower.merger.down_proj),
    }
    for at, block in enumerate(tower.blocks):
        name = f"layers.{at}"
        for kind, weight, bias in zip("qkv", block.attn.qkv.weight.chunk(3), block.attn.qkv.bias.chunk(3)):
            weights[f"{name}.attention.{kind}.weight"] = weight.T
            weights[f"{name}.attention.{kind}.bias"] = bias
        weights.update(
            {
                **norm(f"{name}.attention.norm", block.norm1),
                **norm(f"{name}.attention.q.norm", block.attn.q_norm),
                **norm(f"{name}.attention.k.norm", block.attn.k_norm),
                **linear(f"{name}.attention.o", block.attn.proj),
                **norm(f"{name}.mlp.norm", block.norm2),
                **linear(f"{name}.mlp.gate", block.mlp.gate_proj),
                **linear(f"{name}.mlp.up", block.mlp.up_proj),
                **linear(f"{name}.mlp.down", block.mlp.down_proj),
            }
        )
    patches = torch.round(torch.randn(8, 24) * 16) / 16
    with torch.no_grad():
        tokens = tower(patches, grid_thw=torch.tensor([[1, 4, 2]])).pooler_output
    return {
        "weights": {name: sixteenths(value) for name, value in weights.items()},
        "patches": sixteenths(patches),
        "tokens": numbers(tokens),
    }


torch.manual_seed(0)
json.dump({"phi": phi(), "qwen3": qwen3(), "glmOcr": glm_ocr(), "glmOcrTower": glm_ocr_tower()}, sys.stdout)
