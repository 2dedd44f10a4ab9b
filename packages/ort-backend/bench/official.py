"""Times the official selector (github.com/Ironieser/MMTok) on features written by select.mjs.

Not part of the product: started by select.mjs when --official names a checkout. Reads one line per call on standard
input, runs the selector once, prints {"ms", "indices"} as one line.
"""

import importlib.util
import json
import sys
import time
import types

import numpy
import torch

checkout, folder, n, m, visual, language, budget, threads = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
torch.set_num_threads(threads)

# The selector imports a logger it need not have.
sys.modules.setdefault("loguru", types.SimpleNamespace(logger=None))
spec = importlib.util.spec_from_file_location("selector", f"{checkout}/mmtok/core/semantic_selector.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)


def read(name: str, rows: int, columns: int) -> torch.Tensor:
    return torch.from_numpy(numpy.fromfile(f"{folder}/{name}.f32", dtype=numpy.float32).reshape(rows, columns))


vision, features, text = read("vision", n, language), read("visionFeatures", n, visual), read("text", m, language)
selector = module.SemanticTokenSelector(target_vision_tokens=budget, alpha=0.5)
for _ in sys.stdin:
    with torch.no_grad():
        start = time.perf_counter()
        indices, _tokens = selector.mm_coverage_selection(text, vision, features, tv_temp=0.02, vv_temp=0.2)
        print(json.dumps({"ms": (time.perf_counter() - start) * 1000, "indices": indices}), flush=True)
