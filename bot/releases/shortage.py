"""What a verdict lacks that could not tell for want of questions, and what helps: a value of the gate, and its words for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bot.messages import Language

_LINES: Mapping[Language, tuple[str, str]] = {
    "ko": (
        '{"question": "연차는 며칠입니까?", "page": "hr/annual-leave.md", "answers": ["15일"]}',
        '{"question": "반려동물 수당이 있습니까?", "answerable": false}',
    ),
    "en": (
        '{"question": "How many days of leave are there?", "page": "hr/annual-leave.md", "answers": ["15 days"]}',
        '{"question": "Is there a pet allowance?", "answerable": false}',
    ),
}
"""How a file of `[tuning] evaluation_sets` looks (jobs/evaluation_set.py)."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """How many there were and how many are needed, about."""

    questions: int
    questions_needed: int | None
    """Mixed as they are; None: more, and nobody can say how many."""
    groups: int
    """That hang together by their pages."""
    groups_needed: int
    unanswerable: int
    unanswerable_needed: int | None
    """None: there are enough of these, or nobody can say how many."""
    worse: tuple[str, ...] = ()
    """Guarded measures that came out worse by more than their margin, though it may be chance."""

    def as_json(self) -> dict[str, object]:
        """For the result of the gate's job."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Shortage:
        """What `as_json` gave."""
        return cls(**{**raw, "worse": tuple(raw.get("worse", ()))})  # results of before have none

    def counted(self, language: Language) -> str:
        """What there was and what is needed, in a sentence."""
        needed = []
        if language == "ko":
            needed.append(f"지금처럼 섞어 약 {self.questions_needed}개" if self.questions_needed else "훨씬 많은 질문")
            if self.groups < self.groups_needed:
                needed.append(f"서로 독립인 묶음 {self.groups_needed}개 이상")
            if self.unanswerable_needed:
                needed.append(f"답이 없는 질문 약 {self.unanswerable_needed}개")
            why = "나빠서가 아니라 질문이 부족해서 통과하지 못했습니다."
            if self.worse:
                why = (
                    f"허용 폭을 넘어 나빠진 것으로 측정된 항목이 {len(self.worse)}개 있는데, 우연인지 가리기에 질문이 부족해서 "
                    "통과하지 못했습니다."
                )
            return (
                f"{why} 물은 질문은 {self.questions}개(묶음 {self.groups}개, "
                f"답이 없는 질문 {self.unanswerable}개)이고, 필요한 것은 {', '.join(needed)}입니다."
            )
        needed.append(f"about {self.questions_needed}, mixed as now" if self.questions_needed else "many more")
        if self.groups < self.groups_needed:
            needed.append(f"at least {self.groups_needed} independent groups")
        if self.unanswerable_needed:
            needed.append(f"about {self.unanswerable_needed} unanswerable ones")
        why = "It did not fail by being worse: there are too few questions."
        if self.worse:
            why = (
                f"On {len(self.worse)} of the guarded measures it came out worse than the margin allows; there are too few questions "
                "to tell whether that is chance."
            )
        return (
            f"{why} Asked were {self.questions} ({self.groups} groups, "
            f"{self.unanswerable} unanswerable); needed are {', '.join(needed)}."
        )

    def advice(self, lora: str, language: Language) -> list[str]:
        """What to do, line by line; the middle ones are lines of a file."""
        if language == "ko":
            before = "평가 질문을 파일에 적어 주십시오. 한 줄에 하나, 여러 문서에 걸쳐, 넷에 하나쯤은 위키에 답이 없는 질문으로 적습니다:"
            after = (
                f'config.toml의 [tuning] 아래에 evaluation_sets = ["questions.jsonl"]을 적은 뒤 `saseo loras evaluate {lora}`을(를) '
                "실행하면 학습을 다시 하지 않고 판정만 다시 합니다. 승인된 예시를 늘려 다시 학습해도 되지만, 판정에는 그 가운데 "
                "학습하지 않고 남긴 몫([tuning.training] held_out_share)만 쓰입니다."
            )
        else:
            before = "Write questions into a file, one a line, over many pages, one in four of them with no answer in the wiki:"
            after = (
                f'Name it in config.toml, below [tuning]: evaluation_sets = ["questions.jsonl"]; then run `saseo loras evaluate {lora}`: '
                "it is judged again, not tuned again. More approved examples help, too, but only the part of them that is not learnt "
                "([tuning.training] held_out_share) is asked."
            )
        return [before, *(f"  {line}" for line in _LINES[language]), after]
