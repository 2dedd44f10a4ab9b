"""The command line: `python -m tiny_vlm train | evaluate | export | questions | samples`."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import torch

from .check import compare_precisions
from .config import PRESETS, quick
from .dataset import SPLITS
from .export import PRECISIONS, export_model, keep_precisions
from .question_sets import write_question_set, write_samples
from .train import evaluate, load, pictures_of, train


def main() -> None:
    arguments = _parser().parse_args()
    if hasattr(arguments, "threads"):
        torch.set_num_threads(arguments.threads)
    arguments.run(arguments)


def _train(a: argparse.Namespace) -> None:
    train(_config(a), a.out, a.seed, a.device, not a.float32, a.workers, a.tower)


def _evaluate(a: argparse.Namespace) -> None:
    runs = [evaluate(_config(a), run, a.split, a.scenes) for run in a.runs]
    print(json.dumps(dict(zip(map(str, a.runs), runs, strict=True)), indent=2))


def _export(a: argparse.Namespace) -> None:
    config = _config(a)
    export_model(config, load(config, a.run_folder), a.out, default=a.precisions[0])
    agreement = compare_precisions(config, a.out, pictures_of(config, "validation", a.scenes))
    print(json.dumps({name: asdict(value) for name, value in agreement.items()}, indent=2))
    keep_precisions(a.out, a.precisions)


def _questions(a: argparse.Namespace) -> None:
    write_question_set(PRESETS[a.preset], a.out, a.split, a.scenes, a.per_kind)


def _samples(a: argparse.Namespace) -> None:
    write_samples(PRESETS[a.preset], a.out, a.model, a.precision, a.scenes)


def _config(a: argparse.Namespace):
    config = PRESETS[a.preset]
    return quick(config) if a.quick else config


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tiny_vlm", description=__doc__)
    commands = parser.add_subparsers(required=True)

    command = _command(commands, "train", _train, "train a model from scratch")
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--out", type=Path, required=True, help="the run's folder; a stopped run resumes from here")
    command.add_argument("--device", default="cpu", help="as PyTorch names it, e.g. cuda")
    command.add_argument("--workers", type=int, default=0, help="processes that draw batches in advance; a GPU needs several")
    command.add_argument("--tower", type=Path, help="an exported model whose vision tower is used in place of stage 1")
    command.add_argument("--float32", action="store_true", help="no bfloat16, for processors on which it is slow")

    command = _command(commands, "evaluate", _evaluate, "accuracy of finished runs by kind of question")
    command.add_argument("runs", type=Path, nargs="+")
    command.add_argument("--split", choices=SPLITS, default="validation")
    command.add_argument("--scenes", type=int, default=500)

    command = _command(commands, "export", _export, "write a finished run for transformers.js and compare its precisions")
    command.add_argument("run_folder", type=Path, metavar="run")
    command.add_argument("--out", type=Path, required=True)
    command.add_argument("--scenes", type=int, default=60, help="validation scenes for the comparison of all precisions")
    command.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=list(PRECISIONS), help="those to keep")

    command = commands.add_parser("questions", help="write a question set for the TypeScript package")
    command.set_defaults(run=_questions)
    command.add_argument("--preset", choices=PRESETS, default="base")
    command.add_argument("--split", choices=SPLITS, default="held-out")
    command.add_argument("--scenes", type=int, default=1000)
    command.add_argument("--per-kind", type=int, default=200)
    command.add_argument("--out", type=Path, required=True)

    command = commands.add_parser("samples", help="write images with questions that an exported model answers correctly")
    command.set_defaults(run=_samples)
    command.add_argument("--preset", choices=PRESETS, default="base")
    command.add_argument("--model", type=Path, required=True, help="the exported model's folder")
    command.add_argument("--precision", choices=PRECISIONS, default="fp32", help="which of its files to ask")
    command.add_argument("--scenes", type=int, default=6)
    command.add_argument("--out", type=Path, required=True)
    return parser


def _command(commands, name: str, run, description: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=description)
    command.set_defaults(run=run)
    command.add_argument("--preset", choices=PRESETS, default="base")
    command.add_argument("--quick", action="store_true", help="a two-minute run to check that everything works")
    command.add_argument("--threads", type=int, default=torch.get_num_threads())
    return command


if __name__ == "__main__":
    main()
