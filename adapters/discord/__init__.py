"""Discord: discord.py's gateway client on one side, the core's Desk on the other."""

from __future__ import annotations
