"""모델 as a browser asks for it: what answers, what the gate says, and every decision with its rules."""

from __future__ import annotations

import html
import json
import re
import time
from pathlib import Path

import pytest

from bot.store import audit, examples, loras
from bot.store.database import Store
from bot.store.web_accounts import Role
from jobs.tuning.course import course
from tests.bot.examples.rows import example
from tests.bot.web.conftest import Opening, add_account
from tests.bot.web.lora_shelf import Company, make_company, seen
from tests.bot.web.test_review import text_of


@pytest.fixture
def company(store: Store, tmp_path: Path) -> Company:
    return make_company(store, tmp_path)


def actions(company: Company) -> list[tuple[str, str, str]]:
    """Who decided what, of which; whoever sits at a browser is on record with their address."""
    found = [*reversed(company.store.run_now(audit.entries, action="lora."))]
    assert all(one.origin for one in found if one.by.startswith("web:"))
    return [(one.by, one.action, one.subject) for one in found]


async def test_the_page_names_the_base_what_answers_and_every_lora_with_its_state(
    browse: Opening, company: Company
) -> None:
    first, second, third = company.names
    company.evaluate(first)
    company.releases.promote(first, by="auto")
    company.evaluate(second, first)
    company.releases.promote(second, by="auto", share=0.2)
    company.releases.mark(third, "잊어 달라고 함", by="privacy")
    told = text_of((await browse([company.page()]).get("/models")).text)
    assert f"tiny 크기 940 MiB 대화 형식 chatml SHA-256 {company.base}" in told
    assert f"지금 답하는 LoRA {first} {second} 대화의 20%에 시험 중" in told
    assert re.search(rf"{first} 지금 답함 통과 기반 모델\(LoRA 없음\) 대비 1 ", told)
    assert re.search(rf"{second} 시험 중 통과 {first} 대비 2 ", told)
    assert re.search(rf"{third} 사용 중지 판정 없음 3 ", told)


async def test_a_lora_that_passed_is_promoted_and_rolled_back_and_both_are_on_record(
    browse: Opening, company: Company
) -> None:
    first, second, _ = company.names
    for name, against in ((first, "none"), (second, first)):
        company.evaluate(name, against)
    browser = browse([company.page()])
    assert "배포를 막는 것이 없습니다" in (await browser.get(f"/models/lora/{first}")).text
    page = await browser.post("/models/promote", {"name": first})
    assert f"{first}(으)로 답합니다" in page.text
    page = await browser.post("/models/promote", {"name": second, "reason": "더 낫다"})
    assert company.answers() == second
    page = await browser.post("/models/rollback", {"reason": "전화가 왔음", "seen": seen(page.text)})
    assert company.answers() == first
    assert "전화가 왔음" in page.text
    assert actions(company) == [
        ("web:local", "lora.promote", first),
        ("web:local", "lora.promote", second),
        ("web:local", "lora.rollback", first),
    ]
    assert "전화가 왔음" not in repr(company.store.run_now(audit.entries))


async def test_a_part_of_the_conversations_tries_it_and_ending_that_keeps_what_answered(
    browse: Opening, company: Company
) -> None:
    first, second, _ = company.names
    company.evaluate(first)
    company.releases.promote(first, by="auto")
    company.evaluate(second, first)
    browser = browse([company.page()])
    await browser.get("/models")
    page = await browser.post("/models/promote", {"name": second, "share": " 12,5 % "})
    assert "대화의 12%에" in page.text
    assert "시험 끝내기" in page.text
    assert company.answers() == first
    page = await browser.post("/models/rollback", {"seen": seen(page.text)})
    assert company.answers() == first
    assert "시험 끝내기" not in page.text


async def test_a_trial_that_ended_meanwhile_is_not_ended_by_taking_back_what_answers(
    browse: Opening, company: Company
) -> None:
    first, second, _ = company.names
    company.evaluate(first)
    company.releases.promote(first, by="auto")
    company.evaluate(second, first)
    company.releases.promote(second, by="kim", share=0.1)
    browser = browse([company.page()])
    page = await browser.get("/models")
    company.releases.rollback(by="lee")
    for given in (seen(page.text), "", "x"):
        refused = await browser.post("/models/rollback", {"seen": given})
        assert refused.status_code == 409
        assert "그사이 배포가 바뀌어" in refused.text
        assert company.answers() == first
    page = await browser.get("/models")
    await browser.post("/models/rollback", {"seen": seen(page.text)})
    assert company.answers() == "none"


@pytest.mark.parametrize("share", ["0", "100", "-3", "많이", "nan"])
async def test_a_share_that_is_none_is_refused(browse: Opening, company: Company, share: str) -> None:
    company.evaluate(company.names[0])
    browser = browse([company.page()])
    await browser.get("/models")
    answer = await browser.post("/models/promote", {"name": company.names[0], "share": share})
    assert answer.status_code == 409
    assert "0보다 크고 100보다 작은" in answer.text
    assert actions(company) == []


@pytest.mark.parametrize("evaluated", [True, False])
async def test_what_the_gate_did_not_let_through_needs_a_reason_which_stays_on_record(
    browse: Opening, company: Company, evaluated: bool
) -> None:
    name = company.names[0]
    if evaluated:
        company.evaluate(name, passed=False)
    browser = browse([company.page()])
    page = await browser.get(f"/models/lora/{name}")
    assert "배포를 막는 것" in page.text
    refused = await browser.post("/models/promote", {"name": name})
    assert refused.status_code == 409
    assert ("통과하지 못했습니다" if evaluated else "판정이 아직 없습니다") in refused.text
    await browser.get("/models")
    refused = await browser.post("/models/promote", {"name": name, "overrule": "1", "reason": "  "})
    assert refused.status_code == 409
    assert company.answers() == "none"
    await browser.get("/models")
    page = await browser.post("/models/promote", {"name": name, "overrule": "1", "reason": "시연 때문에"})
    assert company.answers() == name
    assert "판정과 다르게 결정" in page.text
    assert "시연 때문에" in page.text
    (entry,) = company.store.run_now(audit.entries, action="lora.promote")
    assert entry.detail["overruled"] is True


async def test_a_marked_lora_and_one_for_another_base_cannot_be_promoted(browse: Opening, company: Company) -> None:
    marked, other, _ = company.names
    company.releases.mark(marked, "잊어 달라고 함", by="privacy")
    browser = browse([company.page()])
    page = (await browser.get(f"/models/lora/{marked}")).text
    assert 'id="promote"' not in page
    assert "잊어 달라고 함" in page
    answer = await browser.post("/models/promote", {"name": marked, "overrule": "1", "reason": "그래도"})
    assert answer.status_code == 409
    company.base = "f" * 64
    browser = browse([company.page()])
    page = (await browser.get(f"/models/lora/{other}")).text
    assert 'id="promote"' not in page
    assert "다른 모델용" in page


async def test_a_lora_that_does_not_answer_is_deleted_and_its_record_stays(browse: Opening, company: Company) -> None:
    first, second, _ = company.names
    company.evaluate(first)
    company.releases.promote(first, by="auto")
    browser = browse([company.page()])
    assert "/models/delete" not in (await browser.get(f"/models/lora/{first}")).text
    assert (await browser.post("/models/delete", {"name": first})).status_code == 409
    await browser.get("/models")
    page = await browser.post("/models/delete", {"name": second})
    assert f"{second}의 파일을 지웠습니다" in page.text
    assert second not in [one.name for one in company.shelf.every()]
    kept = company.store.run_now(loras.get, second)
    assert kept is not None
    assert kept.deleted_at is not None
    assert "지움" in (await browser.get(f"/models/lora/{second}")).text
    assert actions(company)[-1] == ("web:local", "lora.delete", second)


@pytest.mark.parametrize("role", ["viewer", "reviewer"])
@pytest.mark.parametrize("path", ["promote", "rollback", "delete"])
async def test_only_admins_decide(browse: Opening, company: Company, role: Role, path: str) -> None:
    first, second, _ = company.names
    company.evaluate(first)
    company.releases.promote(first, by="auto")
    company.evaluate(second, first)
    before = actions(company)
    add_account(company.store, "lee", role)
    browser = browse([company.page()])
    await browser.log_in("lee")
    for address in ("/models", f"/models/lora/{second}"):
        page = (await browser.get(address)).text
        assert 'action="/models/' not in page
        assert "관리 권한이 있는 계정만" in page
    assert (await browser.post(f"/models/{path}", {"name": second})).status_code == 403
    assert company.answers() == first
    assert actions(company) == before


async def test_a_form_without_the_token_changes_nothing(browse: Opening, company: Company) -> None:
    company.evaluate(company.names[0])
    browser = browse([company.page()])
    await browser.get("/models")
    answer = await browser.post("/models/promote", {"name": company.names[0], "csrf": "x"})
    assert answer.status_code == 403
    assert company.answers() == "none"


async def test_while_the_setting_says_what_answers_nothing_can_be_changed(browse: Opening, company: Company) -> None:
    company.setting = company.names[0]
    browser = browse([company.page()])
    for address in ("/models", f"/models/lora/{company.names[1]}"):
        page = (await browser.get(address)).text
        assert "설정 [writer] lora가" in page
        assert 'action="/models/promote"' not in page
    assert (await browser.post("/models/rollback")).status_code == 409


async def test_until_the_service_has_taken_over_a_release_the_page_says_so_and_asks_again(
    browse: Opening, company: Company
) -> None:
    browser = browse([company.page()])
    assert 'hx-trigger="every 2s"' not in (await browser.get("/models")).text
    company.live = company.parts().live()
    company.evaluate(company.names[0])
    company.releases.promote(company.names[0], by="kim")
    waiting = (await browser.get("/models")).text
    assert 'hx-trigger="every 2s"' in waiting
    assert "몇 초 걸립니다" in waiting
    company.now += 61
    late = (await browser.get("/models")).text
    assert 'hx-trigger="every 2s"' not in late
    assert "release_refused" in late
    company.live = None
    assert 'hx-trigger="every 2s"' not in (await browser.get("/models")).text


async def test_a_verdict_is_told_in_the_gates_own_words_with_every_figure_and_a_drawing(
    browse: Opening, company: Company
) -> None:
    name = company.names[0]
    company.evaluate(name, passed=False)
    page = (await browse([company.page()]).get(f"/models/lora/{name}")).text
    told = text_of(page)
    assert f"불합격: '{name}'이(가) 지금 답하는 LoRA 없는 모델보다 나쁜 항목이 있습니다." in told
    for text in (
        "답변 점수(거절 포함)",
        "나빠지면 안 되는 항목 (80% 구간)",
        "허용 폭 5%을(를) 넘어 나빠졌습니다",
        "나빠짐",
    ):
        assert text in told
    assert page.count('class="forest"') > 10


async def test_verdicts_stand_side_by_side_and_one_that_cannot_be_read_is_told(
    browse: Opening, company: Company
) -> None:
    first, second, third = company.names
    company.evaluate(first)
    company.evaluate(second, passed=False)
    company.evaluate(third, raw={"of": "another version"})
    browser = browse([company.page()])
    page = (await browser.get("/models")).text
    table = page.split('class="compare"')[1].split("</table>")[0]
    assert first in table
    assert second in table
    assert third not in table
    assert "이 판정은 읽을 수 없습니다" in (await browser.get(f"/models/lora/{third}")).text


async def test_lineage_counts_people_and_names_nobody(browse: Opening, company: Company) -> None:
    for number in range(2):
        row = example(f"e{number}", asker="slack:U9")
        company.store.run_now(examples.add, row)
        company.store.run_now(loras.add, company.releases.recorded(company.names[0]), [row.id])
    page = (await browse([company.page()]).get(f"/models/lora/{company.names[0]}")).text
    told = text_of(page)
    assert "배운 예시 4 예시에 담긴 사람 3명 검증에 남긴 예시 2" in told
    assert "slack:U" not in page
    assert "학습 시간 75.0초" in told
    (data,) = re.findall(r'class="chart-data">(.*?)</script>', page)
    assert [one["values"] for one in json.loads(data)["series"]] == [[None, 2, 1.5, 1], [1.9, 1.6333, 1.3667, 1.1]]


async def test_a_running_training_shows_its_losses_and_is_asked_for_again(browse: Opening, company: Company) -> None:
    browser = browse([company.page()])
    for path in ("/models", "/models/running"):  # a training that begins later is looked for, but seldom
        page = (await browser.get(path)).text
        assert '<div id="running" hx-get="/models/running" hx-trigger="every 20s" hx-swap="outerHTML"></div>' in page
    steps = [{"event": "step", "step": n, "steps": 8, "loss": 2.0 / n, "seconds_left": 600.0} for n in (1, 2)]
    company.tune(
        [{"event": "training", "done": 0, "steps": 8}, {"event": "held_out", "step": 0, "loss": 2.5}, *steps],
        now=time.time(),
    )
    for path in ("/models", "/models/running"):
        page = (await browser.get(path)).text
        assert 'hx-get="/models/running" hx-trigger="every 4s"' in page
        assert "단계 2 / 8 · 약 10분 남음" in text_of(page)
        (data,) = re.findall(r'class="chart-data">(.*?)</script>', page)
        drawn = json.loads(data)
        assert drawn["x"] == [0, 1, 2]
        assert drawn["series"][0]["values"] == [None, 2.0, 1.0]
    assert "<html" not in page


def test_a_course_that_was_killed_and_gone_on_with_counts_each_step_once(tmp_path: Path) -> None:
    told = [
        {"event": "step", "step": 1, "steps": 4, "loss": 3.0, "seconds_left": 9.0},
        {"event": "step", "step": 2, "steps": 4, "loss": 2.0, "seconds_left": 8.0},
        {"event": "training", "done": 1, "steps": 4},
        {"event": "step", "step": 2, "steps": 4, "loss": 2.5, "seconds_left": 7.0},
        {"event": "paused"},
    ]
    lines = [json.dumps(one) for one in told]
    (tmp_path / "progress.jsonl").write_text("\n".join([*lines, "[]", "5", '{"event": "step", "st']), encoding="utf-8")
    found = course(tmp_path)
    assert found.losses == [(1, 3.0), (2, 2.5)]
    assert (found.steps, found.seconds_left, found.paused, found.ended) == (4, 7.0, True, False)


async def test_hostile_texts_stay_texts(browse: Opening, company: Company) -> None:
    hostile = "<script>alert(1)</script>\"'"
    name = company.names[0]
    company.evaluate(name)
    company.releases.promote(name, by=hostile, reason=hostile)
    company.releases.mark(company.names[1], hostile, by="privacy")
    browser = browse([company.page()])
    for path in ("/models", *(f"/models/lora/{one}" for one in company.names[:2])):
        page = (await browser.get(path)).text
        assert hostile in html.unescape(page)
        assert "<script>alert" not in page


@pytest.mark.parametrize("name", ["nothing-here", "..%2f..%2fetc", "%3Cscript%3E"])
async def test_a_lora_that_is_unknown_is_not_found(browse: Opening, company: Company, name: str) -> None:
    assert (await browse([company.page()]).get(f"/models/lora/{name}")).status_code == 404


async def test_without_the_model_the_page_says_what_to_do(browse: Opening, company: Company) -> None:
    company.missing = True
    for path in ("/models", f"/models/lora/{company.names[0]}"):
        answer = await browse([company.page()]).get(path)
        assert answer.status_code == 200
        assert "saseo models pull" in answer.text


async def test_both_languages_say_everything(browse: Opening, company: Company) -> None:
    first, second, _ = company.names
    company.evaluate(first)
    company.releases.promote(first, by="auto")
    company.evaluate(second, first, passed=False)
    company.releases.promote(second, by="auto", share=0.3, overrule=True, reason="demo")
    company.tune([{"event": "step", "step": 1, "steps": 8, "loss": 2.0, "seconds_left": 60.0}], now=time.time())
    browser = browse([company.page()], language="en")
    for path in ("/models", f"/models/lora/{first}", f"/models/lora/{second}"):
        page = re.sub(r'(?s)<select name="language".*?</select>', "", (await browser.get(path)).text)
        said = text_of(page) + " ".join(re.findall(r'(?:aria-label|data-sure|title)="([^"]*)"', page))
        assert not re.search("[가-힣]", said), re.findall("[가-힣 ]+", said)
