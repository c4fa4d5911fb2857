"""A fake of Slack on a loopback port: Web API, Socket Mode, signed HTTP, response_urls, and the people in the workspace.

The unmodified slack_bolt and slack_sdk drive it over real HTTP and WebSockets; the bot may run in this process or in another
one that is killed in the middle. It validates what it receives and answers like Slack.

    async with SlackServer() as slack:
        slack.channel("C1")                                  # kind="private", ext_shared=True, bot=False, …
        alice = slack.user("U1", email="alice@example.com")  # is_restricted=True, is_stranger=True, …
        …start the bot with slack.api_base_url, slack.bot_token, slack.app_token (or slack.environment())…
        await slack.wait_connected(2)
        sent = await alice.mention("C1", "연차는 며칠인가요?")  # returns when acknowledged: sent.acked, .ts, .thread_ts, .response
        await slack.wait_for("chat.stopStream")              # or a predicate: lambda: slack.final_answers("C1", sent.ts)
        [answer] = slack.final_answers("C1", sent.ts)        # Message: .body, .blocks, .metadata, .appends, .reactions
        await alice.press(answer, "answer_feedback", "down") # also buttons; "up"/"down" or the button's value
        await alice.submit(alice.modal, {"reason": "…"})     # by action_id or block_id
        assert slack.violations == []

People: mention, direct, say, edit, delete, react, unreact, slash, shortcut, press, submit, close_modal, open_home; `sees(channel)`
gives their ephemeral messages, `modal` and `home` their views, `im` their direct channel. `copies=2` delivers an event twice at once.

Records: `calls` (method, args, time, error), `acks` (seconds, late, attempt), `violations` (what no correct bot sends),
`pings` (who was notified by a message). Looking: `thread`, `messages`, `final_answers`, `status`, `home`, `calls_of`.

Trouble: `fault(method, status=429, retry_after=1, error=…, drop_connection=True, delay=…, late=…, times=…, after=…, applied=True)`;
`web_api.limits.enabled = True` for the rate tiers; `end_stream(message)`; `withhold(scope)`; `dark = True`;
`assistant.unsupported`, `chat.unsupported` (kinds of channel); `send_again(sent)`; `uninstall()`;
`socket_mode.connections[i].reset()`, `.freeze()`, `await .refresh()`; `socket_mode.refuse_next = n` (dead tickets);
`postman.ack_seconds`, `postman.retry_delays`, `views.trigger_seconds`, `response_urls.life_seconds`, `assistant.status_seconds`.

A bot that is killed and started again: `postman.patience = 30` lets redeliveries wait for it (at Slack they span six minutes).

HTTP mode: `http = slack.use_http(url)`, then people act as before; `await http.verify_url()`; `http.post(...)` for forgeries.

Not like Slack: unknown arguments are refused (Slack mostly ignores them), redelivery is quick by default, and rate limits are off.
Slash commands and interactions are sent once, as at Slack, where the person would see an error; `postman.retry_interactions`
turns redelivery on for them.
"""

from tests.fakes.slack.delivery import Sent
from tests.fakes.slack.people import Person
from tests.fakes.slack.records import Ack, Call, Ping, Violation
from tests.fakes.slack.server import SlackServer
from tests.fakes.slack.state import Channel, Message, User, View

__all__ = ["Ack", "Call", "Channel", "Message", "Person", "Ping", "Sent", "SlackServer", "User", "View", "Violation"]
