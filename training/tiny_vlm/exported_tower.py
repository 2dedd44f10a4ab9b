"""Reads the vision tower back from an exported model, so that further runs can train a language model on it without stage 1."""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from .config import Config
from .vision import VisionTower

CONVOLUTIONS = ("conv1", "conv2", "conv3", "conv4", "conv5", "conv6")
# In the order in which a block uses them.
MATRICES = ("query", "key", "value", "out", "up", "down")


def read_tower(config: Config, model: Path) -> VisionTower:
    """The tower in `model/onnx/vision_encoder.onnx`, computing the same features; as a checkpoint it can be trained on.

    The exporter keeps the names of biases and norms. It renames matrices, which it transposes, and convolutions,
    into which it folds their batch norms; both stay in the order of their use.
    """
    path = model / "onnx" / "vision_encoder.onnx"
    if not path.exists():
        raise FileNotFoundError(f"{model} holds no full-precision vision tower: there is no {path}")
    graph = onnx.load(path).graph
    stored = {one.name: torch.from_numpy(np.array(numpy_helper.to_array(one))) for one in graph.initializer}
    used = {kind: _parameters(graph, stored, kind) for kind in ("Conv", "MatMul")}
    tower = VisionTower(config)
    state = {name: stored.get(f"tower.{name}", value) for name, value in tower.state_dict().items()}
    for name, (weight, bias) in zip(CONVOLUTIONS, used["Conv"], strict=True):
        state[f"{name}.0.weight"], state[f"{name}.1.bias"] = weight, bias
        # Batch norms that do nothing but add the bias.
        norm = getattr(tower, name)[1]
        state[f"{name}.1.running_var"] = torch.full_like(bias, 1 - norm.eps)
    # The projector's two come last.
    names = [f"blocks.{block}.{matrix}.weight" for block in range(config.vision_layers) for matrix in MATRICES]
    for name, (weight,) in zip(names, used["MatMul"][: len(names)], strict=True):
        state[name] = weight.T.contiguous()
    # Exports join the class token with the positions; older ones have both by name.
    joined = [one for one in stored.values() if one.shape == (1, tower.patches + 1, tower.width)]
    if joined:
        state["class_token"], state["positions"] = joined[0].split((1, tower.patches), 1)
    tower.load_state_dict(state)
    return tower.eval()


def _parameters(graph, stored: dict[str, Tensor], kind: str) -> list[list[Tensor]]:
    """What nodes of a kind read of the stored tensors, node by node in the order of their use; products of activations are not
    among them.
    """
    nodes = [[stored[name] for name in node.input if name in stored] for node in graph.node if node.op_type == kind]
    return [tensors for tensors in nodes if tensors]
