"""Modals and the Home tab: views.open, push, update, publish, and what a submission's answer does to the modal."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.fakes.slack.blocks import check_blocks, check_text
from tests.fakes.slack.records import JSON, SlackError, Violation
from tests.fakes.slack.state import View, Workspace

TRIGGER_SECONDS = 3.0
MOST_VIEWS = 3  # modals on top of each other
_KEYS = {
    "modal": {
        "title",
        "blocks",
        "close",
        "submit",
        "private_metadata",
        "callback_id",
        "clear_on_close",
        "notify_on_close",
    }
    | {"external_id", "submit_disabled", "type"},
    "home": {"blocks", "private_metadata", "callback_id", "external_id", "type"},
}


class Views:
    """Handlers over a workspace."""

    def __init__(self, workspace: Workspace, violations: list[Violation]) -> None:
        self.trigger_seconds = TRIGGER_SECONDS
        self._workspace = workspace
        self._violations = violations

    def open(self, args: JSON) -> JSON:
        """views.open."""
        return {"view": self._new(self._exchange(args), _checked(args["view"], "modal")).as_json()}

    def push(self, args: JSON) -> JSON:
        """views.push, onto the person's topmost modal."""
        user = self._exchange(args)
        top = self.top(user)
        if top is None:
            raise SlackError("not_found")
        if sum(view.user == user and view.open for view in self._workspace.views.values()) >= MOST_VIEWS:
            raise SlackError("push_limit_reached")
        return {"view": self._new(user, _checked(args["view"], "modal"), below=top).as_json()}

    def update(self, args: JSON) -> JSON:
        """views.update."""
        view = self._workspace.views.get(str(args.get("view_id"))) or self._by_external_id(args.get("external_id"))
        if view is None or not view.open:
            raise SlackError("not_found")
        if args.get("hash") not in (None, view.hash):
            raise SlackError("hash_conflict")
        self._replace(view, _checked(args["view"], "modal"))
        return {"view": view.as_json()}

    def publish(self, args: JSON) -> JSON:
        """views.publish: the Home tab of one person."""
        user = str(args["user_id"])
        if user not in self._workspace.users:
            raise SlackError("user_not_found")
        body = _checked(args["view"], "home")
        home = self._workspace.homes.get(user)
        if home is None:
            home = self._workspace.homes[user] = View(self._workspace.new_id("V"), user, body)
        elif args.get("hash") not in (None, home.hash):
            raise SlackError("hash_conflict")
        self._replace(home, body)
        return {"view": home.as_json()}

    def top(self, user: str) -> View | None:
        """The modal that the person sees."""
        return next((v for v in reversed(self._workspace.views.values()) if v.user == user and v.open), None)

    def submitted(self, view: View, response: JSON | None) -> None:
        """What the acknowledgement of a `view_submission` does: nothing said closes this modal."""
        action = (response or {}).get("response_action")
        try:
            match action:
                case None:
                    view.open = False
                case "clear":
                    for other in self._workspace.views.values():
                        other.open = other.open and other.user != view.user
                case "errors":
                    self._check_errors(view, (response or {}).get("errors"))
                case "update":
                    self._replace(view, _checked((response or {}).get("view"), "modal"))
                case "push":
                    self._new(view.user, _checked((response or {}).get("view"), "modal"), below=view)
                case _:
                    raise SlackError("invalid_response_action", str(action))
        except SlackError as error:
            self._violations.append(Violation("view_submission", error.code, error.detail))

    @staticmethod
    def _check_errors(view: View, errors: Any) -> None:
        inputs = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
        if not isinstance(errors, dict) or not errors or set(errors) - inputs:
            raise SlackError("invalid_errors", f"errors must be by block_id of input blocks: {errors}")

    def _exchange(self, args: JSON) -> str:
        trigger = self._workspace.triggers.get(str(args.get("trigger_id")))
        if trigger is None:
            raise SlackError("invalid_trigger_id", violation=True)
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if time.monotonic() - trigger.made > self.trigger_seconds:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger.user

    def _by_external_id(self, external_id: Any) -> View | None:
        if not external_id:
            return None
        return next((v for v in self._workspace.views.values() if v.body.get("external_id") == external_id), None)

    def _new(self, user: str, body: JSON, below: View | None = None) -> View:
        view = View(self._workspace.new_id("V"), user, {})
        if below is not None:
            view.previous, view.root = below.id, below.root or below.id
        self._replace(view, body)
        self._workspace.views[view.id] = view
        return view

    def _replace(self, view: View, body: JSON) -> None:
        view.body = json.loads(json.dumps(body))
        view.hash = f"{time.time():.6f}"
        for block in view.body["blocks"]:
            block.setdefault("block_id", self._workspace.new_id("b"))
            for element in [*(block.get("elements") or []), block.get("accessory"), block.get("element")]:
                if isinstance(element, dict) and element.get("type") not in (None, "plain_text", "mrkdwn", "image"):
                    element.setdefault("action_id", self._workspace.new_id("a"))


def _checked(view: Any, kind: str) -> JSON:
    """The view, or invalid_arguments with every problem."""
    if not isinstance(view, dict) or view.get("type") != kind:
        raise SlackError("invalid_arguments", f"view.type must be {kind}", violation=True)
    problems = [f"view: invalid additional property: {key}" for key in view if key not in _KEYS[kind]]
    problems += check_blocks(view.get("blocks"), kind)
    if kind == "modal":
        problems += check_text(view.get("title"), "view.title", 24)
        for key in ("submit", "close"):
            if view.get(key) is not None:
                problems += check_text(view[key], f"view.{key}", 24)
        if view.get("submit") is None and any(b.get("type") == "input" for b in view.get("blocks") or []):
            problems.append("view.submit is required with an input block")
    for key, most in (("private_metadata", 3000), ("callback_id", 255), ("external_id", 255)):
        value = view.get(key)
        if value is not None and (not isinstance(value, str) or len(value) > most):
            problems.append(f"view.{key} must be a string of at most {most} characters")
    if len(json.dumps(view, ensure_ascii=False).encode()) > 250_000:
        raise SlackError("view_too_large", violation=True)
    if problems:
        raise SlackError("invalid_arguments", "; ".join(problems), violation=True)
    return view
