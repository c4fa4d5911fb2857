"""How an answer comes about: one file per step, and flow.py that joins them."""
