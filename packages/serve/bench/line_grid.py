"""How much do answers change when kept rows get other positions than they had in the image? Tiny random Qwen2-VL and Qwen2.5-VL
models answer prompts with the kept rows at their positions (preserve), on a line, a column, or a rectangle, which are the grids
that vLLM takes, at text positions (compact), and at their positions in random order (shuffled), to see whether layout matters at all.

pip install torch transformers && python packages/serve/bench/line_grid.py [prompts]
"""

import sys
from math import isqrt

import torch
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
)

PROMPTS = int(sys.argv[1]) if len(sys.argv) > 1 else 48
HIDDEN, LAYERS, HEADS, VOCABULARY = 128, 4, 2, 512
LINES, COLUMNS = 15, 16  # rows of the image after merging: 240, whose shares below all have divisors
BEFORE, AFTER, TOKENS = 6, 16, 8  # text tokens around the image, and greedy tokens
SHARES = (0.5, 0.25, 0.1)
# Standard deviations of the weights. With larger ones, attention heads concentrate on fewer tokens.
SCALES = (0.05, 0.1)


def build(family: str, scale: float):
    """A random model with mRoPE as in the released ones, and a vision encoder of two layers."""
    text = {
        "vocab_size": VOCABULARY,
        "hidden_size": HIDDEN,
        "intermediate_size": 2 * HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "max_position_embeddings": 4096,
        "tie_word_embeddings": False,
        "bos_token_id": None,
        "eos_token_id": None,
        "rope_parameters": {"rope_type": "default", "type": "default", "mrope_section": [8, 12, 12], "rope_theta": 1e6},
    }
    vision = {"depth": 2, "num_heads": 2, "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2}
    torch.manual_seed(7)
    if family == "qwen2_vl":
        vision |= {"embed_dim": 64, "hidden_size": HIDDEN, "mlp_ratio": 2}
        model = Qwen2VLForConditionalGeneration(Qwen2VLConfig(text_config=text, vision_config=vision))
    else:
        vision |= {"hidden_size": 64, "intermediate_size": 128, "out_hidden_size": HIDDEN, "fullatt_block_indexes": [1]}
        model = Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(text_config=text, vision_config=vision))
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.normal_(0, scale)
    return model.float().eval()


def images_of(model, count: int, generator: torch.Generator) -> torch.Tensor:
    """Rows of random images `[count, LINES · COLUMNS, HIDDEN]`, each with the same length as a word's embedding."""
    patches = torch.randn(count * LINES * COLUMNS * 4, 3 * 2 * 14 * 14, generator=generator)
    grid = torch.tensor([[1, 2 * LINES, 2 * COLUMNS]] * count)
    found = model.model.get_image_features(patches, grid).pooler_output
    rows = torch.stack([each.reshape(-1, HIDDEN) for each in found])
    words = model.get_input_embeddings().weight
    return rows / rows.norm(dim=-1, keepdim=True) * words.norm(dim=-1).mean()


def grid_positions(lines: int, columns: int) -> torch.Tensor:
    """Frame, height, and width of the rows of a grid, `[3, lines · columns]`."""
    down, across = torch.arange(lines).repeat_interleave(columns), torch.arange(columns).repeat(lines)
    return torch.stack([torch.zeros_like(down), down, across])


def rectangle(count: int) -> tuple[int, int]:
    """The two factors of `count` that are closest to each other."""
    lines = next(side for side in range(isqrt(count), 0, -1) if count % side == 0)
    return lines, count // lines


def placements(keep: torch.Tensor, generator: torch.Generator) -> dict[str, torch.Tensor]:
    """Positions of the kept rows, `[prompts, 3, k]`, counted from the position of the first one."""
    count = keep.shape[1]
    true = grid_positions(LINES, COLUMNS)[:, keep].transpose(0, 1)
    order = torch.stack([torch.randperm(count, generator=generator) for _ in keep])
    shuffled = true.gather(2, order[:, None].expand(-1, 3, -1))
    fixed = {
        "rectangle": grid_positions(*rectangle(count)),
        "line": grid_positions(1, count),
        "column": grid_positions(count, 1),
        "compact": torch.arange(count).expand(3, -1),
    }
    spread = {name: positions.expand(len(keep), -1, -1) for name, positions in fixed.items()}
    return {"preserve": true, **spread, "shuffled": shuffled}


def answer(model, words: torch.Tensor, rows: torch.Tensor, at: torch.Tensor, end: int | None = None):
    """Log-probabilities of the next token and greedy tokens, for rows at `at` `[prompts, 3, k]`, counted from the image's start.

    The text after the image starts after its largest position, or at `end`, as it does in the unpruned prompt.
    """
    count = len(words)
    tail = torch.arange(AFTER).expand(count, 3, -1) + (at.amax((1, 2)) + 1 if end is None else torch.tensor([end]))[:, None, None]
    positions = torch.cat([torch.arange(BEFORE).expand(count, 3, -1), at + BEFORE, tail + BEFORE], 2)
    embed = model.get_input_embeddings()
    states = torch.cat([embed(words[:, :BEFORE]), rows, embed(words[:, BEFORE:])], 1)
    first, tokens = None, []
    for _ in range(TOKENS):
        hidden = model.model.language_model(
            inputs_embeds=states, position_ids=positions.transpose(0, 1), use_cache=False
        ).last_hidden_state
        scores = model.lm_head(hidden[:, -1]).log_softmax(-1)
        first = scores if first is None else first
        tokens.append(scores.argmax(-1))
        states = torch.cat([states, embed(tokens[-1])[:, None]], 1)
        positions = torch.cat([positions, positions[:, :, -1:] + 1], 2)
    return first, torch.stack(tokens, 1)


def compare(wanted, got) -> tuple[float, float, float]:
    """Mean KL in nats, share of equal next tokens, and share of equal answers."""
    (reference, tokens), (scores, others) = wanted, got
    divergence = (reference.exp() * (reference - scores)).sum(-1).mean()
    same = (tokens[:, 0] == others[:, 0]).float().mean()
    return float(divergence), float(same), float((tokens == others).all(1).float().mean())


def main() -> None:
    percent = lambda share: f"{100 * share:.0f} %".rjust(6)  # noqa: E731
    print(f"{PROMPTS} prompts, {LINES * COLUMNS} vision tokens, {TOKENS} greedy tokens; KL in nats")
    for family in ("qwen2_vl", "qwen2_5_vl"):
        for scale in SCALES:
            model = build(family, scale)
            generator = torch.Generator().manual_seed(3)
            words = torch.randint(0, VOCABULARY, (PROMPTS, BEFORE + AFTER), generator=generator)
            rows = images_of(model, PROMPTS, generator)
            whole = answer(model, words, rows, grid_positions(LINES, COLUMNS).expand(PROMPTS, -1, -1))
            print(f"\n{family}, weights of standard deviation {scale}")
            print("kept   rows at     against preserve: KL   next   answer   against unpruned: KL   next   answer")
            for share in SHARES:
                count = int(share * LINES * COLUMNS)
                keep = torch.stack([torch.randperm(LINES * COLUMNS, generator=generator)[:count].sort().values for _ in words])
                kept = rows.gather(1, keep[..., None].expand(-1, -1, HIDDEN))
                end = max(LINES, COLUMNS)
                answers = {
                    name: answer(model, words, kept, at, end if name in ("preserve", "shuffled") else None)
                    for name, at in placements(keep, generator).items()
                }
                for name, got in answers.items():
                    near, far = compare(answers["preserve"], got), compare(whole, got)
                    print(
                        f"{percent(share)} {name.ljust(10)}  {near[0]:16.4f} {percent(near[1])} {percent(near[2])}"
                        f"   {far[0]:18.4f} {percent(far[1])} {percent(far[2])}"
                    )


if __name__ == "__main__":
    with torch.no_grad():
        main()
