"""The company's own words: read with every mistake named by its line, found whole and by their parts, both ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.build import BuildOptions, build
from knowledge.edition import EditionShelf
from knowledge.errors import BadGlossary, UnreadableGlossary
from knowledge.glossary import NO_WORDS, Entry, Glossary, load_glossary
from knowledge.hits import Understood
from knowledge.korean import Analyser, analyser_name, self_test
from knowledge.page import Audience, reader_of
from knowledge.search import SearchIndex, SearchOptions
from knowledge.sources.folder import FolderSource
from tests.conftest import write_wiki
from tests.fakes.hash_embedder import HashEmbedder

WORDS = Glossary(
    (
        Entry("가상사설망", ("VPN", "브이피엔")),
        Entry("에듀테크지원금", ("자기계발비",)),
        Entry("오로라", ("인수합병",)),
        Entry("법인카드"),
    )
)
PAGES = {
    "망.md": "# 가상사설망\n\n가상사설망은 회사 노트북에서만 접속합니다.\n",
    "지원.md": "# 복지\n\n에듀테크 지원금은 한 해 30만 원입니다.\n",
    "지원2.md": "# 신청\n\n에듀테크지원금을 받으려면 영수증을 냅니다.\n",
    "비밀.md": "---\naudience: [exec]\n---\n# 인수합병\n\n인수합병 일정은 임원만 봅니다.\n",
    "밥.md": "# 식당\n\n점심은 열두 시부터입니다.\n",
}


def read(folder: Path, text: str) -> Glossary:
    path = folder / "glossary.toml"
    path.write_text(text, encoding="utf-8")
    return load_glossary(path)


def test_a_glossary_is_read(tmp_path: Path) -> None:
    found = read(
        tmp_path, '[[entry]]\nterm = "가상사설망"\naliases = ["VPN"]\nparts = ["가상", "사설망"]\nnote = "x"\n'
    )
    assert found.entries == (Entry("가상사설망", ("VPN",), ("가상", "사설망")),)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('[[entry]]\nterm = "연차"\n\n[[entry]]\nterm = "휴가"\naliases = ["연차"]\n', 4, "line 1"),
        ('[[entry]]\nterm = "연차"\naliases = ["연 차"]\n', 1, "already"),
        ('[[entry]]\nterm = "연차"\nalias = ["휴가"]\n', 1, "'alias'"),
        ('[[entries]]\nterm = "연차"\n', 1, "'entries'"),
        ('# 말\n[[entry]]\naliases = ["휴가"]\n', 2, "term"),
        (f'[[entry]]\nterm = "{"가" * 41}"\n', 1, "40"),
        ('[[entry]]\nterm = "비"\n', 1, "2"),
        ('[[entry]]\nterm = "에듀테크지원금"\nparts = ["에듀테크", "지원"]\n', 1, "parts"),
        ('[[entry]]\nterm = "연차"\naliases = "휴가"\n', 1, "list"),
        ('[[entry]]\nterm = "연차"\n\n[[entry]\n', 4, "4"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(BadGlossary) as caught:
        read(tmp_path, text)
    assert caught.value.details["line"] == line
    assert said in str(caught.value)


def test_the_example_glossary_is_one() -> None:
    found = load_glossary(Path(__file__).parents[2] / "examples" / "glossary.toml")
    assert "법카" in {name for entry in found.entries for name in entry.names}


def test_a_glossary_that_is_not_there_or_not_utf8_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableGlossary, match=r"none\.toml"):
        load_glossary(tmp_path / "none.toml")
    (tmp_path / "old.toml").write_bytes('term = "연차"'.encode("cp949"))
    with pytest.raises(UnreadableGlossary, match="UTF-8"):
        load_glossary(tmp_path / "old.toml")


def test_only_what_changes_morphemes_changes_the_name_of_the_analyser() -> None:
    assert analyser_name(NO_WORDS) == analyser_name(None) == analyser_name()
    one, split = Glossary((Entry("연차", ("휴가",)),)), Glossary((Entry("연차"), Entry("휴가")))
    assert analyser_name(one) == analyser_name(split) != analyser_name()


@pytest.fixture(scope="module")
def glossed() -> Analyser:
    """Kiwi with the words: an own one, since words cannot be taken out again."""
    return Analyser(glossary=WORDS)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, glossed: Analyser) -> SearchIndex:
    folder = tmp_path_factory.mktemp("glossary")
    source = FolderSource("wiki", write_wiki(folder / "wiki", PAGES), Audience.of(["everyone"]))
    options = BuildOptions(EditionShelf(folder / "editions"), folder / "cache.sqlite", HashEmbedder.id)
    build([source], options, lambda: glossed, HashEmbedder)
    return SearchIndex(options.shelf.open(), glossed, HashEmbedder(), SearchOptions(glossary=WORDS))


@pytest.mark.parametrize(
    "sentence", ["{}", "{}를 분실했습니다.", "{} 한도가 얼마예요", "{}분실했어요", "어제 {}로는 안 됐습니다"]
)
def test_a_name_is_cut_alike_in_every_sentence(glossed: Analyser, sentence: str) -> None:
    assert glossed.morphemes(sentence.format("법인카드"))[:4].count("법인카드") == 1
    assert glossed.morphemes("가상사설망 접속") == ["가상사설망", "가상", "사설", "망", "접속"]
    assert glossed.morphemes("브이피엔은 접속이 됩니다")[:2] == ["브이피엔", "접속"]
    self_test(glossed)


def test_a_compound_is_kept_whole_and_found_by_its_parts(glossed: Analyser) -> None:
    assert glossed.morphemes("에듀테크지원금을 신청") == ["에듀테크지원금", "에듀테크", "지원금", "신청"]
    assert glossed.morphemes("에듀테크 지원금") == ["에듀테크", "지원금"]


@pytest.mark.parametrize("question", ["에듀테크지원금 얼마야?", "에듀테크 지원금 얼마야?", "지원금 얼마야?"])
def test_written_together_or_apart_both_pages_are_found(index: SearchIndex, question: str) -> None:
    found = index.search(question, reader_of(), 2)
    assert {hit.passage.page for hit in found.hits} == {"지원.md", "지원2.md"}
    assert found.evidence.coverage == pytest.approx(
        index.search("지원금 얼마야?", reader_of()).evidence.coverage, abs=0.4
    )


@pytest.mark.parametrize("name", ["VPN", "vpn", "브이피엔", "가상사설망", "가상 사설망"])
def test_every_name_of_a_thing_finds_its_page(index: SearchIndex, name: str) -> None:
    assert index.search(f"{name}은 어디서 접속해?", reader_of(), 1).hits[0].passage.page == "망.md"


def test_what_was_added_is_said_and_only_names_that_pages_use_are(index: SearchIndex) -> None:
    assert index.search("VPN 접속", reader_of()).understood == (Understood("glossary", "VPN", "가상사설망"),)
    assert index.search("가상사설망 접속", reader_of()).understood == ()
    assert index.search("점심 시간", reader_of()).understood == ()


def test_a_name_that_stands_only_on_restricted_pages_is_added_for_their_readers_alone(index: SearchIndex) -> None:
    assert index.search("오로라 일정", reader_of()).understood == ()
    found = index.search("오로라 일정", reader_of(["exec"]))
    assert found.understood == (Understood("glossary", "오로라", "인수합병"),)
    assert found.hits[0].passage.page == "비밀.md"


def test_another_name_counts_less_than_the_written_one(index: SearchIndex) -> None:
    written, other = (
        index.search(f"{name} 접속", reader_of()).evidence.coverage for name in ("가상사설망", "브이피엔")
    )
    assert 0.5 < other < written == pytest.approx(1.0)
