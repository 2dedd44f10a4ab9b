"""Words as token ids: the vocabulary, and questions packed for training."""

import re
from dataclasses import dataclass

import numpy as np
import torch

from .glyphs import CHARACTERS
from .questions import NUMBERS, PLURALS, Mention, Question
from .scenes import BACKGROUNDS, COLORS, SHAPES, SIZES

PAD, BOS, EOS, UNKNOWN, IMAGE = range(5)
SPECIAL = ("<pad>", "<s>", "</s>", "<unk>", "<image>")
_OTHER = (
    "question answer ? . , ! yes no is are there a an the in on at or of to and do does you can i it see find contain show "
    "have has count how many what which where who color colour shape size left right top bottom above below half "
    "background image picture photo this that here describe mostly mixed object objects thing things with between not any "
    "big little tell me please grey"
).split()
# Words about marks and signs, and for the layout of a tiled image. They come last, so that the ids of all others stay the same.
AROUND, OVERVIEW = "<fake_token_around_image>", "<global-img>"
MARKERS = (AROUND, OVERVIEW, *(f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)))
_SIGN_WORDS = (*MARKERS, *CHARACTERS, *"sign written say read mark dot bar none".split())
WORDS = tuple(
    dict.fromkeys((*SPECIAL, *_OTHER, *SHAPES, *PLURALS.values(), *COLORS, *BACKGROUNDS, *SIZES, *NUMBERS, *_SIGN_WORDS))
)
VOCABULARY_SIZE = 160
ID = {word: i for i, word in enumerate(WORDS)}

# Words of answers, which must stay apart. Plurals start at the vectors of their singulars.
APART = [*SHAPES, *COLORS, *BACKGROUNDS, *SIZES, *NUMBERS, *"yes no left right top bottom above below".split()]
# The same for the tiled model.
SIGN_APART = [*APART, *CHARACTERS, *"sign dot bar none".split()]

# Words whose replacement would change the answer.
_KEPT = {ID[word] for word in (*APART, *PLURALS.values(), *"object objects background color shape size half".split())}
_KEPT |= {ID[word] for word in _SIGN_WORDS}

# How often a word of a training text is replaced with <unk>, so that the model learns to handle unknown words.
UNKNOWN_RATE = 0.03


def split_words(text: str) -> list[str]:
    """Splits text like the tokenizer of the exported model: lowercase words and single punctuation marks."""
    return re.findall(r"\w+|[^\w\s]", text.lower())


def encode(text: str) -> list[int]:
    return [ID.get(word, UNKNOWN) for word in split_words(text)]


@dataclass
class Encoded:
    """One question as ids: `question … answer` and the answer. `nouns` are the positions of the mentions' last words."""

    prompt: list[int]
    answer: list[int]
    nouns: list[int]


def encode_question(question: Question) -> Encoded:
    ids, nouns = [ID["question"]], []
    for part in question.parts:
        ids += encode(part.text if isinstance(part, Mention) else part)
        if isinstance(part, Mention):
            nouns.append(len(ids) - 1)
    return Encoded([*ids, ID["answer"]], [*encode(question.answer), EOS], nouns)


@dataclass
class Packed:
    """Several questions per context, one after the other, that do not attend to each other. B contexts, T text tokens.

    `ids`, `segment` (-1 for padding) and `place` (within the question) are [B, T]. `labels` are the next ids, -100 where
    there is no loss; `is_first` marks those that follow the prompt. `nouns` lists [mention, 3]: context, position of
    the noun, position of the word `answer`. `order` says whether it is its question's first mention (0) or second (1),
    `refers` [mention, MAX_OBJECTS] which objects it refers to, and `counts` whether their number matters. `reads` lists
    [step, 5], for each step of an answer that is read from a sign: context, position of the word before, position of the
    noun, object, number of the character from 1.
    """

    ids: torch.Tensor
    segment: torch.Tensor
    place: torch.Tensor
    labels: torch.Tensor
    is_first: torch.Tensor
    nouns: torch.Tensor
    order: torch.Tensor
    refers: torch.Tensor
    counts: torch.Tensor
    reads: torch.Tensor


def pack(contexts: list[list[Question]], length: int, max_objects: int, rng: np.random.Generator | None) -> Packed:
    """Packs as many of each context's questions as fit. With `rng`, some words become unknown."""
    n = len(contexts)
    ids = np.full((n, length), PAD, np.int64)
    segment, place, labels = np.full_like(ids, -1), np.zeros_like(ids), np.full_like(ids, -100)
    is_first = np.zeros((n, length), bool)
    nouns, order, refers, counts, reads = [], [], [], [], []
    for row, questions in enumerate(contexts):
        at = 0
        for number, question in enumerate(questions):
            encoded = encode_question(question)
            prompt, all_ids = len(encoded.prompt), [*encoded.prompt, *encoded.answer]
            size = len(all_ids) - 1
            if at + size > length:
                break
            text = np.array(all_ids)
            if rng is not None:
                drop = rng.random(prompt) < UNKNOWN_RATE
                drop[[0, prompt - 1, *encoded.nouns]] = False
                drop[[i for i in range(prompt) if text[i] in _KEPT]] = False
                text[:prompt][drop] = UNKNOWN
            ids[row, at : at + size] = text[:-1]
            segment[row, at : at + size] = number
            place[row, at : at + size] = np.arange(size)
            labels[row, at + prompt - 1 : at + size] = text[prompt:]
            is_first[row, at + prompt - 1] = True
            for i, (noun, mention) in enumerate(zip(encoded.nouns, question.mentions, strict=True)):
                nouns.append((row, at + noun, at + prompt - 1))
                order.append(i)
                refers.append([number in mention.objects for number in range(max_objects)])
                counts.append(question.kind in ("count", "description"))
            if question.kind == "reading":
                (mention,) = question.mentions
                for step in range(len(encoded.answer)):
                    reads.append((row, at + prompt - 1 + step, at + encoded.nouns[0], mention.objects[0], step + 1))
            at += size
    return Packed(
        *map(torch.from_numpy, (ids, segment, place, labels, is_first)),
        torch.tensor(nouns),
        torch.tensor(order),
        torch.from_numpy(np.array(refers, np.float32)),
        torch.tensor(counts),
        torch.tensor(reads, dtype=torch.int64).reshape(-1, 5),
    )
