"""The words of `saseo gaps`."""

from __future__ import annotations

from bot.gaps import texts
from bot.gaps.gap import Gap
from bot.messages import Language

_BARS = "▁▂▃▄▅▆▇█"


def nothing(language: Language) -> str:
    """No gap in the list."""
    if language == "en":
        return "There are no gaps. They are found every night and after the job reindex, or now: `saseo jobs run gaps`."
    return "빈틈이 없습니다. 빈틈은 밤마다, 그리고 작업 reindex가 끝난 뒤에 찾습니다. 지금 찾기: `saseo jobs run gaps`"


def line(gap: Gap, language: Language) -> str:
    """One gap in a list."""
    counts = f"{gap.people} people, {gap.count} questions" if language == "en" else f"{gap.people}명, {gap.count}건"
    return f"{gap.id}  {spark(gap.weeks)}  {texts.state(gap.state, language)}  {texts.title(gap.title, gap.id, language)}  ({counts})"


def near(gap: Gap, language: Language) -> str:
    """The nearest page."""
    page = gap.nearest[0]
    share = texts.draft("closeness", language, share=round(100 * page.closeness))
    return f"{'nearest' if language == 'en' else '가까운 문서'}: {page.title} ({page.source}/{page.page}, {share})"


def spark(weeks: tuple[int, ...]) -> str:
    """Questions by week, as bars."""
    most = max(weeks, default=0)
    return "".join(_BARS[0] if not most else _BARS[round((len(_BARS) - 1) * week / most)] for week in weeks)


def head(gap: Gap, language: Language) -> str:
    """Above the draft."""
    reasons = ", ".join(f"{texts.reason(key, language)} {n}" for key, n in gap.reasons.items() if n)
    return f"{line(gap, language)}\n{reasons}"


def answered(page: str, language: Language) -> str:
    """The page that answers it."""
    return f"answered by {page}" if language == "en" else f"답하는 문서: {page}"


def exported(count: int, path: str, language: Language) -> str:
    """After an export."""
    return f"{count} gaps written to {path}." if language == "en" else f"빈틈 {count}개를 {path}에 썼습니다."


def changed(gap: str, state: str, language: Language) -> str:
    """After a decision."""
    return f"{gap}: {texts.state(state, language)}"
