"""The one installed name. Puts Saseo's rooms first on the import path, then hands over to the composition root.

The rooms are called `bot`, `knowledge`, `adapters` and `jobs`: names that other distributions own too (PyPI's
`adapters`). In a wheel they therefore live inside this package, in `_rooms`; in a checkout they stand beside this
file. Nothing may be imported before the path is set. See docs/architecture.md, "How the rooms are installed".
"""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_ROOMS = _HERE / "_rooms" if (_HERE / "_rooms").is_dir() else _HERE


def main() -> None:
    """Entry point of the `saseo` command."""
    path = str(_ROOMS)
    if path in sys.path:
        sys.path.remove(path)
    sys.path.insert(0, path)
    from bot.app import main as run

    run()


if __name__ == "__main__":
    main()
