"""Reads the vision tower of an exported model, so that further runs can train a language model on it without stage 1."""

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
    """The tower in `model/onnx/vision_encoder.onnx`. It computes the same features and can be trained further.

    The exporter keeps the names of biases and norms. It transposes and renames matrices, and it folds batch norms into the
    convolutions before them and renames those. Both stay in the order in which the tower uses them.
    Raises `FileNotFoundError` without that file, and `ValueError` naming the tensors that the file lacks.
    """
    path = model / "onnx" / "vision_encoder.onnx"
    if not path.exists():
        raise FileNotFoundError(f"{model} has no full-precision vision tower: {path} does not exist")
    graph = onnx.load(path).graph
    stored = {one.name: torch.from_numpy(np.array(numpy_helper.to_array(one))) for one in graph.initializer}
    used = {kind: _parameters(graph, stored, kind) for kind in ("Conv", "MatMul")}
    tower = VisionTower(config)
    state = {name: stored[f"tower.{name}"] for name in tower.state_dict() if f"tower.{name}" in stored}
    for name, (weight, bias) in zip(CONVOLUTIONS, used["Conv"], strict=True):
        state[f"{name}.0.weight"], state[f"{name}.1.bias"] = weight, bias
        # A batch norm that only adds the bias.
        norm = getattr(tower, name)[1]
        state[f"{name}.1.weight"], state[f"{name}.1.running_mean"] = torch.ones_like(bias), torch.zeros_like(bias)
        state[f"{name}.1.running_var"] = torch.full_like(bias, 1 - norm.eps)
        state[f"{name}.1.num_batches_tracked"] = norm.num_batches_tracked
    # The two of the projector come last.
    names = [f"blocks.{block}.{matrix}.weight" for block in range(config.vision_layers) for matrix in MATRICES]
    for name, (weight,) in zip(names, used["MatMul"][: len(names)], strict=True):
        state[name] = weight.T.contiguous()
    # Exports store the class token and the positions as one tensor; older ones store each under its name.
    joined = [one for one in stored.values() if one.shape == (1, tower.patches + 1, tower.width)]
    if joined:
        state["class_token"], state["positions"] = joined[0].split((1, tower.patches), 1)
    missing = [name for name in tower.state_dict() if name not in state]
    if missing:
        raise ValueError(f"{path} lacks tensors of the vision tower: {', '.join(f'tower.{name}' for name in missing)}")
    tower.load_state_dict(state)
    return tower.eval()


def _parameters(graph, stored: dict[str, Tensor], kind: str) -> list[list[Tensor]]:
    """The stored tensors that each node of a kind reads, in graph order. Nodes that read none, such as products of
    activations, are left out.
    """
    nodes = [[stored[name] for name in node.input if name in stored] for node in graph.node if node.op_type == kind]
    return [tensors for tensors in nodes if tensors]
