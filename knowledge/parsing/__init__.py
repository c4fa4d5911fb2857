"""Foreign bytes are parsed in a process of their own, with limits on time, memory and length.

`process.py` is what the indexing run uses, `child.py` its end of one child, `worker.py` the child itself with `limits.py`;
`frames.py` is what passes between them, `document_json.py` a document as JSON.
"""

from knowledge.parsing.process import ParsingProcess

__all__ = ["ParsingProcess"]
