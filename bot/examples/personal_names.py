"""Korean names of people, found only where the words around them say that a person is meant.

A name is a family name and one or two syllables that names are made of, and it stands before a title or 님/씨, after a label
such as 담당자:, after a title, a team or @, in a row of such names, or beside a number of a person that is masked already. A
name found once is masked wherever else it starts a word. Without such a sign nothing is masked: "노트북" and "고객사" begin like
names too. Family name and title alone ("김 과장") stay, as do names in Latin letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.examples.personal_kinds import MARKS, PersonalKind

_PERSONS_MARK = "[{}]".format(
    "".join(
        MARKS[kind]
        for kind in PersonalKind
        if kind not in (PersonalKind.NAME, PersonalKind.ADDRESS, PersonalKind.BUSINESS_NUMBER)
    )
)
_FAMILY = (
    "김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허남심노하곽성차주우구민진지엄채원천방공현함변염여추도석선설마"
    "길위표왕금옥육맹제모탁라어은봉예나"
)
_FAMILY_TWO = "남궁|황보|제갈|사공|선우|서문|독고|동방"
_GIVEN = (
    "가강건겸경계고관광교구국군권규균근금기길나남녕다단달담대덕도동두라란래려련렬령례로록룡루류률리린림마만말매명목무문"
    "미민배백범별병보복봉비빈빛산삼상새서석선설섭성세소솔송수숙순슬승시신심아안애양언연열영예오옥온완용우욱운웅원월유"
    "윤율은을의이익인일임자장재전정제조종주준중지진찬창채천철청초춘충치탁태택평표필하학한해향헌혁현형혜호홍화환효후훈"
    "휘희람봄샘결늘든솜귀검곤식본갑흥항득돈왕울흠요량섬엽염엘암억여융음최협란"
)
_THREE = rf"(?:[{_FAMILY}][{_GIVEN}]{{2}}|(?:{_FAMILY_TWO})[{_GIVEN}]{{1,2}})"
_TWO = rf"[{_FAMILY}][{_GIVEN}]"
_TITLE = (
    r"(?:대리|과장|차장|부장|팀장|실장|본부장|그룹장|파트장|센터장|지점장|소장|국장|원장|사장|부사장|회장|부회장|대표이사|대표|이사|"
    r"상무|전무|감사|고문|매니저|책임연구원|선임연구원|수석연구원|연구원|책임|선임|수석|프로|사원|주임|인턴|계장|반장|조장|직장|"
    r"기사|변호사|노무사|세무사|회계사|교수|박사|선생|강사|간호사|고객|학생|담당자|위원)"
)
_PARTICLE = r"(?:이에요|예요|입니다|이며|이고|이라고|라고|에게서|에게|께서|께|한테|하고|이랑|랑|으로|로|은|는|이|가|을|를|의|도|와|과|만)"
_WORD_ENDS = rf"(?={_PARTICLE}?(?![가-힣A-Za-z0-9]))"
_TITLE_ENDS = rf"(?:님|들|단)?(?:이(?:자|며|고|신|십)|입|인|{_PARTICLE})?"
_LABEL = (
    r"(?:성명|이름|담당자|담당|신청자|신청인|작성자|기안자|승인자|결재자|검토자|검토|대표자|예금주|수신인|수취인|받는 ?사람|보내는 ?사람|"
    r"보호자|퇴사자|입사자|대상자|참석자|면접자|지원자|고객명|계약자|책임자|보고자|당직자|당직|강사|생일자|출장자|사용자명|면접 ?대상자|"
    r"대리인|추천인|수신|발신|참석|참조|인원|명단|[가-힣]{1,4}자)"
)
_JOINT = r"(?: ?[,·/、;&] ?|(?:와|과|하고|이랑|랑) | 및 | )"

_BEFORE_TITLE = re.compile(rf"(?<![가-힣A-Za-z0-9])(?P<name>{_THREE}) ?{_TITLE}{_TITLE_ENDS}(?![가-힣])")
_BEFORE_HONORIFIC = re.compile(
    rf"(?<![가-힣A-Za-z0-9])(?P<name>{_THREE}) ?(?:님|씨)(?:{_PARTICLE}|들|의|네)?(?![가-힣])"
)
_SHORT_HONORIFIC = re.compile(rf"(?<![가-힣A-Za-z0-9])(?P<name>{_TWO}) 씨(?:{_PARTICLE})?(?![가-힣])")
_AFTER_TITLE = re.compile(
    rf"(?<![가-힣])(?:[가-힣]{{1,8}} )?(?:{_TITLE}|[가-힣A-Za-z]{{2,8}}(?:팀|실|본부|센터|그룹|파트)) (?P<name>{_THREE}){_WORD_ENDS}"
)
_AFTER_LABEL = re.compile(
    rf"{_LABEL}(?: ?: ?(?P<colon>)| ?\| ?|[은는]? )(?P<names>(?:{_THREE}|{_TWO})(?:{_JOINT}{_THREE}){{0,20}}){_WORD_ENDS}"
)
_ADDRESSED = re.compile(rf"(?<![가-힣A-Za-z0-9])(?P<name>{_THREE})(?:한테서?|께서?|에게서?)(?:는|도|만)?(?![가-힣])")
_INTRODUCED = re.compile(rf"(?:이름은|저는) (?P<name>{_THREE})(?:입니다|이에요|예요|이라고|이고|라고)")
_MENTIONED = re.compile(rf"@(?P<name>{_THREE})(?![가-힣A-Za-z0-9])")
_ROW = re.compile(
    rf"(?<![가-힣A-Za-z0-9])(?<![가-힣][,·/] )(?<![가-힣][,·/])(?P<names>{_THREE}(?: ?[,·/、] ?{_THREE}){{2,40}}){_WORD_ENDS}"
)
_BESIDE_MARK = re.compile(
    rf"(?<![가-힣A-Za-z0-9])(?P<name>{_THREE})(?:님|씨)?(?: ?{_TITLE}님?)?"
    rf" ?[(,:/|]{{0,2}} ?(?:(?:연락처|휴대폰|휴대전화|전화|핸드폰|주민번호|주민등록번호|이메일|메일|HP|Tel|T|M)[.:]? ?)?{_PERSONS_MARK}"
)
_AFTER_MARK = re.compile(
    rf"[{MARKS[PersonalKind.ADDRESS]}{_PERSONS_MARK[1:]} ?[,/(|]? ?(?P<name>{_THREE})(?= ?(?:앞|귀하|\)|님|씨|$))",
    re.MULTILINE,
)
_FOREIGN = re.compile(rf"(?<![가-힣A-Za-z0-9])(?P<name>[가-힣]{{2,7}}) 씨(?:{_PARTICLE})?(?![가-힣])")
_NAME = re.compile(rf"{_THREE}|{_TWO}")
_WORD = re.compile(r"(?<![가-힣])[가-힣]{3,12}")
_SIGNS = (
    (_BEFORE_HONORIFIC, False),
    (_SHORT_HONORIFIC, False),
    (_INTRODUCED, False),
    (_MENTIONED, False),
    (_ADDRESSED, True),
    (_BEFORE_TITLE, True),
    (_AFTER_TITLE, True),
    (_BESIDE_MARK, True),
    (_AFTER_MARK, True),
)
_NO_LAST = frozenset("을를로만다에고의시")
_BEFORE_JA = frozenset("영순미경명춘숙옥정말금은혜복희")
"""Women's names in -자 (영자, 순자); elsewhere -자 is whoever does something (채무자, 제보자)."""
_NOUN_LAST = frozenset("은는이가의도와과시일자용형별분한할함률율성액금비제권서표증장실부")
_NOT_ENDINGS = (
    "유서",
    "단서",
    "산서",
    "위서",
    "청서",
    "고서",
    "적서",
    "획서",
    "세서",
    "의서",
    "인서",
    "안서",
    "구자",
    "당자",
    "용자",
)

_NOT_NAMES = frozenset(
    (
        "구성원 주재원 최우수 이용자 지원자 신청인 민원인 임원진 이미지 고용주 현지인 정비사 성인용 전임자 주민세 "
        "신임자 조정자 선임자 후임자 지정인 양수인 양도인 도급인 수급인 수탁인 위임자 위탁자 신고자 기안자 검토자 "
        "결재자 승인자 한정판 전세대 주관사 주주사 고위험 고성능 신세계 전자금 공정성 주소지 연구원 연구소 연수원 "
        "조사원 조사자 공무원 사무원 안내원 경비원 상담원 정규화 유지비 정기전 정기권 신용도 인사고 공사비 지도자 "
        "이수자 유경험 경력자 구매자 구독자 소유자 소지자 수혜자 인수자 지급자 추진자 방문자 사용자 보호자 부양자 "
        "감독자 관리자 운영자 유권자 주도자 진행자 기획자 기술자 노동자 근로자 우선순 전문의 전공의 이사회 지배인 "
        "주최자 주관자 공급자 공유자 남녀용 전자파 강사료 원고료 연장자 제조사 인도일 부재중 지하도 지하철 전용선 "
        "전용기 공용기 고정비 고정자 유동비 성수기 비수기 주력제 원자재 부자재 인건비 한국인 방송인 정치인 공인인 "
        "여성용 남성용 예금주 안보리 추기경 추천인 공고인 의뢰인 이슬람 마리아 배송지 거주지 수령지 방문용 유효성 "
        "진정성 안전성 공공성 연계자 경영진 개발자 설계자 디자이너 차주말 금주말 지난주 이번주 다음주 우수자 "
        "성적자 성과자 여권만 조장님 선장님 원장님"
    ).split()
)
_NOT_FOREIGN = frozenset("아무개 담당자 신청자 지원자 고추 호박 수박 해바라기 포도 사과 부장 과장 어느 모".split())
_NOT_SHORT = frozenset(
    (
        "인사 총무 정보 구매 전산 운영 주임 전원 주소 이상 이하 이전 이후 공지 공유 지원 고객 기안 전달 전결 "
        "주관 주무 지도 명단 전체 신규 신청 유지 유관 여부 이동 이용 안전 연구 우선 원장 정규 정기 정상 조기 "
        "조정 진행 차기 현장 현재 홍보 기획 기술 기준 관리 경영 경리 공사 공정 구두 국내 금지 남자 도장 모두 "
        "모집 문의 문서 미정 민원 반장 방문 배송 배정 변경 보안 본인 부재 부서 사유 상담 서면 서명 선정 설계 "
        "성명 소장 송금 수신 승인 시행 심의 양식 영업 예산 예정 오전 오후 외주 원본 위원 위임 유효 은행 의무 "
        "인수 인원 임원 임시 자동 장기 재무 전문 전자 전화 제조 조달 조직 주간 주문 주민 중요 지사 지정 진단 "
        "차량 천장 추천 표준 하도 한도 해외 현금 형식 회계 회사 회의 경비 노무 도구 복구 분기 서무 여기 저기 "
        "인권 하단 상단 지명 선호 하위 상위 임신 출산 휴직 복직 국문 권한 명의 소관 제도 기관 사람 안내 이름 "
        "성함 주의 한국 지역 공통 차등 우리 하나 전부 각자 전임 신임"
    ).split()
)


def personal_names(text: str) -> Iterator[tuple[int, int]]:
    """Spans of names in a view's text; may overlap. What already stands as a mark is a sign, never part of a name."""
    certain: set[str] = set()
    for start, end in _by_signs(text):
        certain.add(text[start:end])
        yield start, end
    yield from _again(text, frozenset(name for name in certain if len(name) > 2))


def _by_signs(text: str) -> Iterator[tuple[int, int]]:
    for pattern, weak in _SIGNS:
        for match in pattern.finditer(text):
            if _may_be_a_name(match["name"], weak):
                yield match.span("name")
    for match in _FOREIGN.finditer(text):
        if match["name"] not in _NOT_FOREIGN:
            yield match.span("name")
    for match in _AFTER_LABEL.finditer(text):
        for part in _NAME.finditer(text, *match.span("names")):
            if (len(part[0]) > 2 or match["colon"] is not None) and _may_be_a_name(part[0], weak=True):
                yield part.span()
    for match in _ROW.finditer(text):
        parts = list(_NAME.finditer(text, *match.span("names")))
        if all(_may_be_a_name(part[0], weak=False) for part in parts):
            yield from (part.span() for part in parts)


def _may_be_a_name(word: str, weak: bool) -> bool:
    """Not a common word; after a `weak` sign also not one with a particle or a common ending."""
    if len(word) == 2:
        return word not in _NOT_SHORT
    if word in _NOT_NAMES or word.endswith(_NOT_ENDINGS):
        return False
    if weak and word[-1] == "자" and word[-2] not in _BEFORE_JA:
        return False
    return not (weak and (word[-1] in _NO_LAST or (word[:2] in _NOT_SHORT and word[-1] in _NOUN_LAST)))


def _again(text: str, names: frozenset[str]) -> Iterator[tuple[int, int]]:
    """The same names elsewhere, at the beginning of a word."""
    if not names:
        return
    for match in _WORD.finditer(text):
        for length in (4, 3):
            if len(match[0]) >= length and match[0][:length] in names:
                yield match.start(), match.start() + length
                break
