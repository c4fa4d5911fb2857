"""`make bundle` and install.sh with a small package in Saseo's place: all that does not depend on the real wheels' size.

The real bundle is proved by deploy/prove_offline.sh. Nothing is downloaded here: pip gets `--no-index`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODEL = b"GGUF" + struct.pack("<I", 3) + b"tiny" * 64
CATALOGUE = f"""
[[models]]
name = "tiny"
role = "writer"
format = "gguf"
description = "작은 시험용"
licence = "CC0-1.0"
bytes = {len(MODEL)}
sha256 = "{hashlib.sha256(MODEL).hexdigest()}"
context = 2048
template = "gguf"

[[models.places]]
kind = "path"
path = "{{path}}"
"""
SCRIPT = '''"""Stands where Saseo would: says its version and what it was asked."""

import os
import sys

import tinylib


def main():
    print("saseo, version {version}, with tinylib", tinylib.VERSION)
    print("called:", *sys.argv[1:], "models in", os.environ.get("SASEO_MODELS_DIR"))
'''

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("sha256sum"), reason="install.sh needs GNU coreutils"),
]


def run(*command: object, cwd: Path, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
    """In an environment with none of this process's settings of pip and Saseo."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "SASEO_", "PIP_", "VIRTUAL_ENV"))
    }
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment | {"PYTHONUTF8": "1"} | variables,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


class Maker:
    """A project as Saseo's, and bundles of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.project.mkdir()
        self.index = folder / "index"
        self.index.mkdir()
        self._wheel("tinylib", "1.0")
        self._wheel("tinylib", "2.0")
        (self.project / "constraints.txt").write_text("tinylib==1.0\n", encoding="utf-8")
        given = folder / "given.gguf"
        given.write_bytes(MODEL)
        self.catalogue = folder / "models.toml"
        self.catalogue.write_text(CATALOGUE.format(path=given), encoding="utf-8")

    def bundle(self, version: str, *options: str) -> Path:
        """Of this version, with the model."""
        (self.project / "pyproject.toml").write_text(
            f'[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
            f'[project]\nname = "saseo"\nversion = "{version}"\ndependencies = ["tinylib"]\n'
            f'scripts = {{ saseo = "saseo:main" }}\n[tool.hatch.build.targets.wheel]\ninclude = ["saseo.py"]\n',
            encoding="utf-8",
        )
        (self.project / "saseo.py").write_text(SCRIPT.replace("{version}", version), encoding="utf-8")
        run(
            sys.executable,
            ROOT / "deploy" / "bundle.py",
            *("--project", self.project, "--out", self.folder / "dist", "--models", "tiny", *options),
            f"--pip-args=--no-index --no-build-isolation --find-links {self.index}",
            cwd=self.folder,
            SASEO_CATALOGUE=str(self.catalogue),
            SASEO_MODELS_DIR=str(self.folder / "cache"),
        )
        (made,) = (self.folder / "dist").glob(f"saseo-{version}-*[!r]")
        return made

    def _wheel(self, name: str, version: str) -> None:
        about = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(self.index / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}.py", f'VERSION = "{version}"\n')
            wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{about}/RECORD", "")


def install(bundle: Path, prefix: Path, *options: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    return run("sh", bundle / "install.sh", "--prefix", prefix, *options, cwd=bundle.parent, check=check)


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(tmp_path_factory.mktemp("maker"))


@pytest.fixture(scope="module")
def first(maker: Maker) -> Path:
    return maker.bundle("9.1", "--tar")


@pytest.fixture
def copied(first: Path, tmp_path: Path) -> Path:
    """As it arrives on the other side; a test may spoil it."""
    return Path(shutil.copytree(first, tmp_path / first.name))


@pytest.fixture(scope="module")
def installed(first: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its prefix: from the tar, without a route where the system allows that, and with settings of pip that lead astray."""
    folder = tmp_path_factory.mktemp("other side")
    run("tar", "-xf", first.with_name(first.name + ".tar"), "-C", folder, cwd=folder)
    (folder / "pip.conf").write_text("[global]\nindex-url = http://127.0.0.1:9/simple\n", encoding="utf-8")
    names = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--user", "--map-root-user"]
    if not shutil.which("unshare") or subprocess.run([*names, "true"], capture_output=True).returncode:
        names = []
    run(
        *(*names, "sh", folder / first.name / "install.sh"),
        *("--prefix", folder / "opt", "--models", folder / "shared models"),
        cwd=folder,
        PIP_CONFIG_FILE=str(folder / "pip.conf"),
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
    )
    return folder / "opt"


def test_a_bundle_names_everything_in_it_with_its_checksum(first: Path) -> None:
    listed = dict(reversed(line.split("  ", 1)) for line in (first / "SHA256SUMS").read_text("utf-8").splitlines())
    there = {file.relative_to(first).as_posix(): file for file in first.rglob("*") if file.is_file()}
    assert set(listed) == set(there) - {"SHA256SUMS"}
    assert all(hashlib.sha256(there[name].read_bytes()).hexdigest() == digest for name, digest in listed.items())
    told = json.loads((first / "BUNDLE.json").read_text("utf-8"))
    assert [(one["name"], one["role"], one["sha256"]) for one in told["models"]] == [
        ("tiny", "writer", hashlib.sha256(MODEL).hexdigest())
    ]
    assert {"install.sh", "constraints.txt", "saseo.service", "models/tiny.gguf"} <= set(listed)
    assert [name for name in listed if "tinylib" in name] == ["wheels/tinylib-1.0-py3-none-any.whl"]


def test_nothing_half_made_is_left_beside_it(first: Path) -> None:
    assert [one.name for one in first.parent.iterdir() if one.name.startswith(".")] == []


def test_what_is_installed_comes_from_the_bundle_alone(installed: Path) -> None:
    called = run(installed / "bin" / "saseo", "ask", cwd=installed).stdout
    assert "version 9.1, with tinylib 1.0" in called
    assert "called: ask models in" in called


def test_models_lie_where_they_were_wanted_as_files_of_their_own(installed: Path) -> None:
    models = installed.parent / "shared models"
    assert (models / "tiny.gguf").read_bytes() == MODEL
    assert (models / "tiny.gguf").stat().st_nlink == 1
    assert f"models in {models}\n" in run(installed / "bin" / "saseo", cwd=installed).stdout
    assert "models in /mine\n" in run(installed / "bin" / "saseo", cwd=installed, SASEO_MODELS_DIR="/mine").stdout


@pytest.mark.parametrize("spoilt", ["changed", "missing", "added", "linked", "no list"])
def test_a_bundle_that_is_not_as_it_was_made_is_refused_before_anything_is_installed(
    copied: Path, tmp_path: Path, spoilt: str
) -> None:
    if spoilt == "changed":
        with (copied / "models" / "tiny.gguf").open("r+b") as file:
            file.write(b"GGUE")
    elif spoilt == "missing":
        (copied / "wheels" / "tinylib-1.0-py3-none-any.whl").unlink()
    elif spoilt == "added":
        (copied / "wheels" / "tinylib-1.0.1-py3-none-any.whl").write_bytes(b"evil")
    elif spoilt == "linked":
        (tmp_path / "evil").write_bytes(b"evil")
        (copied / "wheels" / "tinylib-1.0.1-py3-none-any.whl").symlink_to(tmp_path / "evil")
    else:
        (copied / "SHA256SUMS").unlink()
    done = install(copied, tmp_path / "opt", check=False)
    assert done.returncode == 1
    assert done.stderr.strip()
    assert list((tmp_path / "opt").iterdir()) == []


def test_an_update_switches_keeps_data_and_the_release_before_and_leads_back(
    maker: Maker, first: Path, tmp_path: Path
) -> None:
    prefix = tmp_path / "opt"

    def version() -> str:
        return run(prefix / "bin" / "saseo", cwd=tmp_path).stdout.split()[2].rstrip(",")

    install(first, prefix)
    assert "is there already" in install(first, prefix).stdout  # the same once more changes nothing
    assert version() == "9.1"
    (prefix / "data").mkdir()
    (prefix / "data" / "saseo.sqlite").write_bytes(b"questions")
    (prefix / "models" / "another.gguf").write_bytes(b"GGUF")

    second = maker.bundle("9.2")
    assert "tiny.gguf is there already" in install(second, prefix).stdout
    assert version() == "9.2"
    assert len(list((prefix / "releases").iterdir())) == 2
    assert (prefix / "data" / "saseo.sqlite").read_bytes() == b"questions"
    assert (prefix / "models" / "another.gguf").exists()

    install(second, prefix, "--back")
    assert version() == "9.1"
    assert install(second, prefix, "--back", check=False).returncode == 1  # nothing is kept before that
    install(second, prefix)

    third = maker.bundle("9.3")
    broken = Path(shutil.copytree(third, tmp_path / "broken"))
    (broken / "wheels" / "tinylib-1.0-py3-none-any.whl").unlink()
    sums = broken / "SHA256SUMS"  # a bundle that was made wrong, not one that was damaged on the way
    sums.write_text(
        "".join(line for line in sums.read_text("utf-8").splitlines(True) if "tinylib" not in line), "utf-8"
    )
    failed = install(broken, prefix, check=False)
    assert failed.returncode == 1
    assert "tinylib" in failed.stderr
    assert version() == "9.2"

    install(third, prefix)
    assert version() == "9.3"
    complete = {one.parent.name[:3] for one in (prefix / "releases").glob("*/.complete")}
    assert complete == {"9.2", "9.3"}
    assert len(list((prefix / "releases").iterdir())) == 2


def test_another_python_than_the_bundles_is_refused(first: Path, tmp_path: Path) -> None:
    other = tmp_path / "python3"
    other.write_text("#!/bin/sh\necho 3.9\n", encoding="utf-8")
    other.chmod(0o755)
    done = install(first, tmp_path / "opt", "--python", other, check=False)
    assert done.returncode == 1
    assert "is not Python 3." in done.stderr
