"""`python -m bot.store.migrations "What changes"`: write the next revision; `--again`: the newest one anew, before it is released."""

from __future__ import annotations

import argparse
import sys

from bot.store.migrations.writing import write

parser = argparse.ArgumentParser(prog="python -m bot.store.migrations", description=__doc__)
parser.add_argument("title", nargs="?", default="Tables")
parser.add_argument("--again", action="store_true")
given = parser.parse_args()
path = write(given.title, again=given.again)
sys.stdout.write(f"{path or 'schema/ is as the newest revision: nothing to write'}\n")
