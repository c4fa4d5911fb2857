"""Strings of the page 물어보기."""

from __future__ import annotations

STRINGS = {
    "ask.title": ("물어보기", "Ask"),
    "ask.hint": (
        "Slack과 Discord에서와 같은 길로 답합니다. 여기서 묻고 답한 내용은 이 계정만 봅니다.",
        "Answers come the same way as in Slack and Discord. Only this account sees what is asked here.",
    ),
    "ask.label": ("질문", "Question"),
    "ask.placeholder": ("예: 연차는 며칠 전까지 신청해야 합니까?", "For example: how early must leave be requested?"),
    "ask.send": ("묻기", "Ask"),
    "ask.stop": ("그만", "Stop"),
    "ask.new": ("새 대화", "New conversation"),
    "ask.you": ("질문", "You"),
    "ask.saseo": ("사서", "Saseo"),
    "ask.waiting": ("보내는 중입니다…", "Sending…"),
    "ask.sources": ("출처", "Sources"),
    "ask.nearest": ("가까운 문서", "Nearest pages"),
    "ask.up": ("도움이 됐습니다", "Helpful"),
    "ask.down": ("틀렸거나 부족합니다", "Wrong or incomplete"),
    "ask.correction": ("올바른 답을 알려 주십시오(선택)", "What would have been right (optional)"),
    "ask.send_down": ("의견 보내기", "Send"),
    "ask.voted": ("의견을 받았습니다. 고맙습니다.", "Thank you for telling us."),
    "ask.not_voted": ("이 답변에는 더 이상 의견을 남길 수 없습니다.", "This answer takes no votes any more."),
    "ask.stamp": ("모델 {model} · LoRA {lora} · {seconds}", "Model {model} · LoRA {lora} · {seconds}"),
    "ask.lost": ("연결이 끊겼습니다. 다시 물어 주십시오.", "The connection was lost. Please ask again."),
    "ask.empty": ("질문을 적어 주십시오.", "Please type a question."),
    "ask.keys_send": ("질문 보내기", "Send the question"),
}
