"""Shared by the training stages: device, learning rates, batches, updates, and a log on standard output and in a file."""

import dataclasses
import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

MakeBatch = Callable[[np.random.Generator, int], Any]


class Training:
    """One run. All random numbers derive from its seed, and everything it prints is also written to `log.jsonl`."""

    def __init__(self, folder: Path, seed: int, device: str = "cpu", bfloat16: bool = True, workers: int = 0):
        self.folder, self.seed, self.workers = folder, seed, workers
        self.device, self.bfloat16 = torch.device(device), bfloat16
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(seed)
        self._began = time.perf_counter()
        self._at: dict = {}

    def steps(self, stage: str, count: int, optimiser, peak: float, warmup: int, make: MakeBatch) -> Iterator[tuple[int, Any]]:
        """Yields each step with its batch, and sets the learning rate: linear warm-up, then a cosine to almost zero.

        `make(rng, step)` gets separate random numbers for each batch, so that a batch does not depend on the worker.
        """
        batches = _Batches(make, self.seed, count)
        loader = DataLoader(batches, batch_size=None, num_workers=self.workers, collate_fn=_as_it_is)
        for step, batch in enumerate(loader):
            rate = peak * min(1, (step + 1) / warmup) * (0.5 + 0.5 * math.cos(math.pi * step / count)) + peak / 100
            for group in optimiser.param_groups:
                group["lr"] = rate
            self._at = {"stage": stage, "step": step + 1, "of": count}
            yield step, self.to(batch)

    def precision(self):
        """Matrix products in bfloat16, twice as fast on processors that support it. Weights stay in float32."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)

    def update(self, optimiser, parameters: list[nn.Parameter], loss: torch.Tensor) -> None:
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()

    def reports(self, step: int) -> bool:
        """Whether to log: a dozen times in a long stage, and at the end of every stage."""
        return (step + 1) % max(100, self._at["of"] // 12) == 0 or step + 1 == self._at["of"]

    def log(self, **values: float) -> None:
        entry = {**self._at, "seconds": round(time.perf_counter() - self._began), **_rounded(values)}
        print(" ".join(f"{key}={value}" for key, value in entry.items()), flush=True)
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def to(self, value):
        """Moves a tensor, or a tuple or dataclass of tensors, to the device. Numbers are returned unchanged."""
        if isinstance(value, int):
            return value
        if isinstance(value, torch.Tensor):
            return value.to(self.device)
        if isinstance(value, tuple):
            return tuple(map(self.to, value))
        return type(value)(**{f.name: self.to(getattr(value, f.name)) for f in dataclasses.fields(value)})


def _as_it_is(batch):
    return batch


class _Batches(Dataset):
    """The batches of a stage, each created on access."""

    def __init__(self, make: MakeBatch, seed: int, count: int):
        self.make, self.seed, self.count = make, seed, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, step: int):
        if step >= self.count:
            raise IndexError(step)
        return self.make(np.random.default_rng([self.seed, step]), step)


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()}
