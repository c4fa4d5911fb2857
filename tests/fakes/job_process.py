"""A process that runs small real jobs, to be killed: `python -m tests.fakes.job_process URL FOLDER LEASE JOB`.

`count` counts to 12 in a file of its run's folder, one line a step with the process that wrote it, and goes on where it stopped.
`frail` does the same but may not be gone on with. `hard` does not listen when it is asked to stop. Exit status 3: there was no run.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.store.database import open_store
from jobs.job import JobContext, JobSpec
from jobs.registry import Registry
from jobs.runner import Runner, RunnerOptions

STEPS = 12
COUNTED = "counted.txt"


def count(context: JobContext) -> Mapping[str, Any]:
    """Raises JobStopped between two steps."""
    path = context.folder / COUNTED
    done = len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0
    for number in range(done, STEPS):
        context.check()
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{number} {os.getpid()}\n")
        context.progress(number + 1, STEPS, "counting")
        time.sleep(0.1)
    return {"counted": STEPS, "by": os.getpid(), "resumed": context.resumed}


def hard(context: JobContext) -> Mapping[str, Any]:
    """Hears nothing."""
    (context.folder / COUNTED).write_text(f"0 {os.getpid()}\n", encoding="utf-8")
    time.sleep(120)
    return {}


REGISTRY = Registry(
    (
        JobSpec("count", "세기", "Count", count),
        JobSpec("frail", "한 번만 세기", "Count once", count, resumable=False),
        JobSpec("hard", "듣지 않기", "Not listening", hard),
    )
)


def main() -> int:
    """One run, like a worker."""
    url, folder, lease, job = sys.argv[1:5]
    store = open_store(url, Path(folder))
    options = RunnerOptions(
        owner=f"test:{os.getpid()}", folder=Path(folder) / "jobs", lease=float(lease), follow=("count",)
    )
    runner = Runner(store, REGISTRY, REGISTRY.rules(60.0), options)
    signal.signal(signal.SIGTERM, lambda *_: runner.stop())
    run = runner.run(job)
    store.close()
    return 3 if run is None else 0


if __name__ == "__main__":
    sys.exit(main())
