"""The gate: may this LoRA answer? It and what serves now answer the same questions; only better beyond noise, and worse nowhere, will do.

`cases.py` (what is asked) · `asking.py` (both sides answer) · `kept.py` (answers on disk, so that nothing is asked twice) ·
`measures.py` (answers → figures per question) · `comparison.py` (paired bootstrap) · `parity.py` (is what serves what was trained?) ·
`decide.py` (figures → `verdict.py`) · `run.py` (all of it) · `table.py`, `plot.py`, `texts.py` (for people)
"""
