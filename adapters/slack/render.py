"""A `Reply` → Slack blocks. Pure. Every word of the model or of a page passes adapters.text on its way.

Limits (docs.slack.dev, block kit; also validated by slack_sdk.models): 50 blocks, 12,000 characters over all markdown
blocks, 3,000 in a mrkdwn text, 75 in a button, 2,000 in a button's value.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapters.slack import texts
from adapters.slack.replies import ANSWER_EVENT
from adapters.text import Markdown, mrkdwn, plain, safe_url, shorten
from bot import texts as core_texts
from bot.conversation import Escalation, Reply
from bot.messages import Citation, Language, Outcome

Block = dict[str, Any]
ANSWER_CHARACTERS = 3500
"""A message of this length still fits a screen; the sources hold the rest."""
MARKDOWN_CHARACTERS = 11_500
_FALLBACK_CHARACTERS = 2000
_MRKDWN_CHARACTERS = 2900
_QUOTE_CHARACTERS = 120
_LISTED = 9
FEEDBACK = "answer_feedback"
SHARE = "answer_share"
ESCALATE = "answer_escalate"
ESCALATE_QUIETLY = "answer_escalate_quietly"
"""The same under a private answer, whose question must not be shown to a channel."""
RESOLVE = "escalation_resolve"


@dataclass(frozen=True, slots=True)
class Rendered:
    """`body` is the answer itself, `foot` all that follows it (a stream has shown the body already)."""

    body: tuple[Block, ...]
    foot: tuple[Block, ...]
    text: str
    """For notifications and clients that show no blocks; Slack reads it as mrkdwn."""
    metadata: dict[str, Any]

    @property
    def blocks(self) -> list[Block]:
        """The whole message."""
        return [*self.body, *self.foot]


def reply(given: Reply, *, event_type: str = ANSWER_EVENT, head: str = "") -> Rendered:
    """The final form. `head`: a line of ours, ready made as mrkdwn, above the answer."""
    answer, language = given.answer, given.language
    links = {c.n: url for c in answer.citations if (url := safe_url(c.url))}
    text = shorten(answer.text, ANSWER_CHARACTERS)  # in NFC, whether it was cut or not
    body: list[Block] = [context(head)] if head else []
    body.append({"type": "markdown", "text": _markdown(text, links)})
    foot: list[Block] = []
    if text != unicodedata.normalize("NFC", answer.text):
        foot.append(context(texts.shortened(language)))
    if answer.outcome is not Outcome.FAILED:
        if answer.citations:
            foot += _listing(texts.pick(texts.SOURCES, language), answer.citations, numbered=True)
        elif answer.nearest:
            foot += _listing(texts.pick(texts.NEAREST, language), answer.nearest, numbered=False)
        if given.answer_id:
            by_ai = given.ai_notice and answer.outcome is Outcome.ANSWERED
            note = core_texts.written_by_ai if by_ai else core_texts.reference
            foot.append(context(note(given.question_id, language)))
    if given.notice:
        foot.append(context(mrkdwn(given.notice)))
    foot += _buttons(given)
    return Rendered(
        body=tuple(body),
        foot=tuple(foot),
        text=fallback(answer.text),
        metadata={
            "event_type": event_type,
            "event_payload": {"question_id": given.question_id, "answer_id": given.answer_id},
        },
    )


def fallback(text: str) -> str:
    """Untrusted text for a message's `text` field; chat.update refuses more than 4,000 characters."""
    made = mrkdwn(shorten(plain(text), _FALLBACK_CHARACTERS))
    if len(made) > 2 * _FALLBACK_CHARACTERS - 100:  # escapes make `&` five characters
        made = mrkdwn(shorten(plain(text), _FALLBACK_CHARACTERS // 4))
    return made or " "


def context(text: str) -> Block:
    """Small grey text; `text` is mrkdwn, made safe by the caller."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text[:_MRKDWN_CHARACTERS]}]}


def section(text: str) -> Block:
    """Ordinary text; `text` is mrkdwn, made safe by the caller."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:_MRKDWN_CHARACTERS]}}


def button(action_id: str, label: str, value: str, *, style: str = "") -> Block:
    """One button; `label` is ours."""
    made: Block = {
        "type": "button",
        "action_id": action_id,
        "text": {"type": "plain_text", "text": label, "emoji": False},
        "value": value,
    }
    return made | ({"style": style} if style else {})


def actions(buttons: Sequence[Block]) -> Block:
    """A row of buttons."""
    return {"type": "actions", "elements": list(buttons)}


def page(citation: Citation) -> str:
    """`title > heading · part` as mrkdwn: a link where the page has a safe address, else with the page's path."""
    name = citation.title + (f" > {citation.where}" if citation.where else "")
    label = mrkdwn(" ".join(shorten(name, 150).split()))
    url = safe_url(citation.url)
    if not url:
        path = mrkdwn(shorten(citation.page, 200))
        return label if citation.page in ("", citation.title) else f"{label} ({path})"
    return f"<{address(url)}|{label}>"


def address(url: str) -> str:
    """Inside `<url|label>` these signs would end the link; Slack reads `&amp;` there as `&`."""
    return url.replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")


def escalation(call: Escalation, pings: str, *, private: bool) -> list[Block]:
    """The message to the contacts."""
    foot = texts.escalation_foot_private if private else texts.escalation_foot
    return [
        section(texts.escalation_head(pings, call.language)),
        section(f"> {quoted(call.question)}"),
        context(foot(call.language)),
        actions([button(RESOLVE, texts.pick(texts.BUTTON_RESOLVE, call.language), call.id, style="primary")]),
    ]


def quoted(text: str) -> str:
    """A person's words on one line of a mrkdwn quotation."""
    return mrkdwn(" ".join(shorten(plain(text), 1500).split()))


def escalate_button(answer_id: str, language: Language, *, private: bool) -> Block:
    """ "담당자 부르기"."""
    return button(ESCALATE_QUIETLY if private else ESCALATE, texts.pick(texts.BUTTON_ESCALATE, language), answer_id)


def _markdown(text: str, links: Mapping[int, str]) -> str:
    """The answer as Markdown; without its links, then shorter, should long addresses and escapes burst the limit."""
    for source, known in ((text, links), (text, {}), (shorten(text, ANSWER_CHARACTERS // 4), {})):
        made = Markdown("slack").render(source, known)
        if len(made) <= MARKDOWN_CHARACTERS:
            return made or " "
    return " "


def _listing(head: str, citations: Sequence[Citation], *, numbered: bool) -> list[Block]:
    """Pages one below the other, in as many blocks as they need: an address of Hangul, percent-encoded, may take a whole one.

    Whole lines only, so that a cut can never split a link.
    """
    made = [f"*{head}*"]
    for citation in citations[:_LISTED]:
        quote = " ".join(citation.quote.split())
        mark = f"[{citation.n}]" if numbered else "•"
        line = f"{mark} {page(citation)}"
        if len(line) > _MRKDWN_CHARACTERS:
            line = f"{mark} {page(replace(citation, url=None))}"
        if numbered and 0 < len(quote) <= _QUOTE_CHARACTERS:
            quoted_too = f"{line} — “{mrkdwn(quote)}”"
            line = quoted_too if len(quoted_too) <= _MRKDWN_CHARACTERS else line
        if len(made[-1]) + 1 + len(line) <= _MRKDWN_CHARACTERS:
            made[-1] += f"\n{line}"
        else:
            made.append(line)
    return [context(text) for text in made]


def _buttons(given: Reply) -> list[Block]:
    """Thumbs and what else may be done with the answer. Values hold its id and nothing else."""
    if not given.answer_id:
        return []
    language = given.language
    made: list[Block] = []
    if given.can_vote:
        made.append({"type": "context_actions", "elements": [_thumbs(given.answer_id, language)]})
    row = []
    if given.can_share:
        row.append(button(SHARE, texts.pick(texts.BUTTON_SHARE, language), given.answer_id))
    if given.can_escalate:
        row.append(escalate_button(given.answer_id, language, private=given.private))
    return [*made, actions(row)] if row else made


def _thumbs(answer_id: str, language: Language) -> Block:
    def thumb(label: tuple[str, str], accessible: tuple[str, str], way: str) -> Block:
        return {
            "text": {"type": "plain_text", "text": texts.pick(label, language)},
            "accessibility_label": texts.pick(accessible, language),
            "value": f"{answer_id}:{way}",
        }

    return {
        "type": "feedback_buttons",
        "action_id": FEEDBACK,
        "positive_button": thumb(texts.UP, texts.UP_ACCESSIBLE, "up"),
        "negative_button": thumb(texts.DOWN, texts.DOWN_ACCESSIBLE, "down"),
    }
