"""What the training stages share: device, learning rates, batches, updates, a log on standard output and in a file."""

import dataclasses
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn


class Training:
    """One run: everything random comes from its seed, everything it says goes to `log.jsonl` as well."""

    def __init__(self, folder: Path, seed: int, device: str = "cpu", bfloat16: bool = True):
        self.folder, self.device, self.bfloat16 = folder, torch.device(device), bfloat16
        folder.mkdir(parents=True, exist_ok=True)
        self.rng = np.random.default_rng(seed)
        torch.manual_seed(seed)
        self._began = time.perf_counter()
        self._at: dict = {}

    def batches(self, count: int, size: int) -> Iterator[np.ndarray]:
        """Endless batches of row numbers; every row once before any comes again."""
        while True:
            order = self.rng.permutation(count)
            for start in range(0, count - size + 1, size):
                yield order[start : start + size]

    def steps(self, stage: str, count: int, optimiser, peak: float, warmup: int) -> Iterator[int]:
        """Counts steps and sets the learning rate of each: linear warm-up, then a cosine down to nearly nothing."""
        for step in range(count):
            rate = peak * min(1, (step + 1) / warmup) * (0.5 + 0.5 * math.cos(math.pi * step / count)) + peak / 100
            for group in optimiser.param_groups:
                group["lr"] = rate
            self._at = {"stage": stage, "step": step + 1, "of": count}
            yield step

    def precision(self):
        """Matrix products in bfloat16: twice as fast where the processor has it. Weights stay in float32."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)

    def update(self, optimiser, parameters: list[nn.Parameter], loss: torch.Tensor) -> None:
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()

    def reports(self, step: int, every: int) -> bool:
        return (step + 1) % every == 0 or step + 1 == self._at["of"]

    def log(self, **values: float) -> None:
        entry = {**self._at, "seconds": round(time.perf_counter() - self._began), **_rounded(values)}
        print(" ".join(f"{key}={value}" for key, value in entry.items()), flush=True)
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def to(self, value):
        """A tensor, or a dataclass of tensors, on the device."""
        if isinstance(value, torch.Tensor):
            return value.to(self.device)
        return type(value)(**{f.name: getattr(value, f.name).to(self.device) for f in dataclasses.fields(value)})


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()}
