"""Where an answer is read decides what it may use.

A channel's answer uses only pages that everyone in that channel may read; a direct or private answer also those of the asker.
People from outside the company, and places where they read, get nothing restricted.

The groups file (`groups_file` in config.toml) says who belongs to a group named in a page's `audience`:

    [hr]
    emails = ["kim@example.com"]        # as the platform verified them
    slack_users = ["U0123"]             # also: slack_usergroups, discord_users, discord_roles
    slack_channels = ["C0123"]          # everyone in this channel belongs to the group; also: discord_channels

An audience may also name a platform's own groups directly: `slack:user:U0123`, `slack:usergroup:S0123`,
`slack:channel:C0123`, `discord:user:1`, `discord:role:1`, `discord:channel:1`.
"""

from __future__ import annotations

import json
import logging
import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, RootModel, ValidationError

from bot.conversation import Person, Place
from bot.errors import InvalidSetting

_log = logging.getLogger(__name__)
_ROLE_WORD = {"slack": "usergroup", "discord": "role"}


def _ids(value: object) -> object:
    """Discord ids may be written as numbers."""
    return tuple(str(one) for one in value) if isinstance(value, list) else value


Ids = Annotated[tuple[str, ...], BeforeValidator(_ids)]


class Members(BaseModel):
    """Who belongs to one group."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    emails: tuple[str, ...] = ()
    slack_users: Ids = ()
    slack_usergroups: Ids = ()
    slack_channels: Ids = ()
    discord_users: Ids = ()
    discord_roles: Ids = ()
    discord_channels: Ids = ()

    def have(self, person: Person) -> bool:
        """Whether the person is a member."""
        if person.email and person.email.lower() in {email.lower() for email in self.emails}:
            return True
        users = {"slack": self.slack_users, "discord": self.discord_users}.get(person.platform, ())
        roles = {"slack": self.slack_usergroups, "discord": self.discord_roles}.get(person.platform, ())
        return person.id in users or bool(person.roles & frozenset(roles))

    def all_read(self, place: Place) -> bool:
        """Whether the operator said that everyone in the channel is a member."""
        channels = {"slack": self.slack_channels, "discord": self.discord_channels}.get(place.platform, ())
        return place.id in channels


class _File(RootModel[dict[str, Members]]):
    pass


def read_groups(path: Path) -> dict[str, Members]:
    """Raises InvalidSetting naming what is wrong with the file."""
    try:
        return _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig"))).root
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidSetting(key=f"{path.name}: {where}", reason=first["msg"]) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidSetting(key="groups_file", reason=f"{path}: {error}") from error


class Groups:
    """The groups file, read again when it changes; what cannot be read any more grants nothing."""

    def __init__(self, path: Path | None, *, always: frozenset[str] = frozenset()) -> None:
        """`always`: groups of everybody who asks in private, as `saseo chat --as` gives them to the person at its terminal.

        Raises InvalidSetting when the file cannot be used at the start.
        """
        self._path = path
        self._always = always
        self._read_at = self._changed_at()
        self._groups = read_groups(path) if path is not None else {}

    def readable_by(self, place: Place, person: Person, *, private: bool) -> frozenset[str]:
        """The groups whose pages an answer to `person` in `place` may use; `everyone` is implied."""
        groups = self._current()
        if place.external or person.guest:
            return frozenset()
        platform = place.platform
        granted: set[str] = set()
        if place.kind == "channel":
            granted.add(f"{platform}:channel:{place.id}")
            granted |= {name for name, members in groups.items() if members.all_read(place)}
        if private or place.kind == "direct":
            granted.add(f"{platform}:user:{person.id}")
            if platform == "web":  # an account of the console: an admin gave it the groups of pages themselves
                granted |= person.roles
            granted |= {f"{platform}:{_ROLE_WORD.get(platform, 'role')}:{role}" for role in person.roles}
            granted |= {name for name, members in groups.items() if members.have(person)}
            granted |= self._always
        return frozenset(granted)

    def _current(self) -> dict[str, Members]:
        changed = self._changed_at()
        if self._path is not None and changed != self._read_at:
            self._read_at = changed
            try:
                self._groups = read_groups(self._path)
                _log.info(json.dumps({"event": "groups_read", "groups": len(self._groups)}))
            except InvalidSetting as error:
                # Whoever took somebody out of a group and made a slip must not leave that person in.
                self._groups = {}
                _log.error(json.dumps({"event": "groups_unreadable", "reason": str(error)}))
        return self._groups

    def _changed_at(self) -> tuple[int, int]:
        try:
            found = self._path.stat() if self._path is not None else None
        except OSError:
            found = None
        return (found.st_mtime_ns, found.st_size) if found is not None else (0, 0)
