"""The wheel and the editable form, installed in scratch environments beside a foreign package called `adapters`.

Nothing is downloaded: the scratch environments see the dependencies of the environment that runs the tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("bot", "knowledge", "adapters", "jobs")
HEAVY = ("torch", "langchain", "langchain_core", "langgraph", "numpy", "pydantic", "faiss", "kiwipiepy", "llama_cpp")
FOREIGN = 'OWNER = "the library of that name on PyPI"\n'

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Without anything of this process's Python settings or Saseo's variables."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SASEO_", "VIRTUAL_ENV"))
    }
    environment |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INDEX": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


class Scratch:
    """A fresh environment in which somebody else's `adapters` was installed first."""

    def __init__(self, folder: Path) -> None:
        run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
        self.python = folder / "venv" / "bin" / "python"
        self.saseo = folder / "venv" / "bin" / "saseo"
        found = run(self.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder)
        self.site = Path(found.stdout.strip())
        self.elsewhere = folder / "elsewhere"
        self.elsewhere.mkdir()
        (self.site / "adapters").mkdir()
        (self.site / "adapters" / "__init__.py").write_text(FOREIGN, encoding="utf-8")
        # The dependencies, without what is installed there by a `.pth` of its own (an editable Saseo, for one).
        (self.site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")

    def pip(self, *arguments: str | Path) -> None:
        run(sys.executable, "-m", "pip", "--python", self.python, *arguments, cwd=self.elsewhere)

    def code(self, code: str) -> str:
        return run(self.python, "-c", code, cwd=self.elsewhere).stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as a user would, with the build backend that is here."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """The wheel, beside the foreign package."""
    scratch = Scratch(tmp_path_factory.mktemp("installed"))
    scratch.pip("install", "--no-deps", wheel)
    return scratch


@pytest.fixture(scope="module")
def editable(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """The checkout, beside the foreign package."""
    scratch = Scratch(tmp_path_factory.mktemp("editable"))
    scratch.pip("install", "--no-deps", "--no-build-isolation", "--editable", ROOT)
    return scratch


@pytest.fixture(params=["installed", "editable"])
def either(request: pytest.FixtureRequest) -> Scratch:
    """Both forms."""
    scratch = request.getfixturevalue(request.param)
    assert isinstance(scratch, Scratch)
    return scratch


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_owns_one_name(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in names_in(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"saseo"}


def test_the_wheel_carries_every_file_of_the_rooms_and_the_examples(wheel: Path) -> None:
    carried = set(names_in(wheel))
    wanted = {
        f"saseo/_rooms/{path.relative_to(ROOT).as_posix()}"
        for room in (*ROOMS, "examples")
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix != ".pyc" and not path.name.startswith(".")
    } | {"saseo/__init__.py", "saseo/_rooms/config.toml"}
    assert wanted - carried == set()
    for data in ("bot/models/models.toml", "knowledge/data/off_topic_ko.txt", "examples/sample_questions.txt"):
        assert f"saseo/_rooms/{data}" in carried


def test_the_wheel_carries_no_leftovers(wheel: Path) -> None:
    names = names_in(wheel)
    assert [name for name in names if name.endswith(".pyc") or "/tests/" in name or "/var/" in name] == []


def test_saseo_runs_from_another_directory_though_a_foreign_adapters_is_installed(either: Scratch) -> None:
    shown = run(either.saseo, "--help", cwd=either.elsewhere).stdout
    for verb in ("ask", "chat", "doctor", "evaluate", "index", "models", "search"):
        assert f"\n  {verb} " in shown


def test_saseo_says_its_version(either: Scratch) -> None:
    assert "0.1.0" in run(either.saseo, "--version", cwd=either.elsewhere).stdout


def test_saseo_gets_its_own_rooms_and_other_programs_the_foreign_adapters(either: Scratch) -> None:
    ours = either.code(
        "import sys, saseo\n"
        "sys.argv = ['saseo', '--help']\n"
        "try:\n    saseo.main()\nexcept SystemExit as left:\n    assert left.code == 0, left.code\n"
        "import adapters.terminal.chat\n"
        "print(adapters.__file__)\n"
    )
    assert str(either.site / "adapters") not in ours
    assert "the library of that name" in either.code("import adapters; print(adapters.OWNER)")


def test_an_editable_install_runs_the_checkout_and_not_a_copy_of_it(editable: Scratch) -> None:
    where = editable.code(
        "import sys, saseo\n"
        "sys.argv = ['saseo', '--help']\n"
        "try:\n    saseo.main()\nexcept SystemExit:\n    pass\n"
        "import bot.app, knowledge.build\n"
        "print('AT', saseo.__file__, bot.app.__file__, knowledge.build.__file__)\n"
    )
    assert where.rsplit("AT ", 1)[1].split() == [
        str(ROOT / name) for name in ("saseo.py", "bot/app.py", "knowledge/build.py")
    ]


def test_the_files_that_come_along_are_found(either: Scratch) -> None:
    found = either.code(
        "import sys, saseo\n"
        "sys.argv = ['saseo', '--help']\n"
        "try:\n    saseo.main()\nexcept SystemExit:\n    pass\n"
        "from bot.settings_file import default_folder, load_settings\n"
        "from bot.models.catalogue import Catalogue\n"
        "settings = load_settings(None)\n"
        "assert (default_folder() / 'config.toml').is_file()\n"
        "assert any(settings.sources[0].options.path.rglob('*.md')), settings.sources\n"
        "print(len(list(Catalogue.load(None))), settings.data_dir)\n"
    )
    models, data = found.splitlines()[-1].split(" ", 1)
    assert int(models) > 0
    assert Path(data) == either.elsewhere / "var"


def test_pages_are_parsed_in_a_process_with_the_same_rooms(either: Scratch) -> None:
    found = either.code(
        "import sys, saseo\n"
        "sys.argv = ['saseo', '--help']\n"
        "try:\n    saseo.main()\nexcept SystemExit:\n    pass\n"
        "from knowledge.parsing import ParsingProcess\n"
        "with ParsingProcess() as parsing:\n"
        "    print('READ', parsing.parse('# 연차\\n\\n15일'.encode(), '연차.md').title, parsing.started)\n"
    )
    assert found.rsplit("READ ", 1)[1].split() == ["연차", "1"]


def test_help_imports_nothing_heavy(either: Scratch) -> None:
    loaded = either.code(
        "import sys, saseo\n"
        "sys.argv = ['saseo', '--help']\n"
        "try:\n    saseo.main()\nexcept SystemExit:\n    pass\n"
        "print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))\n"
    )
    names = set(loaded.rsplit("LOADED", 1)[1].split())
    assert names & set(HEAVY) == set()


def test_uninstalling_saseo_leaves_the_foreign_adapters(wheel: Path, tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.pip("install", "--no-deps", wheel)
    (scratch.site / "dependencies.pth").unlink()  # uninstall must look at this environment alone
    scratch.pip("uninstall", "--yes", "saseo")
    assert not (scratch.site / "saseo").exists()
    assert not scratch.saseo.exists()
    assert (scratch.site / "adapters" / "__init__.py").read_text(encoding="utf-8") == FOREIGN
