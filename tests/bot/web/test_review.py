"""검토 as a browser asks for it: who sees what, who decides what, and taking it back."""

from __future__ import annotations

import html
import re

import pytest

from bot.examples.example import Evidence
from bot.store import audit, examples
from bot.store.database import Store
from bot.store.web_accounts import Role
from knowledge.search import SearchIndex
from tests.bot.examples.rows import answered
from tests.bot.web.conftest import Opening, add_account
from tests.bot.web.examples_desk import LEAVE, LEAVE_WRONG, NOW, add, review_page, states

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{7*7}}"


def text_of(page: str) -> str:
    """What a person reads."""
    bare = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]+>", " ", page)
    return re.sub(r"\s+", " ", html.unescape(bare))


def actions(store: Store) -> list[tuple[str, str, str]]:
    """Who decided what, of which; whoever sits at a browser is on record with their address."""
    entries = [one for one in reversed(store.run_now(audit.entries)) if one.action.startswith("example.")]
    assert all(one.origin for one in entries if one.by.startswith("web:"))
    return [(one.by, one.action, one.subject) for one in entries]


async def test_an_example_stands_beside_the_passages_it_rests_on(
    browse: Opening, store: Store, index: SearchIndex
) -> None:
    add(store, index, "a", turns=("앞선 물음",), rejected="연차는 10일입니다.")
    page = (await browse([review_page(store, index)]).get("/review")).text
    told = text_of(page)
    for text in ("연차는 며칠입니까? (a)", "앞선 물음", "미사용 연차는 이월할 수 없습니다.", "연차는 10일입니다."):
        assert text in told
    assert re.search(r'<li id="passage-1" class="passage cited">', page)
    assert "근거가 답변을 뒷받침합니다" in told
    assert "이대로는 승인할 수 없습니다" not in told


async def test_approving_goes_on_to_the_next_and_is_on_record(
    browse: Opening, store: Store, index: SearchIndex
) -> None:
    first, second = (add(store, index, name, number=n) for n, name in enumerate("ab"))
    browser = browse([review_page(store, index)])
    await browser.get("/review")
    page = await browser.post("/review/decide", {"id": first.id, "do": "approve", "example": second.id})
    assert states(store, [first.id, second.id]) == ["approved", "pending"]
    assert "1건을 승인했습니다." in page.text
    assert "(b)" in text_of(page.text.split('id="example-title"')[1])
    assert actions(store) == [("web:local", "example.approve", first.id)]


async def test_what_its_passages_do_not_support_is_not_approved_and_the_page_says_why(
    browse: Opening, store: Store, index: SearchIndex
) -> None:
    one = add(store, index, "a", answer=LEAVE_WRONG)
    browser = browse([review_page(store, index)])
    assert "구절에 없는 숫자" in (await browser.get("/review")).text
    answer = await browser.post("/review/decide", {"id": one.id, "do": "approve"})
    assert answer.status_code == 409
    assert "구절에 없는 숫자" in answer.text
    assert states(store, [one.id]) == ["pending"]
    assert actions(store) == []


async def test_an_edit_without_support_is_refused_with_a_sentence_and_one_with_support_approved(
    browse: Opening, store: Store, index: SearchIndex
) -> None:
    one = add(store, index, "a", answer=LEAVE_WRONG)
    browser = browse([review_page(store, index)])
    await browser.get("/review")
    edit = {"id": one.id, "do": "approve"}
    refused = await browser.post("/review/edit", edit | {"answer": "연차는 1년에 40일을 줍니다. [1]"})
    assert refused.status_code == 409
    assert "승인할 수 없습니다(구절에 없는 숫자)" in refused.text
    kept = store.run_now(examples.get, one.id)
    assert kept is not None
    assert (kept.answer, kept.state) == (LEAVE_WRONG, "pending")
    await browser.get("/review")
    page = await browser.post("/review/edit", edit | {"answer": LEAVE})
    assert "저장하고 승인했습니다" in page.text
    kept = store.run_now(examples.get, one.id)
    assert kept is not None
    assert (kept.answer, kept.state, kept.decided_by) == (LEAVE, "approved", "web:local")


async def test_an_edit_that_is_only_saved_is_masked_and_tells_what_still_stands_against_it(
    browse: Opening, store: Store, index: SearchIndex
) -> None:
    one = add(store, index, "a")
    browser = browse([review_page(store, index)])
    await browser.get("/review")
    fields = {"id": one.id, "do": "save", "answer": "문의는 010-2345-6789로 하십시오."}
    page = await browser.post("/review/edit", fields)
    assert "아직 승인할 수 없습니다" in page.text
    kept = store.run_now(examples.get, one.id)
    assert kept is not None
    assert "2345" not in kept.answer
    assert "masked_answer" in kept.problems


async def test_several_are_decided_at_once_and_taken_back_at_once(
    browse: Opening, store: Store, index: SearchIndex
) -> None:
    many = [add(store, index, name, number=n).id for n, name in enumerate("abc")]
    bad = add(store, index, "d", number=4, answer=LEAVE_WRONG).id
    browser = browse([review_page(store, index)])
    await browser.get("/review")
    page = await browser.post("/review/decide", {"id": [*many, bad], "do": "approve"})
    assert states(store, [*many, bad]) == ["approved"] * 3 + ["pending"]
    assert "3건을 승인했습니다. 1건은 근거가 뒷받침하지 않아" in page.text
    await browser.post("/review/decide", {"id": [bad], "do": "reject"})
    page = await browser.post("/review/undo")
    assert states(store, [bad]) == ["pending"]
    page = await browser.post("/review/undo")
    assert "3건을 되돌렸습니다." in page.text
    assert states(store, [*many, bad]) == ["pending"] * 4
    page = await browser.post("/review/undo")
    assert "되돌릴 것이 없습니다" in page.text
    assert [action for _, action, _ in actions(store)] == [
        "example.approve",
        "example.reject",
        "example.undo",
        "example.undo",
    ]


async def test_taking_back_does_not_reach_over_a_colleagues_decision_and_says_so(
    browse: Opening, store: Store, index: SearchIndex
) -> None:
    many = [add(store, index, name, number=n).id for n, name in enumerate("ab")]
    browser = browse([review_page(store, index)])
    await browser.get("/review")
    await browser.post("/review/decide", {"id": many, "do": "approve"})
    example = store.run_now(examples.get, many[0])
    assert example is not None
    store.run_now(examples.decide, example, "rejected", "reject", by="web:lee", now=NOW)
    page = await browser.post("/review/undo")
    assert page.status_code == 409
    assert f"학습 예시 {many[0]}을(를) 그 뒤에" in text_of(page.text)
    assert states(store, many) == ["rejected", "approved"]


async def test_an_edit_with_its_approval_is_one_step_to_take_back(
    browse: Opening, store: Store, index: SearchIndex
) -> None:
    one = add(store, index, "a", answer=LEAVE_WRONG)
    browser = browse([review_page(store, index)])
    await browser.get("/review")
    await browser.post("/review/edit", {"id": one.id, "do": "approve", "answer": LEAVE})
    await browser.post("/review/undo")
    kept = store.run_now(examples.get, one.id)
    assert kept is not None
    assert (kept.answer, kept.state) == (LEAVE_WRONG, "pending")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/review/decide", {"do": "approve"}),
        ("/review/decide", {"do": "reject"}),
        ("/review/edit", {"do": "save", "answer": LEAVE}),
        ("/review/undo", {}),
        ("/review/build", {}),
    ],
)
async def test_a_viewer_sees_the_page_without_its_forms_and_decides_nothing(
    browse: Opening, store: Store, index: SearchIndex, path: str, fields: dict[str, str]
) -> None:
    one = add(store, index, "a")
    add_account(store, "lee", "viewer")
    browser = browse([review_page(store, index)])
    await browser.log_in("lee")
    page = (await browser.get("/review")).text
    assert "/review/decide" not in page
    assert "검토 권한이 있는 계정만" in page
    answer = await browser.post(path, {"id": one.id, **fields})
    assert answer.status_code == 403
    assert states(store, [one.id]) == ["pending"]
    assert actions(store) == []


async def test_a_form_without_the_token_changes_nothing(browse: Opening, store: Store, index: SearchIndex) -> None:
    one = add(store, index, "a")
    browser = browse([review_page(store, index)])
    await browser.get("/review")
    answer = await browser.post("/review/decide", {"id": one.id, "do": "approve", "csrf": ""})
    assert answer.status_code == 403
    assert states(store, [one.id]) == ["pending"]


async def test_hostile_texts_stay_texts(browse: Opening, store: Store, index: SearchIndex) -> None:
    add(
        store,
        index,
        "a",
        kind="imported",
        question=HOSTILE,
        condensed=HOSTILE + " ",
        turns=(HOSTILE,),
        answer=f"{HOSTILE} [1]",
        rejected=HOSTILE,
        passages=(Evidence("", "", 0, HOSTILE, HOSTILE),),
        lora=HOSTILE,
        edition=HOSTILE,
    )
    browser = browse([review_page(store, index)])
    page = (await browser.get("/review")).text
    assert HOSTILE in html.unescape(page)
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "49" not in re.findall(r"onerror=alert\(2\)&gt;[^<]{0,20}", page)[0]
    filtered = await browser.get("/review", params={"lora": HOSTILE, "kind": HOSTILE, "state": HOSTILE})
    assert filtered.status_code == 200
    assert "<script>alert" not in filtered.text


@pytest.mark.parametrize("role", ["viewer", "reviewer"])
async def test_a_page_that_the_account_may_not_read_is_hidden_with_what_was_said_of_it(
    browse: Opening, store: Store, index: SearchIndex, role: Role
) -> None:
    add(
        store,
        index,
        "a",
        page="연봉.md",
        answer="책임 직급의 연봉 상한은 9,100만 원입니다. [1]",
        rejected="9,200만 원입니다.",
    )
    add_account(store, "lee", role)
    add_account(store, "park", role, ["hr"])
    secret = ("9,100만", "9,200만", "연봉 밴드")
    browser = browse([review_page(store, index)])
    await browser.log_in("lee")
    page = (await browser.get("/review")).text
    assert not [one for one in secret if one in page]
    assert "이 계정으로는 읽을 수 없는 문서입니다." in page
    assert "문서가 없어졌거나" in page
    insider = browse([review_page(store, index)])
    await insider.log_in("park")
    page = (await insider.get("/review")).text
    assert all(one in page for one in secret)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/review/decide", {"do": "approve"}),
        ("/review/decide", {"do": "reject"}),
        ("/review/edit", {"do": "save", "answer": LEAVE}),
        ("/review/edit", {"do": "approve", "answer": LEAVE}),
    ],
)
async def test_what_rests_on_a_page_that_one_may_not_read_is_decided_by_those_who_may(
    browse: Opening, store: Store, index: SearchIndex, path: str, fields: dict[str, str]
) -> None:
    answer = "책임 직급의 연봉 상한은 9,100만 원입니다. [1]"
    one = add(store, index, "a", page="연봉.md", answer=answer)
    add_account(store, "lee", "admin")
    add_account(store, "park", "reviewer", ["hr"])
    outsider, insider = browse([review_page(store, index)]), browse([review_page(store, index)])
    await outsider.log_in("lee")
    page = (await outsider.get("/review")).text
    assert "/review/edit" not in page
    assert 'name="do" value="approve" data-key="a"' not in page
    refused = await outsider.post(path, {"id": one.id, **fields})
    assert refused.status_code == 409
    assert "이 계정으로 읽을 수 없는 문서" in refused.text
    kept = store.run_now(examples.get, one.id)
    assert kept is not None
    assert (kept.state, kept.answer) == ("pending", answer)
    await insider.log_in("park")
    page = (await insider.get("/review")).text
    assert "/review/edit" in page
    assert 'name="do" value="approve" data-key="a"' in page
    assert "이 계정으로 읽을 수 없는 문서" not in (await insider.post(path, {"id": one.id, **fields})).text


async def test_of_several_those_that_one_may_not_read_are_left(
    browse: Opening, store: Store, index: SearchIndex
) -> None:
    open_one = add(store, index, "a")
    closed = add(store, index, "b", page="연봉.md", number=1)
    browser = browse([review_page(store, index)])
    await browser.get("/review")
    page = await browser.post("/review/decide", {"id": [open_one.id, closed.id], "do": "reject"})
    assert states(store, [open_one.id, closed.id]) == ["rejected", "pending"]
    assert "1건은 내용이 가려져 있어" in page.text


@pytest.mark.parametrize(
    ("setting", "private", "shown"),
    [("all", True, True), ("shared", True, False), ("shared", False, True), ("none", False, False)],
)
@pytest.mark.parametrize("kind", ["corrected", "imported"])  # a copy says what its original says
async def test_the_privacy_setting_hides_peoples_words_and_what_is_hidden_is_not_decided(
    browse: Opening, store: Store, index: SearchIndex, setting: str, private: bool, shown: bool, kind: str
) -> None:
    origin = answered(store, "1")
    if private:
        from sqlalchemy import update

        from bot.store.schema import answers

        store.run_now(lambda connection: connection.execute(update(answers).values(private=True)))
    one = add(store, index, "a", kind=kind, question="비밀스러운 질문", origins=(origin,), people=("p1",))
    browser = browse([review_page(store, index)], texts=setting)
    page = (await browser.get("/review")).text
    assert ("비밀스러운" in page) == shown
    assert ("15일을 줍니다. <a" in page) == shown
    answer = await browser.post("/review/decide", {"id": one.id, "do": "approve"})
    assert (answer.status_code == 200) == shown
    assert states(store, [one.id]) == ["approved" if shown else "pending"]


async def test_what_a_company_imported_of_its_own_is_shown_to_every_reviewer(
    browse: Opening, store: Store, index: SearchIndex
) -> None:
    add(store, index, "a", kind="imported", question="우리 자료의 질문", origins=(), people=(), asker="")
    assert "우리 자료의 질문" in (await browse([review_page(store, index)], texts="none").get("/review")).text


async def test_words_whose_answers_are_gone_count_as_private(browse: Opening, store: Store, index: SearchIndex) -> None:
    add(store, index, "a", kind="liked", question="비밀스러운 질문", origins=("gone",), people=("p1",))
    assert "비밀스러운" not in (await browse([review_page(store, index)], texts="shared").get("/review")).text


async def test_filters_and_counts(browse: Opening, store: Store, index: SearchIndex) -> None:
    add(store, index, "a", lora="l1")
    add(store, index, "b", kind="imported", number=1)
    add(store, index, "c", state="rejected", decided_by="auto", decided_at=NOW)
    browser = browse([review_page(store, index)])
    page = text_of((await browser.get("/review")).text)
    assert "검토 대기 2" in page
    assert "거절 1" in page

    async def listed(query: str) -> list[str]:
        page = (await browser.get(f"/review?{query}")).text
        return re.findall(r'<span class="q">[^<]*\((\w)\)</span>', page)

    assert await listed("") == ["a", "b"]
    assert await listed("kind=imported") == ["b"]
    assert await listed("lora=l1") == ["a"]
    assert await listed("state=rejected") == ["c"]


async def test_a_long_queue_comes_in_pages_that_follow_on_each_other(
    browse: Opening, store: Store, index: SearchIndex
) -> None:
    names = [f"n{number:02}" for number in range(35)]
    for number, name in enumerate(names):
        add(store, index, name, number=number)
    browser = browse([review_page(store, index)])
    page = (await browser.get("/review")).text
    assert len(page.encode()) < 200_000
    read = re.findall(r'<span class="q">[^<]*\((\w+)\)</span>', page)
    last = re.findall(r'<a href="([^"]+)"[^>]*>\s*<span class="q">[^<]*\(n29\)', page)[0]
    following = re.findall(r'href="([^"]+)" data-key="j"', (await browser.get(html.unescape(last))).text)[0]
    page = (await browser.get(html.unescape(following))).text
    assert read + re.findall(r'<span class="q">[^<]*\((\w+)\)</span>', page) == names


async def test_an_empty_queue_says_so(browse: Opening, store: Store, index: SearchIndex) -> None:
    assert "모두 보셨습니다" in (await browse([review_page(store, index)]).get("/review")).text


async def test_an_example_that_is_gone_is_not_found(browse: Opening, store: Store, index: SearchIndex) -> None:
    browser = browse([review_page(store, index)])
    assert (await browser.get("/review?example=0123456789abcdef")).status_code == 404
    answer = await browser.post("/review/decide", {"id": "0123456789abcdef", "do": "approve"})
    assert answer.status_code in (404, 409)


async def test_gathering_makes_examples_of_what_people_said(browse: Opening, store: Store, index: SearchIndex) -> None:
    browser = browse([review_page(store, index)])
    await browser.get("/review")
    page = await browser.post("/review/build")
    assert "새 예시 0건" in page.text
    assert [action for _, action, _ in actions(store)] == ["example.build"]


async def test_that_nothing_is_learnt_from_people_is_told(browse: Opening, store: Store, index: SearchIndex) -> None:
    assert "learn_from_feedback" in (await browse([review_page(store, index, learning=False)]).get("/review")).text


async def test_both_languages_say_everything(browse: Opening, store: Store, index: SearchIndex) -> None:
    add(store, index, "a", answer=LEAVE_WRONG, question="How many days?", condensed="", passages=())
    browser = browse([review_page(store, index)], language="en")
    page = (await browser.get("/review")).text
    assert "Cannot be approved" not in page
    assert "It cannot be approved as it is" in page
    said = text_of(
        re.sub(
            r'(?s)<textarea.*?</textarea>|<p class="text answer".*?</p>|<select name="language".*?</select>', "", page
        )
    )
    assert not re.search("[가-힣]", said), re.findall("[가-힣 ]+", said)
    refused = await browser.post(
        "/review/decide", {"id": re.findall(r'name="id" value="(\w+)"', page)[0], "do": "approve"}
    )
    assert "there are no passages" in refused.text
    assert not re.search("[가-힣]", text_of(re.sub(r'(?s)<select name="language".*?</select>', "", refused.text)))
