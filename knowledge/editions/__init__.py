"""Editions on disk: written aside, checksummed, approved, published by one rename, opened only after every checksum agrees.

editions/
  current                     the name of the edition that serves
  rolled-back.json            which edition a person went back from, and to which
  held-back.json              which sources are not taken as they are, and why
  20261124-093000-1a2b3c4d/
    passages.jsonl  pages.json  morphemes/  bigrams/  vectors.faiss
    manifest.json             written last: its existence means complete

`manifest.py` and `passages.py` are the files' forms, `opened.py` reads, `publishing.py` writes, `held_back.py` notes sources,
`reopening.py` compares readers, `shelf.py` is the folder of all of them.
"""
