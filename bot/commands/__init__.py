"""The verbs of `saseo`, one file each. Thin: parse, call, print. What they call comes from the composition root."""
