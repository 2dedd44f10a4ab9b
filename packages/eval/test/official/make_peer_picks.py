"""Golden data: which tokens the public code of other methods keeps of seeded features.

The features are those of `syntheticFeatures` and `syntheticText` in packages/core/src/testing, drawn here once more. Functions that
sit in files which need LLaVA are taken out of their files by name and run as they are.

  python make_peer_picks.py FOLDER

FOLDER holds checkouts: divprune (vbdi/divprune, 799e2d9), CDPruner (Theia-4869/CDPruner), VisPruner (Theia-4869/VisPruner), SCOPE
(kinredon/SCOPE), OTPrune (xiwenc1/OTPrune), PruneSID (ZhengyaoFang/PruneSID, 4ef17d9) and AngelSlim (Tencent/AngelSlim). Needs
torch. Writes `peer-picks.json` beside this file.
"""

import ast
import importlib.util
import json
import math
import os
import sys
import types
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F

HERE = Path(__file__).parent
FOLDER = Path(sys.argv[1])

CASES = [
    dict(height=12, width=12, dim=32, clusters=5, noise=0.5, common=0.6, textTokens=3, tokens=16, seed=7100),
    dict(height=16, width=16, dim=48, clusters=6, noise=0.6, common=0.4, textTokens=5, tokens=32, seed=7200),
    dict(height=24, width=24, dim=64, clusters=8, noise=0.7, common=0.5, textTokens=6, tokens=64, seed=7300),
]


def mulberry32(seed: int):
    state = seed & 0xFFFFFFFF

    def draw() -> float:
        nonlocal state
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        t = state
        t = ((t ^ (t >> 15)) * (t | 1)) & 0xFFFFFFFF
        t ^= (t + (((t ^ (t >> 7)) * (t | 61)) & 0xFFFFFFFF)) & 0xFFFFFFFF
        return ((t ^ (t >> 14)) & 0xFFFFFFFF) / 2**32

    return draw


def features(case: dict, dim: int, seed: int) -> torch.Tensor:
    draw = mulberry32(seed)
    normal = lambda: draw() + draw() + draw() + draw() - 2
    mean = [case["common"] * normal() for _ in range(dim)]
    centers = [(draw() * case["height"], draw() * case["width"], (1 + 5 * draw()) ** 2) for _ in range(case["clusters"])]
    bases = [[normal() for _ in range(dim)] for _ in centers]
    rows = []
    for at in range(case["height"] * case["width"]):
        y, x = divmod(at, case["width"])
        near = [1 / (1 + ((y - cy) ** 2 + (x - cx) ** 2) / spread) for cy, cx, spread in centers]
        total = sum(near)
        rows.append([mean[k] + sum(c / total * base[k] for c, base in zip(near, bases)) + case["noise"] * normal() for k in range(dim)])
    return torch.tensor(np.array(rows, np.float64).astype(np.float32))


def text_of(vision: torch.Tensor, count: int, seed: int) -> torch.Tensor:
    draw = mulberry32(seed)
    normal = lambda: draw() + draw() + draw() + draw() - 2
    rows = []
    for _ in range(count):
        row = vision[int(draw() * len(vision))].double().tolist()
        rows.append([normal() + 0.3 * value for value in row])
    return torch.tensor(np.array(rows).astype(np.float32))


def taken(path: str, *names: str, within: str | None = None, **scope) -> dict:
    """Functions of a file or of a class in it, by name."""
    tree = ast.parse((FOLDER / path).read_text())
    known = {"torch": torch, "F": F, "np": np, "math": math, "os": os, **scope}
    if within is not None:
        known = taken(path, *names, **scope)
        tree = next(node for node in tree.body if getattr(node, "name", "") == within)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in names:
            node.decorator_list = []
            module = ast.Module([node], [])
            exec(compile(ast.fix_missing_locations(module), path, "exec"), known)
    return known


# The class that the LLaVA forks change.
LLAVA = "LlavaMetaForCausalLM"


def divprune(vision, text, saliency, k):
    code = taken("divprune/LLaVA/llava/model/llava_arch.py", "DivPrune", "pairwise_cosine_similarity", within=LLAVA)
    this = SimpleNamespace(pairwise_cosine_similarity=lambda x: code["pairwise_cosine_similarity"](None, x))
    return code["DivPrune"](this, vision, len(vision), threshold_ratio=k / len(vision))[0]


def masks(code, tower, **members):
    """What an `encode_images` keeps, of a model that gives these features."""
    this = SimpleNamespace(get_model=lambda: SimpleNamespace(get_vision_tower=lambda: tower, mm_projector=lambda x: x), **members)
    return code["encode_images"](this, None)[1][0].nonzero()[:, 0]


def cdpruner(vision, text, saliency, k):
    code = taken("CDPruner/llava/model/llava_arch.py", "encode_images", within=LLAVA)
    return masks(code, lambda images, texts=None: (vision[None], vision[None], text), visual_token_num=k)


def vispruner(vision, text, saliency, k):
    code = taken("VisPruner/llava/model/llava_arch.py", "encode_images", within=LLAVA)
    tower = lambda images, output_attentions: (vision[None], saliency[None, None])
    return masks(code, tower, get_visual_token_num=lambda: k, get_important_ratio=lambda: 0.5)


def scope(vision, text, saliency, k):
    return taken("SCOPE/scope/clip_encoder.py", "SCOPE")["SCOPE"](vision[None], k, saliency[None])[0][0]


def otprune(vision, text, saliency, k):
    code = taken("OTPrune/LLaVA/llava/model/llava_arch.py", "OTPrune", "greedy_select", within=LLAVA)
    return torch.as_tensor(code["OTPrune"](None, vision, len(vision), None, threshold_ratio=k / len(vision))[0])


def exact_pca(x, q):
    """`torch.pca_lowrank` draws at random; this is what it approximates."""
    u, s, v = torch.linalg.svd((x - x.mean(0)).double(), full_matrices=False)
    return u[:, :q].float(), s[:q].float(), v.T[:, :q].float()


def prunesid(vision, text, saliency, k):
    path = "PruneSID/prunesid/prunesid_qwen/modeling_qwen2_vl.py"
    own = types.SimpleNamespace(**{name: getattr(torch, name) for name in dir(torch)})
    own.pca_lowrank = exact_pca
    tower = "Qwen2VisionTransformerPretrainedModel_prunesid"
    code = taken(path, "pca_group", "nms", "forward", within=tower, torch=own)
    same = lambda x, *rest: x
    this = SimpleNamespace(patch_embed=same, rot_pos_emb=same, blocks=[], merger=same, need_token_num=k * 576 / len(vision))
    return code["forward"](this, vision.clone(), torch.tensor([[1, 1, len(vision)]]))[1]


def mmr_norm(vision, text, saliency, k):
    """The selection of IDPruner, with the length of a token's row in place of the trained scorer."""
    base = "AngelSlim/angelslim/compressor/token_compressor/algorithm"
    names = ["compressor", "compressor.base", "compressor.algorithm", "compressor.algorithm.utils"]
    for name in names:
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = []
    context = types.ModuleType("compressor.base.context")
    context.PruningContext = object
    utils = types.ModuleType("compressor.algorithm.utils.utils")
    utils._extract_and_validate_vision_token_info = lambda _: (torch.arange(len(vision)), torch.tensor([], dtype=torch.long), None, None)
    utils.resolve_num_tokens_to_keep = lambda ratio, count: k
    scorer = types.ModuleType("compressor.algorithm.utils.vision_selector_utils")
    scorer.get_universal_selector_scores = lambda **given: given["vision_hidden"].norm(dim=-1)
    for module in (context, utils, scorer):
        sys.modules[module.__name__] = module
    spec = importlib.util.spec_from_file_location("compressor.algorithm.idpruner", FOLDER / base / "idpruner.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    given = SimpleNamespace(input_ids=torch.zeros(1, len(vision), dtype=torch.long), inputs_embeds=vision[None])
    return module.idpruner(given, ratio=0.5, selector_path="")[0].nonzero()[:, 0]


METHODS = {
    "divprune": divprune,
    "cdpruner": cdpruner,
    "vispruner": vispruner,
    "scope": scope,
    "otprune": otprune,
    "prunesid": prunesid,
    "mmr-norm": mmr_norm,
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    picks = []
    for case in CASES:
        vision = features(case, case["dim"], case["seed"])
        text = text_of(vision, case["textTokens"], case["seed"] + 1)
        saliency = features(case, 1, case["seed"] + 2)[:, 0].abs()
        kept = {}
        for name, method in METHODS.items():
            chosen = sorted(method(vision, text, saliency, case["tokens"]).tolist())
            assert len(set(chosen)) == case["tokens"], f"{name} kept {len(set(chosen))} tokens"
            kept[name] = chosen
        picks.append({**case, "picks": kept})
    (HERE / "peer-picks.json").write_text(json.dumps(picks, indent=2) + "\n")
    print({name: len(picks) for name in METHODS})
