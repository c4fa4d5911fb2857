"""`make bundle`: everything an installation needs without a network, as one folder (or tar) with checksums.

    saseo-0.1.0-cp311-linux_x86_64/
      install.sh        what `make install-offline` runs; needs a shell, Python of this version with venv, and coreutils
      wheels/           Saseo, its dependencies, llama.cpp compiled
      models/           from this machine's model cache
      constraints.txt   the tested versions
      saseo.service, installing.md, installing.ko.md
      BUNDLE.json       what is inside
      SHA256SUMS        of every file above; install.sh checks them first and refuses a file that is not listed

Compiled wheels fit the Python version, the system and the processor family of the machine that makes the bundle. llama.cpp is
compiled for any x86-64 processor with AVX2 unless `--native` is given. The folder appears under its name only when it is whole.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMPILED = "llama-cpp-python"
"""The one dependency that the package index has as sources only."""
PORTABLE = "-DGGML_NATIVE=OFF"
"""ggml then takes AVX, AVX2, BMI2, FMA and F16C, and nothing newer (ggml/CMakeLists.txt, INS_ENB)."""
SUMS = "SHA256SUMS"


def say(text: str) -> None:
    """Progress, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> Path:
    """Make the bundle; where it is."""
    options = _options(arguments)
    began = time.monotonic()
    project = tomllib.loads((options.project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    name = f"{project['name']}-{project['version']}-{python}-{_platform()}"
    options.out.mkdir(parents=True, exist_ok=True)
    target = options.out / name
    fresh = options.out / f".{name}.making"
    shutil.rmtree(fresh, ignore_errors=True)
    (fresh / "wheels").mkdir(parents=True)

    say("[1/4] wheels")
    wheels(options, fresh / "wheels")
    say(f"      {_size(fresh / 'wheels')}, {sum(1 for _ in (fresh / 'wheels').iterdir())} wheels")
    say("[2/4] models")
    taken = [] if options.no_models else models(options, fresh / "models")
    say("[3/4] installer")
    for file in (HERE / "install.sh", HERE / "saseo.service", *sorted((HERE.parent / "docs").glob("installing*.md"))):
        shutil.copy2(file, fresh / file.name)
    shutil.copy2(options.project / "constraints.txt", fresh / "constraints.txt")
    told = {
        "name": project["name"],
        "version": project["version"],
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
        "commit": _commit(options.project),
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "models": taken,
    }
    (fresh / "BUNDLE.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    say("[4/4] checksums")
    digest = write_sums(fresh)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    made = target
    if options.tar:
        made = target.with_name(target.name + ".tar")
        say(f"      {made.name}")
        with tarfile.open(made, "w", format=tarfile.PAX_FORMAT) as archive:
            archive.add(target, arcname=target.name)
    say(f"{made}: {_size(target)}, {time.monotonic() - began:.0f} s")
    say(f"SHA-256 of {SUMS}, to be compared on the other side: {digest}")
    return made


def wheels(options: argparse.Namespace, folder: Path) -> None:
    """Saseo's own wheel and one of every dependency in the constrained version. Raises CalledProcessError."""
    pip = [sys.executable, "-m", "pip", "wheel", *options.pip_args.split(), "-c", options.project / "constraints.txt"]
    subprocess.run([*pip, "--no-deps", "-w", folder, options.project], check=True)
    (own,) = folder.glob("*.whl")
    found: list[Path] = []
    if not options.native and _depends_on_compiled(options.project):
        # pip's own cache does not know what a wheel was compiled for, so these are kept apart.
        kept = options.kept / f"{COMPILED}-{hashlib.sha256(PORTABLE.encode()).hexdigest()[:8]}"
        version = _constrained(options.project, COMPILED)
        found = list(kept.glob(f"{COMPILED.replace('-', '_')}-{version}-*.whl"))
        if not found:
            say("      llama.cpp is compiled; this takes some minutes …")
            kept.mkdir(parents=True, exist_ok=True)
            one = [*pip, "--no-deps", "--no-cache-dir", "-w", kept, f"{COMPILED}=={version}"]
            flags = f"{os.environ.get('CMAKE_ARGS', '')} {PORTABLE}".strip()
            subprocess.run(one, check=True, env=os.environ | {"CMAKE_ARGS": flags})
            found = list(kept.glob(f"{COMPILED.replace('-', '_')}-{version}-*.whl"))
        shutil.copy2(found[0], folder)
    # `pip wheel` takes what lies in the folder already, by its path: an index may offer another build of the same version.
    subprocess.run([*pip, "--find-links", folder, "-w", folder, own, *(folder / one.name for one in found)], check=True)


def models(options: argparse.Namespace, folder: Path) -> list[dict[str, object]]:
    """Copies of the verified models; with names, bytes and SHA-256. Raises CalledProcessError."""
    saseo = [str(Path(sysconfig.get_path("scripts")) / "saseo")]
    if options.models:
        subprocess.run([*saseo, "models", "pull", *options.models], check=True)
    else:
        subprocess.run([*saseo, "models", "pull"], check=True)
    told = subprocess.run([*saseo, "models", "list", "--json"], check=True, capture_output=True, encoding="utf-8")
    folder.mkdir()
    taken: list[dict[str, object]] = []
    for one in json.loads(told.stdout):
        if one["name"] not in options.models if options.models else not one["selected"]:
            continue
        source = Path(one["path"])
        say(f"      {one['name']} ({one['licence']})")
        if source.is_dir():
            shutil.copytree(source, folder / source.name, copy_function=_linked)
        else:
            _linked(source, folder / source.name)
        taken.append({key: one[key] for key in ("name", "role", "bytes", "sha256", "licence")})
    return taken


def write_sums(folder: Path) -> str:
    """`SHA256SUMS` in the form of sha256sum, every file but itself; its own SHA-256."""
    lines = []
    for file in sorted(file for file in folder.rglob("*") if file.is_symlink() or not file.is_dir()):
        lines.append(f"{_sha256(file)}  {file.relative_to(folder).as_posix()}\n")
    text = "".join(lines).encode()
    (folder / SUMS).write_bytes(text)
    return hashlib.sha256(text).hexdigest()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bundle.py", description="Everything for an installation without a network.")
    parser.add_argument("--out", type=Path, default=HERE.parent / "dist", help="folder that the bundle appears in")
    parser.add_argument(
        "--models", nargs="*", default=[], help="names of the catalogue; default: those of the settings"
    )
    parser.add_argument("--no-models", action="store_true")
    parser.add_argument(
        "--tar", action="store_true", help="also one tar file (it is not compressed: nothing in it would shrink)"
    )
    parser.add_argument("--native", action="store_true", help="llama.cpp for this very processor: not for older ones")
    parser.add_argument("--pip-args", default="", help="as in the Makefile's PIP_ARGS")
    parser.add_argument(
        "--kept", type=Path, default=HERE.parent / "build" / "wheels", help="compiled wheels for next time"
    )
    parser.add_argument(
        "--project", type=Path, default=HERE.parent, help="a folder with pyproject.toml and constraints.txt"
    )
    options = parser.parse_args(arguments)
    options.out, options.project = options.out.resolve(), options.project.resolve()
    options.kept = options.kept.resolve()
    return options


def _depends_on_compiled(project: Path) -> bool:
    wanted = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"].get("dependencies", [])
    return any(one.startswith(COMPILED) for one in wanted)


def _constrained(project: Path, package: str) -> str:
    for line in (project / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{package}=="):
            return line.partition("==")[2].strip()
    sys.exit(f"{package} has no version in constraints.txt")


def _linked(source: Path | str, target: Path | str) -> None:
    """No second gigabyte where both lie on one disk: models are never changed in place."""
    source = Path(source).resolve()
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _size(folder: Path) -> str:
    return f"{sum(file.stat().st_size for file in folder.rglob('*') if file.is_file()) / 1e9:.2f} GB"


def _platform() -> str:
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")


def _commit(project: Path) -> str:
    """Of the checkout; empty outside of git."""
    done = subprocess.run(["git", "-C", project, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


if __name__ == "__main__":
    main()
