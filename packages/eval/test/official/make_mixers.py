"""Runs layers of transformers on small dimensions, for src/speed/mixers.test.ts.

    pip install torch transformers    # made with torch 2.13 and transformers 5.24
    python make_mixers.py > mixers-golden.json

The file has, for each layer, its dimensions, weights, a prompt with the layer's output, and one more token with its output.
"""

import json
import sys

import torch
from transformers import Lfm2Config
from transformers.cache_utils import DynamicCache
from transformers.models.lfm2.modeling_lfm2 import Lfm2ShortConv
from transformers.models.qwen3_5.configuration_qwen3_5 import Qwen3_5TextConfig
from transformers.models.qwen3_5.modeling_qwen3_5 import Qwen3_5GatedDeltaNet

HIDDEN = 8
PROMPT = 70  # More than a chunk of the chunked form, which has 64 tokens.


def numbers(tensor):
    return [float(f"{value:.7g}") for value in tensor.detach().flatten().tolist()]


def record(layer, config, weights):
    """The layer's output for a prompt, and for one more token after it."""
    cache = DynamicCache(config=config)
    tokens = torch.randn(1, PROMPT + 1, HIDDEN)
    with torch.no_grad():
        prompt = layer(tokens[:, :PROMPT], cache=cache)
        step = layer(tokens[:, PROMPT:], cache=cache)
    return {
        "weights": {name: numbers(value) for name, value in weights.items()},
        "tokens": numbers(tokens),
        "prompt": numbers(prompt),
        "step": numbers(step),
    }


def delta_net(value_heads):
    config = Qwen3_5TextConfig(
        vocab_size=16,
        hidden_size=HIDDEN,
        num_hidden_layers=4,
        linear_num_key_heads=2,
        linear_num_value_heads=value_heads,
        linear_key_head_dim=4,
        linear_value_head_dim=3,
        rms_norm_eps=1e-5,  # of every norm in sketch.ts
    )
    layer = Qwen3_5GatedDeltaNet(config, 0).eval()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.5)
        layer.norm.weight.add_(1)
    weights = {
        "qkv": layer.in_proj_qkv.weight.T,
        "z": layer.in_proj_z.weight.T,
        "a": layer.in_proj_a.weight.T,
        "b": layer.in_proj_b.weight.T,
        "conv": layer.conv1d.weight,
        "a.bias": layer.dt_bias,
        "rates": layer.A_log.exp(),
        "norm": layer.norm.weight,
        "o": layer.out_proj.weight.T,
    }
    return record(layer, config, weights)


def short_conv():
    config = Lfm2Config(
        vocab_size=16, hidden_size=HIDDEN, num_hidden_layers=2, num_attention_heads=2, layer_types=["conv", "full_attention"]
    )
    layer = Lfm2ShortConv(config, 0).eval()
    weights = {"in": layer.in_proj.weight.T, "conv": layer.conv.weight, "out": layer.out_proj.weight.T}
    return record(layer, config, weights)


torch.manual_seed(0)
json.dump({"deltaNet": delta_net(2), "sharedKeys": delta_net(4), "shortConv": short_conv()}, sys.stdout)
