"""Text that adapters show: everything a model or a document wrote goes through here before it reaches a platform.

`Markdown` renders a whole answer, `SafeStream` a growing one, with the same guarantees: nothing pings, no image, no link but the
answer's own sources, and all else as it was written. `plain`, `mrkdwn` and `inline` are for text without formatting, `shorten` cuts
what is rendered, `safe_url` says what may be a link.
"""

from adapters.text.cut import shorten
from adapters.text.links import safe_url
from adapters.text.markdown import Markdown
from adapters.text.plain import inline, mrkdwn, plain
from adapters.text.safe_stream import SafeStream

__all__ = ["Markdown", "SafeStream", "inline", "mrkdwn", "plain", "safe_url", "shorten"]
