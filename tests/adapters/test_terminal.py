"""The terminal conversation with a scripted desk and scripted lines."""

from __future__ import annotations

import asyncio
import io
import os
import signal

import pytest

from adapters.terminal import texts as terminal
from adapters.terminal.chat import REMEMBERED
from bot import texts
from bot.conversation import Asked, Receipt, Reply, Vote, VoteReceipt
from bot.errors import DeliveryFailed, StoreError
from bot.messages import Citation, Finished, Outcome, Wrote
from tests.adapters.terminal_desk import CITED, TWO_SENTENCES, ScriptedDesk, answer, forget, talk


async def test_sentences_are_printed_as_they_come_and_the_sources_after_them() -> None:
    shown = await talk(ScriptedDesk(*TWO_SENTENCES), "연차 며칠?\n")
    assert "연차는 15일입니다. [1] 이월할 수 없습니다. [1]" in shown
    assert shown.index("이월할 수 없습니다.") < shown.index("출처:") < shown.index("[1] 연차 규정 > 부여 (hr/leave.md)")
    assert "“연차는 15일입니다.”" in shown


async def test_a_sentence_stands_there_before_the_next_one_is_written() -> None:
    out, seen = io.StringIO(), []

    async def look() -> None:
        seen.append(out.getvalue())

    desk = ScriptedDesk(*TWO_SENTENCES)
    desk.before_finish = look
    await talk(desk, "연차 며칠?", out=out)
    assert "이월할 수 없습니다. [1]" in seen[0]
    assert "출처:" not in seen[0]


async def test_progress_and_escape_codes_stay_out_of_a_pipe() -> None:
    shown = await talk(ScriptedDesk(*TWO_SENTENCES), "연차 며칠?")
    assert "\x1b" not in shown
    assert texts.step("searching", 0, "ko") not in shown


async def test_in_a_terminal_progress_stands_on_one_line_that_the_answer_replaces() -> None:
    shown = await talk(ScriptedDesk(*TWO_SENTENCES), "연차 며칠?", transient=True)
    erase = "\r\x1b[2K"
    searching, reading = texts.step("searching", 0, "ko"), texts.step("reading", 2, "ko")
    assert f"{erase}\x1b[2m{searching}\x1b[0m{erase}\x1b[2m{reading}\x1b[0m{erase}연차는 15일입니다." in shown
    assert shown.count("\x1b[2K") == 3


async def test_a_declined_question_shows_the_nearest_pages() -> None:
    text = texts.abstained((CITED,), "ko")
    declined = answer(text, outcome=Outcome.ABSTAINED, nearest=(CITED,))
    shown = await talk(ScriptedDesk(Wrote(text), Finished(declined)), "로또 번호?")
    assert shown.count(text) == 1
    assert "[1] 연차 규정" in shown
    assert "출처:" not in shown


async def test_an_answer_that_was_not_written_on_the_way_is_printed_whole() -> None:
    shown = await talk(ScriptedDesk(Finished(answer("연차는 15일입니다. [1]"))), "연차?")
    assert shown.index("연차는 15일입니다. [1]") < shown.index("출처:")


async def test_a_failed_question_still_says_a_sentence_on_a_line_of_its_own() -> None:
    text = texts.failed("abc", "ko")
    failed = Finished(answer(text, outcome=Outcome.FAILED))
    assert text in await talk(ScriptedDesk(failed), "연차?")
    assert f"연차는\n{text}\n" in await talk(ScriptedDesk(Wrote("연차는"), failed), "연차?")


async def test_what_pages_and_models_write_cannot_command_the_terminal() -> None:
    evil = Citation(n=1, page="a.md", title="제목\x1b[2J", url=None, quote="인용\x07\x9b5m\u202e")
    hidden = answer("답\x1b]52;c;eA==\x07입니다.", cited=evil)
    shown = await talk(ScriptedDesk(Wrote("답\x1b]52"), Wrote(";c;eA==\x07입니다.\r지움"), Finished(hidden)), "질문")
    assert not {character for character in shown if not character.isprintable()} - {"\n"}
    assert "답]52;c;eA==입니다." in shown
    assert "제목[2J" in shown


async def test_earlier_questions_go_along_oldest_first_and_at_most_four() -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    await talk(desk, *(f"질문 {n}" for n in range(7)))
    assert desk.asked[0].turns == ()
    assert desk.asked[2].turns == ("질문 0", "질문 1")
    assert desk.asked[6].turns == ("질문 2", "질문 3", "질문 4", "질문 5")
    assert max(len(asked.turns) for asked in desk.asked) == REMEMBERED == 4


@pytest.mark.parametrize("word", ["/새로", "/new", "/NEW"])
async def test_a_new_conversation_forgets_the_earlier_questions(word: str) -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    shown = await talk(desk, "첫 질문", word, "둘째 질문", "셋째 질문")
    assert [asked.text for asked in desk.asked] == ["첫 질문", "둘째 질문", "셋째 질문"]
    assert [asked.turns for asked in desk.asked] == [(), (), ("둘째 질문",)]
    assert texts.forgotten("ko") in shown


async def test_a_question_behind_the_word_for_a_new_conversation_is_asked_in_it() -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    await talk(desk, "첫 질문", "/새로 둘째 질문")
    assert [(asked.text, asked.turns) for asked in desk.asked] == [("첫 질문", ()), ("둘째 질문", ())]


@pytest.mark.parametrize("word", ["/끝", "/quit", "/EXIT", "끝", "exit"])
async def test_a_word_of_parting_ends_the_conversation(word: str) -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    await talk(desk, "첫 질문", word, "둘째 질문")
    assert len(desk.asked) == 1


async def test_empty_lines_are_no_questions_and_spaces_are_tidied() -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    await talk(desk, "\n", "   \t ", "\u200b\n", "  연차   며칠?\n", "연차\ud800?\x1b\n")
    assert [asked.text for asked in desk.asked] == ["연차 며칠?", "연차?"]


async def test_each_line_has_a_key_of_its_own_and_is_private_to_the_one_person_here() -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    await talk(desk, "하나", "하나")
    await talk(desk, "하나")
    keys = [key for asked in desk.asked for key in asked.keys]
    assert len(set(keys)) == 3
    assert all(key.startswith("terminal:") for key in keys)
    assert {asked.person.key for asked in desk.asked} == {"terminal:local"}
    assert {(asked.place.platform, asked.place.kind, asked.private) for asked in desk.asked} == {
        ("terminal", "direct", True)
    }


async def test_stop_words_while_nothing_runs_are_told_so_and_are_no_questions_of_the_conversation() -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    shown = await talk(desk, "하나", "그만", "둘")
    assert texts.nothing_to_stop("ko") in shown
    assert desk.asked[2].turns == ("하나",)


# Ctrl-C


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


async def interrupted() -> None:
    press_ctrl_c()
    await asyncio.sleep(15)


async def test_ctrl_c_stops_the_answer_says_so_once_and_the_conversation_goes_on() -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)

    async def once() -> None:
        desk.before_finish = None
        await interrupted()

    desk.before_finish = once
    shown = await talk(desk, "하나", "둘")
    stopped, after = shown.split(texts.stopped("ko"))
    assert "연차는 15일입니다." in stopped
    assert "출처:" not in stopped
    assert texts.nothing_to_stop("ko") not in shown
    assert "> 둘" in after
    assert "출처:" in after
    assert [asked.text for asked in desk.asked] == ["하나", "그만", "둘"]
    assert desk.asked[2].turns == ("하나",)


async def test_a_second_ctrl_c_leaves_when_the_answer_does_not_stop() -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    desk.deaf_to_stop = True

    async def twice() -> None:
        press_ctrl_c()
        while len(desk.asked) < 2:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)
        press_ctrl_c()
        await asyncio.sleep(15)

    desk.before_finish = twice
    shown = await talk(desk, "하나", "둘")
    assert shown.endswith(f"{terminal.left_waiting('ko')}\n")
    assert "> 둘" not in shown
    assert "출처:" not in shown


async def test_ctrl_c_before_the_desk_has_taken_the_question_stops_it_too() -> None:
    class Slow(ScriptedDesk):
        async def ask(self, asked: Asked) -> Receipt:
            if not self.asked:
                press_ctrl_c()
                await asyncio.sleep(0.05)
            return await super().ask(asked)

    desk = Slow(*TWO_SENTENCES)
    desk.before_finish = _long
    shown = await talk(desk, "하나")
    assert shown.count(texts.stopped("ko")) == 1
    assert "출처:" not in shown


async def _long() -> None:
    await asyncio.sleep(15)


async def test_after_an_answer_ctrl_c_is_the_programs_again() -> None:
    before = signal.getsignal(signal.SIGINT)
    await talk(ScriptedDesk(*TWO_SENTENCES), "하나")
    assert signal.getsignal(signal.SIGINT) is before


async def test_stopping_the_whole_program_is_not_taken_for_a_stopped_answer() -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    desk.before_finish = _long
    out = io.StringIO()
    talking = asyncio.create_task(talk(desk, "하나", "둘", out=out))
    async with asyncio.timeout(40):
        while "이월할" not in out.getvalue():
            await asyncio.sleep(0.01)
    talking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await talking
    assert len(desk.asked) == 1
    assert texts.stopped("ko") not in out.getvalue()


# Votes and commands


@pytest.mark.parametrize("word", ["/좋아요", "/good", "/Good 고맙습니다"])
async def test_a_thumb_up_is_for_the_last_answer_and_gets_thanks(word: str) -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    shown = await talk(desk, "하나", "둘", word)
    (vote,) = desk.votes
    assert (vote.answer_id, vote.direction, vote.via) == (f"{2:016x}", "up", "button")
    assert vote.person.key == "terminal:local"
    assert shown.endswith("의견 고맙습니다.\n")
    assert desk.reasons == []


@pytest.mark.parametrize("word", ["/아쉬워요", "/bad"])
async def test_a_thumb_down_may_say_why(word: str) -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    shown = await talk(desk, "하나", f"{word} 옛 규정입니다.")
    assert [vote.direction for vote in desk.votes] == ["down"]
    assert desk.reasons == [(f"{1:016x}", "옛 규정입니다.", "")]
    assert shown.endswith(f"{terminal.explained('ko')}\n")


async def test_without_a_reason_the_person_hears_how_to_give_one() -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    assert terminal.how_to_explain("ko") in await talk(desk, "하나", "/아쉬워요")
    assert desk.reasons == []


async def test_a_reason_that_was_not_kept_gets_no_thanks() -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    desk.explains = False
    shown = await talk(desk, "하나", "/아쉬워요 옛 규정입니다.")
    assert "고맙습니다" not in shown


async def test_there_is_nothing_to_rate_before_an_answer_and_after_a_failure() -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    assert terminal.nothing_to_rate("ko") in await talk(desk, "/좋아요")

    async def fail_next_time() -> None:
        desk.events = (Finished(answer("문제가 생겼습니다.", outcome=Outcome.FAILED)),)
        desk.before_finish = None

    desk.before_finish = fail_next_time
    assert terminal.nothing_to_rate("ko") in await talk(desk, "하나", "둘", "/아쉬워요 별로입니다")
    assert desk.votes == []


async def test_a_stop_word_in_between_takes_no_vote_away() -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    await talk(desk, "하나", "그만", "/좋아요")
    assert [vote.answer_id for vote in desk.votes] == [f"{1:016x}"]


async def test_an_unknown_command_lists_the_commands_and_asks_nothing() -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    shown = await talk(desk, "/조아요")
    assert terminal.unknown_command("ko") in shown
    for command in ("/좋아요", "/아쉬워요", "/새로", "/끝"):
        assert command in shown.split(terminal.unknown_command("ko"))[1]
        assert command in texts.greeting("ko")
    for command in ("/good", "/bad", "/new", "/exit"):
        assert command in terminal.commands("en")
        assert command in texts.greeting("en")
    assert terminal.unknown_command("ko") not in await talk(desk, "/도움말")
    assert desk.asked == []


async def test_a_path_is_no_command() -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    await talk(desk, "/etc/hosts 파일은 누가 고칩니까?")
    assert [asked.text for asked in desk.asked] == ["/etc/hosts 파일은 누가 고칩니까?"]


async def test_english_is_spoken_when_it_is_the_language() -> None:
    shown = await talk(
        ScriptedDesk(*TWO_SENTENCES, language="en"), "/good", "/new", "How many days?", "/bad old", "/what"
    )
    for words in (
        terminal.nothing_to_rate("en"),
        texts.forgotten("en"),
        "Sources:",
        terminal.explained("en"),
        terminal.commands("en"),
    ):
        assert words in shown


# Trouble


async def test_when_the_desk_cannot_keep_anything_the_person_hears_why_and_may_go_on() -> None:
    class Broken(ScriptedDesk):
        async def vote(self, vote: Vote) -> VoteReceipt:
            raise StoreError(where="sqlite:///x", reason="disk full")

    shown = await talk(Broken(*TWO_SENTENCES), "하나", "/좋아요", "둘")
    assert "저장소를 열 수 없습니다" in shown
    assert shown.count("출처:") == 2


class Closed(io.StringIO):
    """A reader that went away after `left` characters."""

    left = 40

    def write(self, text: str) -> int:
        if self.tell() + len(text) > self.left:
            raise BrokenPipeError
        return super().write(text)


async def test_when_nobody_reads_any_more_the_conversation_ends_and_the_answer_counts_as_undelivered() -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    with pytest.raises(BrokenPipeError):
        await talk(desk, "하나", "둘", out=Closed())
    assert len(desk.asked) == 1
    assert [type(error) for error in desk.failures] == [DeliveryFailed]


@pytest.mark.parametrize("reply_to", ['{"process": "0123", "line": 1}', "{", "[]", ""])
async def test_a_question_of_another_process_is_dealt_with_already_and_leaves_no_trace(reply_to: str) -> None:
    desk, out = ScriptedDesk(*TWO_SENTENCES), io.StringIO()
    seen: list[str | None] = []

    async def beside() -> None:
        assert desk.adapter is not None
        delivery = desk.adapter.delivery("0" * 12, reply_to, "", forget)
        before = out.getvalue()
        await delivery.status("찾고 있습니다…")
        seen.append(await delivery.find())
        await delivery.write("남의 답입니다.")
        await delivery.finish(desk_reply)
        assert out.getvalue() == before

    desk_reply = Reply("0" * 12, "", answer("남의 답입니다."), "ko", private=True)
    desk.before_finish = beside
    shown = await talk(desk, "하나", out=out, transient=True)
    assert len(seen) == 1
    assert seen[0]
    assert "남의 답입니다." not in shown
    assert "출처:" in shown


async def test_a_question_that_is_waited_for_is_not_found_and_one_that_was_answered_is() -> None:
    desk = ScriptedDesk(*TWO_SENTENCES)
    found: list[str | None] = []

    async def look() -> None:
        assert desk.adapter is not None
        found.append(await desk.adapter.delivery("0" * 12, desk.asked[0].reply_to, "", forget).find())

    desk.before_finish = look
    await talk(desk, "하나")
    assert found == [None]
    await look()
    assert found[1]
