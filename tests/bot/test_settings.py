"""config.toml: the shipped file, the defaults in code and the refusals agree."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from bot.errors import InvalidSetting, SettingsFileMissing, UnknownSetting
from bot.settings import Settings
from bot.settings_file import default_folder, known_keys, load_settings
from bot.source_settings import SourceSettings

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "config.toml"


@pytest.fixture(autouse=True)
def no_saseo_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own SASEO_… must not decide these tests."""
    for name in list(os.environ):
        if name.upper().startswith("SASEO_"):
            monkeypatch.delenv(name)


def config(folder: Path, text: str) -> Path:
    path = folder / "my.toml"
    path.write_text(text, encoding="utf-8")
    return path


def flat(table: dict[str, object], prefix: str = "") -> dict[str, object]:
    """Dotted keys; a list of tables counts by its first table."""
    keys: dict[str, object] = {}
    for name, value in table.items():
        keys[prefix + name] = value
        inner = value[0] if isinstance(value, (list, tuple)) and value and isinstance(value[0], dict) else value
        if isinstance(inner, dict):
            keys |= flat(inner, f"{prefix}{name}.")
    return keys


def plain(value: object) -> object:
    """As TOML would have it: lists for tuples, text for paths, tables for models."""
    if isinstance(value, SourceSettings):
        return plain(value.model_dump())
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, BaseModel):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def shipped() -> dict[str, object]:
    return flat(tomllib.loads(SHIPPED.read_text(encoding="utf-8")))


def test_every_value_of_the_shipped_file_is_the_default_in_code() -> None:
    defaults = plain(Settings())
    assert isinstance(defaults, dict)
    in_code = flat(defaults)
    assert {key: value for key, value in shipped().items() if in_code.get(key, "absent") != value} == {}


def test_the_shipped_file_names_every_known_key() -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    inside: set[str] = set()
    for example in re.finditer(r"^# \[\[(\w+)\]\].*?(?=\n\n)", text, re.MULTILINE | re.DOTALL):
        # An example table is commented out; its keys count with the table's name.
        inside |= {example[1]} | {f"{example[1]}.{key}" for key in re.findall(r"^# (\w+) = ", example[0], re.MULTILINE)}
        text = text.replace(example[0], "")
    commented = set(re.findall(r"^# (\w+) = ", text, re.MULTILINE))
    assert set(shipped()) | commented | inside == set(known_keys())


def test_the_example_place_of_the_shipped_file_is_one(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    example = re.search(r"^# \[\[places\]\].*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)
    assert example is not None
    settings = load_settings(config(tmp_path, re.sub(r"^# ", "", example[0], flags=re.MULTILINE)))
    assert settings.places[0].platform == "slack"


@pytest.mark.parametrize("key", ["slack.api_base_url", "discord.api_base_url", "discord.gateway_url"])
@pytest.mark.parametrize("url", ["http://evil.example/api/", "ws://evil.example", "ftp://127.0.0.1@evil.example/"])
def test_a_token_is_never_sent_in_the_clear_to_another_machine(tmp_path: Path, key: str, url: str) -> None:
    table, name = key.split(".")
    with pytest.raises(InvalidSetting, match=name):
        load_settings(config(tmp_path, f'[{table}]\n{name} = "{url}"\n'))
    load_settings(config(tmp_path, f'[{table}]\n{name} = "http://127.0.0.1:9/api/"\n'))


def test_the_shipped_file_loads_as_it_is() -> None:
    settings = load_settings(SHIPPED)
    assert settings.data_dir == ROOT / "var"
    assert settings.sources[0].options.path == ROOT / "examples" / "wiki"


def test_without_a_file_the_example_wiki_is_read_and_data_stays_where_the_person_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings(None)
    assert settings.data_dir == tmp_path / "var"
    assert settings.sources[0].options.path == default_folder() / "examples" / "wiki"


def test_config_toml_of_the_current_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.toml").write_text('language = "en"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_settings(None).language == "en"


def test_a_file_names_only_what_differs(tmp_path: Path) -> None:
    settings = load_settings(config(tmp_path, "[writer]\nthreads = 3\n"))
    assert settings.writer.threads == 3
    assert settings.writer.model == "qwen2.5-coder-1.5b"
    assert settings.search.weights.morpheme == 0.4


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ('[writer]\nmodle = "x"\n', "writer.modle", "writer.model"),
        ('data_dri = "x"\n', "data_dri", "data_dir"),
        ("[search.weights]\nmorphem = 1\n", "search.weights.morphem", "search.weights.morpheme"),
        ("[anwser]\npassages = 2\n", "anwser", "answer"),
        ('[[sources]]\nname = "a"\npth = "."\npath = "."\n', "sources.0.pth", "sources.path"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(
    tmp_path: Path, text: str, key: str, nearest: str
) -> None:
    with pytest.raises(UnknownSetting) as refused:
        load_settings(config(tmp_path, text))
    assert refused.value.details["key"] == key
    for language in ("ko", "en"):
        assert f"{nearest}?" in refused.value.explain(language)


def test_an_unknown_key_like_nothing_else_is_refused_without_a_guess(tmp_path: Path) -> None:
    with pytest.raises(UnknownSetting) as refused:
        load_settings(config(tmp_path, "zzzzqqqq = 1\n"))
    assert refused.value.details["hint"] == ""


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SASEO_WRITER__MODEL", "qwen2.5-coder-0.5b")
    settings = load_settings(config(tmp_path, '[writer]\nmodel = "another"\nthreads = 5\n'))
    assert settings.writer.model == "qwen2.5-coder-0.5b"
    assert settings.writer.threads == 5  # the rest of the table stays the file's


def test_the_environment_reaches_tables_within_tables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SASEO_SEARCH__WEIGHTS__DENSE", "0.5")
    assert load_settings(config(tmp_path, "")).search.weights.dense == 0.5


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SASEO_WRITER__MODEL", "")
    assert load_settings(config(tmp_path, "")).writer.model == "qwen2.5-coder-1.5b"


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("SASEO_WRITER__MODLE", "SASEO_WRITER__MODEL"),
        ("SASEO_WRITR__MODEL", "SASEO_WRITER__MODEL"),
        ("SASEO_DATA_DRI", "SASEO_DATA_DIR"),
        ("SASEO_WRITER_MODEL", "SASEO_WRITER__MODEL"),
    ],
)
def test_a_typo_in_the_environment_is_refused_with_the_nearest_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, nearest: str
) -> None:
    monkeypatch.setenv(variable, "x")
    with pytest.raises(UnknownSetting) as refused:
        load_settings(config(tmp_path, ""))
    assert variable in refused.value.explain("ko")
    assert f"{nearest}?" in refused.value.explain("ko")


def test_the_variables_that_are_no_settings_are_let_through(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SASEO_CONFIG", str(tmp_path / "my.toml"))
    monkeypatch.setenv("SASEO_MODELS_DIR", str(tmp_path / "models"))
    assert load_settings(config(tmp_path, "")).models_dir == tmp_path / "models"


def test_a_wrong_value_in_the_environment_is_refused_by_its_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SASEO_WRITER__THREADS", "many")
    with pytest.raises(InvalidSetting) as refused:
        load_settings(config(tmp_path, ""))
    assert refused.value.details["key"] == "writer.threads"


def test_an_environment_list_that_is_not_json_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SASEO_SOURCES", "[not json")
    with pytest.raises(InvalidSetting):
        load_settings(config(tmp_path, ""))


def test_relative_paths_count_from_the_file_not_from_where_the_person_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "settings"
    here.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    text = (
        'data_dir = "d"\nmodels_dir = "m"\ncatalogue = "own.toml"\n[[sources]]\nname = "a"\npath = "wiki"\n'
        '[[sources]]\nname = "b"\npath = "/srv/b"\n'
    )
    settings = load_settings(config(here, text))
    assert (settings.data_dir, settings.models_dir, settings.catalogue) == (here / "d", here / "m", here / "own.toml")
    assert [source.options.path for source in settings.sources] == [here / "wiki", Path("/srv/b")]


@pytest.mark.parametrize("table", ["writer", "embedder"])
def test_a_models_relative_path_counts_from_the_file_and_a_name_stays_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    here = tmp_path / "settings"
    here.mkdir()
    monkeypatch.chdir(tmp_path)
    settings = load_settings(config(here, f'[{table}]\nmodel = "models/mine.gguf"\n'))
    assert getattr(settings, table).model == str(here / "models" / "mine.gguf")
    settings = load_settings(config(here, f'[{table}]\nmodel = "qwen2.5-coder-0.5b"\n'))
    assert getattr(settings, table).model == "qwen2.5-coder-0.5b"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsFileMissing) as missing:
        load_settings(tmp_path / "none.toml")
    assert "none.toml" in missing.value.explain("ko")


def test_broken_toml_names_the_file_and_the_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting) as broken:
        load_settings(config(tmp_path, 'language = "ko"\n[writer\n'))
    assert "my.toml" in broken.value.explain("ko")
    assert "line 2" in broken.value.explain("ko")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_bytes('data_dir = "자료"\n'.encode("cp949"))
    with pytest.raises(InvalidSetting) as broken:
        load_settings(path)
    assert "my.toml" in broken.value.explain("ko")


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text('data_dir = "자료"\n', encoding="utf-8-sig")
    assert load_settings(path).data_dir == tmp_path / "자료"


def test_two_sources_of_one_name_are_refused(tmp_path: Path) -> None:
    text = '[[sources]]\nname = "a"\npath = "x"\n[[sources]]\nname = "a"\npath = "y"\n'
    with pytest.raises(InvalidSetting) as refused:
        load_settings(config(tmp_path, text))
    assert "unique" in refused.value.explain("ko")


def test_an_unknown_kind_of_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting) as refused:
        load_settings(config(tmp_path, '[[sources]]\nname = "a"\nkind = "sharepoint"\npath = "x"\n'))
    assert "kind must be one of" in refused.value.explain("ko")


@pytest.mark.parametrize("url", ["saseo.example.com", "ftp://saseo", "https://"])
def test_the_consoles_address_is_an_address(tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        load_settings(config(tmp_path, f'[web]\npublic_url = "{url}"\n'))
    assert "web.public_url" in refused.value.explain("ko")
    assert (
        load_settings(config(tmp_path, '[web]\npublic_url = "https://a.example/"\n')).web.public_url
        == "https://a.example"
    )


@pytest.mark.parametrize("chosen", ["auto", "none", "tuned-1"])
def test_what_writes_is_the_newest_release_nothing_or_a_name(tmp_path: Path, chosen: str) -> None:
    assert load_settings(config(tmp_path, f'[writer]\nlora = "{chosen}"\n')).writer.lora == chosen
    assert load_settings(config(tmp_path, "")).writer.lora == "auto"


@pytest.mark.parametrize(
    "text",
    [
        "[writer]\ncontext_tokens = 0\n",
        '[search]\nfusion = "sum"\n',
        'language = "fr"\n',
        "[search.weights]\nmorpheme = 0\nbigram = 0\ndense = 0\n",
        "[answer]\nabstain_threshold = nan\n",
        "[answer]\nevidence_characters = 9000\n",
    ],
)
def test_values_out_of_range_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidSetting):
        load_settings(config(tmp_path, text))


@pytest.mark.parametrize(("context", "most", "fits"), [(4096, 4096, True), (4096, 4097, False), (8192, 4097, True)])
def test_what_is_too_long_to_be_served_is_not_learnt(tmp_path: Path, context: int, most: int, fits: bool) -> None:
    file = config(tmp_path, f"[writer]\ncontext_tokens = {context}\n[tuning.training]\nmost_tokens = {most}\n")
    if fits:
        assert load_settings(file).tuning.training.most_tokens == most
        return
    with pytest.raises(InvalidSetting) as caught:
        load_settings(file)
    for name in ("most_tokens", "context_tokens", str(context)):
        assert name in caught.value.explain("ko")


def test_settings_are_frozen(tmp_path: Path) -> None:
    settings = load_settings(config(tmp_path, ""))
    with pytest.raises(ValueError, match="frozen"):
        settings.writer.threads = 9


def test_a_source_given_by_the_environment_counts_from_where_the_person_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SASEO_SOURCES", '[{"name": "docs", "path": "docs"}]')
    assert load_settings(None).sources[0].options.path == tmp_path / "docs"
