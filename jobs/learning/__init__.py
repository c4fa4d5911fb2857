"""From approved examples to what answers: `tune.py` trains a LoRA, `judge.py` puts it before the gate, `watch.py` looks after what answers.

`material.py` (what is learnt) · `leftovers.py` (when people's words go from a run's folder) · `parts.py` (what the composition root
hands in). Training itself is `jobs.tuning`, the gate `jobs.gate`.
"""
