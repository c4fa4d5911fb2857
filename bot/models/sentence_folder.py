"""The small files around an embedder's weights, which make a folder loadable by sentence-transformers.

They are written here, in one fixed spelling that every sentence-transformers since 2.x reads, instead of by
`save_pretrained`: so a folder's content, and therefore its hash, does not depend on library versions.
"""

from __future__ import annotations

import json
from pathlib import Path

from bot.models.catalogue import Model

_PARTS = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))


def write_sentence_folder(folder: Path, model: Model) -> None:
    """Add modules.json, the pooling and the saved prompts to a folder that holds weights and tokenizer."""
    write_json(
        folder / "modules.json",
        [
            {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for index, (path, kind) in enumerate(_PARTS)
        ],
    )
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": model.context, "do_lower_case": False})
    write_json(
        folder / "1_Pooling" / "config.json",
        {
            "word_embedding_dimension": model.dimension,
            "pooling_mode_cls_token": model.pooling == "cls",
            "pooling_mode_mean_tokens": model.pooling == "mean",
        },
    )
    write_json(
        folder / "config_sentence_transformers.json",
        {"prompts": dict(sorted(model.prompts.items())), "default_prompt_name": None, "similarity_fn_name": "cosine"},
    )


def write_json(path: Path, value: object) -> None:
    """One fixed spelling: no spaces, UTF-8, keys in the order given, one newline at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    path.write_bytes((text + "\n").encode())
