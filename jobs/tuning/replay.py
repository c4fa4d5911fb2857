"""What a run mixes in against forgetting when it has nothing better: the starter examples that come with Saseo. No torch.

`TuningJob(…, replay=STARTER_EXAMPLES)`
"""

from __future__ import annotations

from pathlib import Path

STARTER_EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "tuning"
"""A folder of JSON Lines, in the checkout and in the wheel."""
