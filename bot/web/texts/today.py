"""What 오늘 says."""

from __future__ import annotations

STRINGS = {
    "today.title": ("오늘", "Today"),
    "today.span": ("기간", "Period"),
    "today.days": ("{n}일", "{n} days"),
    "today.questions": ("오늘 질문", "Questions today"),
    "today.questions.usual": ("지난 7일 하루 평균 {n}건", "{n} a day in the 7 days before"),
    "today.answered": ("답변한 비율", "Answered"),
    "today.thumbs": ("좋아요 비율", "Thumbs up"),
    "today.thumbs.note": (
        "오늘 좋아요 {up} · 싫어요 {down} · 지난 7일 {before}",
        "today {up} up · {down} down · 7 days before {before}",
    ),
    "today.thumbs.given": ("평가", "Thumbs"),
    "today.up": ("좋아요", "Thumbs up"),
    "today.down": ("싫어요", "Thumbs down"),
    "today.share": ("비중", "Share"),
    "today.before": ("지난 7일 {before}", "{before} in the 7 days before"),
    "today.change": ("지난 7일 {before} ({points:+d}%p)", "{before} in the 7 days before ({points:+d} pts)"),
    "today.first_token": ("첫 글자까지 (중앙값)", "To the first word (median)"),
    "today.whole": ("답변 완료까지 (중앙값)", "To the whole answer (median)"),
    "today.whole.slow": ("답변 완료까지 (느린 5%)", "To the whole answer (slowest 5 %)"),
    "today.slow": ("느린 5%: {slow} 이상 · 지난 7일 {before}", "slowest 5 %: {slow} or more · 7 days before {before}"),
    "today.waiting": ("지금 처리 중", "In progress now"),
    "today.waiting.note": ("대기와 작성을 합한 질문 수", "questions waiting or being written"),
    "today.cost": ("오늘 비용", "Cost today"),
    "today.cost.value": ("{n}원", "{n} KRW"),
    "today.cost.note": ("토큰 읽기 {read} · 쓰기 {written}", "tokens read {read} · written {written}"),
    "today.written": ("쓴 토큰", "Tokens written"),
    "today.pictures": ("최근 {n}일", "The last {n} days"),
    "today.chart.questions": ("질문과 결과", "Questions and outcomes"),
    "today.chart.questions.summary": (
        "최근 {days}일 동안 질문 {questions}건, 끝난 질문 중 {answered}에 답했습니다.",
        "{questions} questions in {days} days; {answered} of those that ended were answered.",
    ),
    "today.chart.thumbs": ("평가", "Thumbs"),
    "today.chart.thumbs.summary": (
        "최근 {days}일 동안 좋아요 {up}건, 싫어요 {down}건을 받았습니다.",
        "{up} thumbs up and {down} down in {days} days.",
    ),
    "today.chart.seconds": ("걸린 시간", "Time taken"),
    "today.chart.seconds.summary": (
        "최근 {days}일 동안 답변 절반은 {half}초 안에, 95%는 {slow}초 안에 끝났습니다.",
        "In {days} days half of the answers took at most {half} s, 95 % at most {slow} s.",
    ),
    "today.chart.tokens": ("쓴 토큰", "Tokens written"),
    "today.chart.tokens.summary": (
        "최근 {days}일 동안 토큰 {read}개를 읽고 {written}개를 썼으며 비용은 {cost}원입니다.",
        "{read} tokens read and {written} written in {days} days, for {cost} KRW.",
    ),
    "today.nothing": (
        "최근 {n}일 동안 들어온 질문이 없습니다.",
        "There were no questions in the last {n} days.",
    ),
    "today.places": ("어디에서 물었나", "Where it was asked"),
    "today.place": ("장소", "Place"),
    "today.asked": ("질문", "Questions"),
    "today.places.more": ("질문이 더 적은 장소 {n}곳은 생략했습니다.", "{n} places with fewer questions are left out."),
    "today.places.list": ("{place}의 대화 보기", "Conversations in {place}"),
    "today.empty.title": ("아직 질문이 없습니다", "No questions yet"),
    "today.empty.why": (
        "첫 질문이 들어오면 여기에 질문 수, 답변 비율, 평가, 걸린 시간이 표시됩니다.",
        "Once somebody asks, this page shows how many questions came, how many were answered, the thumbs and the time taken.",
    ),
    "today.empty.index": (
        "위키를 색인합니다. 이 명령을 실행하거나 위키 화면에서 시작합니다.",
        "Index the wiki with this command, or start it on the page Wiki.",
    ),
    "today.empty.check": (
        "설정을 점검합니다. 빠진 것과 고치는 방법을 알려 줍니다.",
        "Check the installation: this says what is missing and how to mend it.",
    ),
    "today.empty.connect": (
        "Slack이나 Discord를 연결합니다. config.toml의 [slack] 또는 [discord]에서 이렇게 바꿉니다.",
        "Connect Slack or Discord: write this into [slack] or [discord] of config.toml.",
    ),
    "today.empty.ask": ("첫 질문을 해 봅니다.", "Ask the first question."),
    "today.empty.ask.button": ("물어보기", "Ask"),
}
