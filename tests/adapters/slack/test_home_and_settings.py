"""App Home, suggested prompts, and `/wiki 설정`."""

from __future__ import annotations

from adapters.slack.adapter import SlackAdapter
from tests.adapters.slack.desk import ScriptedDesk
from tests.fakes.slack import SlackServer


async def test_the_home_tab(slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter) -> None:
    kim = slack.user("U1")
    await kim.open_home("home")
    await slack.wait_for("views.publish")
    assert kim.home is not None
    shown = str(kim.home.body)
    assert "연차는? (답변)" in shown
    assert "반차는? (답변 중)" in shown
    assert "<!channel>" not in shown
    assert "인사 &amp; 총무: 문서 12개" in shown
    assert "`/wiki 그만`" in shown
    assert slack.violations == []


async def test_the_messages_tab_suggests_questions(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    kim = slack.user("U1")
    await kim.open_home("messages")
    await slack.wait_for("assistant.threads.setSuggestedPrompts")
    assert [p["message"] for p in slack.assistant.prompts[kim.im]] == [
        "연차는 며칠이고 어떻게 신청하나요?",
        "법인카드 한도는 얼마인가요?",
        "VPN은 어떻게 연결하나요?",
    ]
    assert slack.violations == []


async def test_settings_are_shown_and_changed_by_command(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    kim = slack.user("U1")
    slack.usergroup("S1", ["U9"])
    await kim.slash("/wiki", "설정", "C1")
    await slack.wait_for(lambda: kim.sees("C1"))
    assert "듣기(listen): 부를 때만" in kim.sees("C1")[0].body
    assert [e["action_id"] for _, e in kim.sees("C1")[0].elements()] == ["place_settings_open"]
    await kim.slash("/wiki", "설정 듣기=스레드 contacts=<@U9|helper> <!subteam^S1|@hr> 출처=인사, 총무", "C1")
    await slack.wait_for(lambda: len(kim.sees("C1")) == 2)
    assert desk.settings.listen == "threads"
    assert desk.settings.contacts == ("U9", "S1")
    assert desk.settings.sources == ("인사", "총무")
    assert "설정을 바꿨습니다." in kim.sees("C1")[1].body
    assert slack.pings == []
    assert slack.violations == []


async def test_settings_are_refused_with_a_sentence(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    kim, lee = slack.user("U1"), slack.user("U2")
    await lee.slash("/wiki", "설정", "C1")
    await slack.wait_for(lambda: lee.sees("C1"))
    assert list(lee.sees("C1")[0].elements()) == []
    await lee.slash("/wiki", "설정 듣기=all", "C1")
    await slack.wait_for(lambda: len(lee.sees("C1")) == 2)
    assert "관리자만 할 수 있습니다" in lee.sees("C1")[1].text
    await kim.slash("/wiki", "설정 듣기=loud", "C1")
    await kim.slash("/wiki", "설정 듣기 <!channel>", "C1")
    await kim.slash("/wiki", "설정 색깔=파랑", "C1")
    await slack.wait_for(lambda: len(kim.sees("C1")) == 3)
    shown = "\n".join(m.text for m in kim.sees("C1"))
    assert "설정 값이 올바르지 않습니다" in shown
    assert "알 수 없는 설정입니다: 색깔" in shown
    assert "<!channel>" not in shown
    assert desk.asked == []


async def test_settings_are_changed_by_the_form(slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter) -> None:
    kim = slack.user("U1")
    await kim.slash("/wiki", "설정", "C1")
    await slack.wait_for(lambda: kim.sees("C1"))
    await kim.press(kim.sees("C1")[0], "place_settings_open")
    await slack.wait_for(lambda: kim.modal)
    assert kim.modal is not None
    await kim.submit(kim.modal, {"place_listen": "all", "place_contacts": "U9, S1"})
    await slack.wait_for(lambda: desk.settings.listen == "all")
    assert desk.settings.contacts == ("U9", "S1")
    assert desk.changes == [{"listen": "all", "contacts": "U9, S1"}], "what was left alone follows config.toml on"
    assert slack.violations == []


async def test_a_question_about_settings_is_a_question(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    kim = slack.user("U1")
    for text in ("설정 방법을 알려 주세요", "settings for the VPN?"):
        await kim.slash("/wiki", text, "C1")
    await slack.wait_for(lambda: len(desk.asked) == 2)
    assert [asked.text for asked in desk.asked] == ["설정 방법을 알려 주세요", "settings for the VPN?"]
    await desk.settled()


async def test_what_has_no_effect_in_slack_is_no_setting(
    slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter
) -> None:
    kim = slack.user("U1")
    await kim.slash("/wiki", "설정", "C1")
    await kim.slash("/wiki", "설정 비공개=아니요", "C1")
    await slack.wait_for(lambda: len(kim.sees("C1")) == 2)
    shown, refused = sorted((m.text for m in kim.sees("C1")), key=lambda text: "알 수 없는" in text)
    assert "비공개" not in shown
    assert "알 수 없는 설정입니다: 비공개" in refused
    assert desk.changes == []


async def test_stop_goes_to_the_desk(slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter) -> None:
    await slack.user("U1").slash("/wiki", "그만", "C1")
    await slack.wait_for(lambda: desk.asked)
    assert desk.asked[0].text == "그만"


async def test_a_button_that_goes_wrong_says_so(slack: SlackServer, desk: ScriptedDesk, adapter: SlackAdapter) -> None:
    desk.options = {"can_vote": True, "can_share": True}
    kim = slack.user("U1")
    await kim.slash("/wiki", "연차는?", "C1")
    await slack.wait_for(lambda: desk.delivered)

    async def broken(*_: object) -> None:
        raise RuntimeError("the store is away")

    desk.share = broken  # type: ignore[assignment, method-assign]
    assert (await kim.press(kim.sees("C1")[-1], "answer_share")).acked
    await slack.wait_for(lambda: any("문제가 생겼습니다" in m.text for m in kim.sees("C1")))
