"""What was mistyped is put right from the reader's own pages, and from nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.korean import Analyser
from knowledge.page import reader_of
from knowledge.search import SearchIndex, SearchOptions
from tests.conftest import Indexer, write_wiki

PAGES = {
    "휴가.md": "# 연차 규정\n\n연차는 법인카드와 상관없이 팀장이 승인합니다. 이월은 안 됩니다.\n",
    "보안.md": "# VPN 안내\n\nVPN 접속이 안 되면 헬프데스크로 전화합니다. 비밀번호는 90일마다 바꿉니다. kubernetes 계정도 같습니다.\n",
    "건강.md": "# 건강검진\n\n건강검진은 해마다 받습니다. 심장충격기는 1층에 있습니다.\n",
}
SECRET = {
    "매각.md": "---\naudience: [exec]\n---\n# 프로메테우스\n\n프로메테우스 매각협상은 삼월에 끝납니다. Zanzibar 계약서.\n"
}


def indexed(folder: Path, pages: dict[str, str], analyser: Analyser) -> SearchIndex:
    indexer = Indexer(write_wiki(folder / "wiki", pages), folder / "data", analyser)
    indexer.build()
    return indexer.open()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, analyser: Analyser) -> SearchIndex:
    return indexed(tmp_path_factory.mktemp("spelling"), PAGES | SECRET, analyser)


@pytest.fixture(scope="module")
def without_secrets(tmp_path_factory: pytest.TempPathFactory, analyser: Analyser) -> SearchIndex:
    return indexed(tmp_path_factory.mktemp("open"), PAGES, analyser)


@pytest.mark.parametrize(
    ("question", "reading", "written", "meant"),
    [
        ("dusck 며칠?", "keys", "dusck", "연차"),
        ("dusck를 쓰려면", "keys", "dusck", "연차"),
        ("ㅍㅔㅜ 접속", "keys", "ㅍㅔㅜ", "vpn"),
        ("법인까드 분실", "spelling", "법인까드", "법인카드"),
        ("건강겁진 언제", "spelling", "건강겁진", "건강검진"),
        ("심장충겨기 어디", "spelling", "심장충겨기", "심장충격기"),
        ("kubernets 계정", "spelling", "kubernets", "kubernetes"),
    ],
)
def test_a_slip_is_put_right_and_said(
    index: SearchIndex, question: str, reading: str, written: str, meant: str
) -> None:
    found = index.search(question, reader_of())
    assert [(one.reading, one.written, one.meant.replace(" ", "")) for one in found.understood] == [
        (reading, written, meant)
    ]
    assert meant in found.text.replace(" ", "")


@pytest.mark.parametrize(
    "question",
    [
        "연차 며칠?",
        "VPN 접속",
        "kubernetes 계정",
        "https://dusck.example/dusck",
        "dusck-100",
        "코드 A1B2",
        "90일",
        "91일",
        "Slack 알림",
    ],
)
def test_what_is_known_or_a_code_is_left_alone(index: SearchIndex, question: str) -> None:
    found = index.search(question, reader_of())
    assert found.understood == ()
    assert found.text == question


@pytest.mark.parametrize("slip", ["프로메테우수 언제", "매각협샹 언제", "vmfhapxpdntm", "Zanzibat", "ㅋ무큐ㅠㅁㄱ"])
def test_a_word_of_restricted_pages_is_offered_to_their_readers_alone(
    index: SearchIndex, without_secrets: SearchIndex, slip: str
) -> None:
    assert index.search(slip, reader_of()).understood == without_secrets.search(slip, reader_of()).understood == ()


def test_readers_of_restricted_pages_have_their_words_put_right(index: SearchIndex) -> None:
    found = index.search("프로메테우수 언제", reader_of(["exec"]))
    assert [one.meant for one in found.understood] == ["프로메테우스"]
    assert found.hits[0].passage.page == "매각.md"


_PIECES = [
    "연챠",
    "프로메테우수",
    "프로메테우스",
    "매각협샹",
    "Zanzibat",
    "법인까드",
    "dusck",
    "심장충겨기",
    "언제",
    "비밀번오",
    "계약셔",
]


@settings(max_examples=60)
@given(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=4), st.sampled_from(["", " "]))
def test_a_question_is_understood_as_if_restricted_pages_did_not_exist(
    index: SearchIndex, without_secrets: SearchIndex, pieces: list[str], between: str
) -> None:
    question = between.join(pieces)
    seen, alone = index.search(question, reader_of()), without_secrets.search(question, reader_of())
    assert (seen.understood, seen.text) == (alone.understood, alone.text)


@settings(max_examples=80)
@given(
    st.text(st.sampled_from("연차법인까드겁진ㅍㅔㅜㅋVPNdusck㈜ﬁİＡ９1%!? \n\u1112\u1161\u11ab🤔\u0301"), max_size=40)
)
def test_no_question_makes_it_fail(index: SearchIndex, question: str) -> None:
    found = index.search(question, reader_of())
    assert bool(found.understood) <= bool(found.text)
    assert all(one.written and one.meant for one in found.understood)


def test_without_tolerance_a_question_stays_as_it_is(index: SearchIndex) -> None:
    strict = SearchIndex(index.edition, index.analyser, index.embedder, SearchOptions(tolerant=False))
    found = strict.search("dusck 법인까드", reader_of())
    assert (found.understood, found.text) == ((), "dusck 법인까드")
