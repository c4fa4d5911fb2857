"""Processes that train together, each on its part of every step: they add up their gradients and so stay alike (data parallel).

    settings.processes = 2, which starts    torchrun --standalone --nproc_per_node 2 -m jobs.tuning.process FOLDER
    or by hand, on GPUs                     accelerate launch --multi_gpu --num_processes 2 -m jobs.tuning.process FOLDER

(accelerate's own launcher starts several processes on a CPU only through MPI.) Each draws the same order from the seed and begins with the
same matrices, so nothing needs to be sent around but sums. The first process alone writes and speaks. Tested with two processes on the
CPU (gloo); with several GPUs (NCCL) it has not been run.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

import torch

_LONGEST_PAUSE = timedelta(days=7)
"""One waits for the others at a sum; a pause while people ask must not look like a death."""


class Peers(Protocol):
    """Every method but the properties is called by all processes at the same place."""

    @property
    def rank(self) -> int:
        """0: the one that writes and speaks."""

    @property
    def count(self) -> int:
        """How many there are, this one included."""

    def add_up(self, tensors: Sequence[torch.Tensor]) -> None:
        """Put into each the sum over all processes."""

    def total(self, number: float) -> float:
        """The sum over all processes."""

    def agreed(self, said: bool) -> bool:
        """What the first one says."""

    def close(self) -> None:
        """The last call."""


class Alone:
    """One process."""

    rank = 0
    count = 1

    def add_up(self, tensors: Sequence[torch.Tensor]) -> None:
        """They are their own sum."""

    def total(self, number: float) -> float:
        """Itself."""
        return number

    def agreed(self, said: bool) -> bool:
        """Nobody disagrees."""
        return said

    def close(self) -> None:
        """Nothing to close."""


class Accelerated:
    """Processes that know each other by the environment that torchrun and `accelerate launch` set."""

    def __init__(self, *, cpu: bool) -> None:
        from accelerate import PartialState  # type: ignore[import-untyped]

        self._state: Any = PartialState(cpu=cpu, timeout=_LONGEST_PAUSE)

    @property
    def rank(self) -> int:
        """See `Peers`."""
        return int(self._state.process_index)

    @property
    def count(self) -> int:
        """See `Peers`."""
        return int(self._state.num_processes)

    def add_up(self, tensors: Sequence[torch.Tensor]) -> None:
        """In one message."""
        if not tensors:
            return
        sent = self._sum(torch.cat([tensor.detach().flatten().to(self._state.device) for tensor in tensors]))
        for tensor, part in zip(tensors, sent.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def total(self, number: float) -> float:
        """See `Peers`."""
        return float(self._sum(torch.tensor([number], dtype=torch.float64, device=self._state.device)))

    def agreed(self, said: bool) -> bool:
        """See `Peers`."""
        return self.total(float(said) if self.rank == 0 else 0.0) > 0

    def close(self) -> None:
        """See `Peers`."""
        self._state.destroy_process_group()

    @staticmethod
    def _sum(tensor: torch.Tensor) -> torch.Tensor:
        torch.distributed.all_reduce(tensor)
        return tensor


def together(*, cpu: bool) -> Peers:
    """Those of this launch. `cpu`: the CPU is asked for even if there is a GPU."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return Alone()
    return Accelerated(cpu=cpu or not torch.cuda.is_available())
