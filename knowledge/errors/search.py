"""What is wrong with what the search is made of."""

from __future__ import annotations

from knowledge.errors.base import WikiError


class GlossaryError(WikiError):
    """The company's glossary cannot be used."""


class UnreadableGlossary(GlossaryError):
    """`path`, `reason`."""

    ko = "용어집 {path}을(를) 읽을 수 없습니다: {reason}. config.toml의 [search] glossary를 확인해 주십시오."
    en = "The glossary {path} cannot be read: {reason}. Check [search] glossary in config.toml."


class BadGlossary(GlossaryError):
    """`path`, `line`, `reason`."""

    ko = "용어집 {path}의 {line}번째 줄을 쓸 수 없습니다: {reason}. 그 줄을 고쳐 주십시오. 형식은 docs/search.ko.md에 있습니다."
    en = "Line {line} of the glossary {path} cannot be used: {reason}. Correct that line; docs/search.md has the form."


class BrokenWeights(WikiError):
    """`path`, `reason`."""

    ko = "평가에서 배운 검색 가중치 {path}이(가) 손상되어 설정한 값을 씁니다: {reason}. `saseo search-weights reset`으로 지워 주십시오."
    en = "The learnt search weights {path} are damaged, so the configured ones count: {reason}. Run `saseo search-weights reset`."


class SelfTestFailed(WikiError):
    """`check`, `reason`."""

    ko = "한국어 검색 자가 점검에 실패했습니다({check}: {reason}). `saseo doctor`로 원인을 확인해 주십시오."
    en = "The Korean search self-test failed ({check}: {reason}). See `saseo doctor`."
