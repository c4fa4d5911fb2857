"""Pages of a Confluence, Cloud or Data Center, with their restrictions (docs/sources.md).

Listing costs a call per hundred pages or so; a body is fetched only when it is read. A page may be read by whom its
space, its own restrictions and those of everything above it admit; where that is not told, by nobody.
"""

from __future__ import annotations

import base64
import functools
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from knowledge.errors import (
    SourceDenied,
    SourceError,
    SourcePartNotFound,
    SourceUnreachable,
    TokenMissing,
    UnreadablePage,
)
from knowledge.page import Audience
from knowledge.sources.base import SourceFile
from knowledge.sources.confluence_cloud import ConfluenceCloud
from knowledge.sources.confluence_pages import Flavour, Node, Space, SpaceMissing
from knowledge.sources.confluence_readers import NotTold, Readers, asked_for, failed_to_tell
from knowledge.sources.confluence_server import ConfluenceServer
from knowledge.sources.confluence_storage import RENDERING, render_storage
from knowledge.sources.kinds import Kind, SourceConfig
from knowledge.sources.paced import ApiFailure, PacedApi, checked_address
from knowledge.sources.paths import PagePaths
from knowledge.sources.patterns import Patterns

_log = logging.getLogger(__name__)

_MOST_STEPS = 200
"""From a page to the top of its space."""
_NOBODY = Audience.of([])


@dataclass(frozen=True, slots=True)
class ConfluenceOptions:
    """`everyone_groups`: Confluence's groups in which everyone is who may ask at all, such as `confluence-users`."""

    url: str
    flavour: str = "cloud"
    spaces: tuple[str, ...] = ()
    labels_exclude: tuple[str, ...] = ()
    space_permissions: bool = True
    everyone_groups: tuple[str, ...] = ()
    token_env: str = "CONFLUENCE_TOKEN"  # noqa: S105
    user_env: str = "CONFLUENCE_USER"
    requests_per_second: float = 5.0

    def __post_init__(self) -> None:
        checked_address(self.url)
        if self.flavour not in ("cloud", "server"):
            raise ValueError('flavour must be "cloud" or "server"')
        if not 0 < self.requests_per_second <= 100:
            raise ValueError("requests_per_second must be above 0 and at most 100")


class ConfluenceSource:
    """Opened anew for each run: what the server refuses three times in a row is not asked again."""

    def __init__(
        self, config: SourceConfig, options: ConfluenceOptions, make_api: Callable[..., PacedApi] = PacedApi
    ) -> None:
        self.name = config.name
        self.audience = config.audience
        self._include = Patterns(config.include)
        self._exclude = Patterns(config.exclude)
        self._options = options
        self._make_api = make_api

    def files(self) -> Iterator[SourceFile]:
        """By path. Raises SourceError if the listing is not complete."""
        api = self._open()
        cloud = self._options.flavour == "cloud"
        flavour: Flavour = ConfluenceCloud(api) if cloud else ConfluenceServer(api)
        try:
            spaces = flavour.spaces(self._options.spaces)
            if not spaces:
                raise ApiFailure("no space is visible to the account", 403)
            once = {space.id: space for space in spaces}  # keys are the same in capitals: one may be named twice
            files = [file for space in once.values() for file in self._space(api, flavour, space)]
        except ApiFailure as failure:
            raise self._error(failure) from failure
        except SpaceMissing as missing:
            raise SourcePartNotFound(name=self.name, part=missing.key, key="spaces") from missing
        return iter(sorted(files, key=lambda file: file.path))

    def _space(self, api: PacedApi, flavour: Flavour, space: Space) -> Iterator[SourceFile]:
        viewers = self._viewers(flavour, space)
        nodes = flavour.nodes(space)
        left_out = flavour.labelled(space, self._options.labels_exclude) if self._options.labels_exclude else set()
        readers = _ReadersOf(api, nodes, flavour.restrictions(space), self._options.everyone_groups)
        paths = PagePaths()
        hidden = 0
        lines = {node.id: _line(nodes, node) for node in nodes.values() if node.wanted}
        # Parents first: their paths are settled then. Ids grow, so the older of two pages keeps the plain name.
        for identity, line in sorted(lines.items(), key=lambda one: (len(one[1]), int(one[0]))):
            node = nodes[identity]
            above = [(space.key, space.key), *((one.id, one.title) for one in reversed(line) if one.title)]
            path = paths.add(node.id, above, node.title)
            if node.id in left_out or self._exclude.match(path) or (self._include and not self._include.match(path)):
                continue
            try:
                audience = readers.of(node, line)
            except NotTold:
                hidden += 1
                yield _withheld(node, path)
                continue
            yield SourceFile(
                path=path,
                url=node.url,
                modified=node.modified,
                size=0,
                read=functools.partial(_read, flavour, node),
                version=f"{RENDERING} {node.version}" if node.version else None,
                identity=node.id,
                suffix=".html",
                title=node.title,
                audience=audience.narrowed(viewers),
            )
        if hidden:
            _log.warning(json.dumps({"event": "confluence_readers_not_told", "space": space.key, "pages": hidden}))

    def _viewers(self, flavour: Flavour, space: Space) -> Audience:
        """Who may view the space. Raises SourceDenied if that is asked for and not told."""
        if not self._options.space_permissions:
            return Audience()
        try:
            viewers = flavour.space_readers(space)
        except NotTold:
            raise self._viewers_not_told(space, "not told") from None
        except ApiFailure as failure:
            if not failed_to_tell(failure):
                raise
            raise self._viewers_not_told(space, failure.reason) from failure
        # So that an operator can learn which names the groups file needs.
        _log.info(json.dumps({"event": "confluence_viewers", "space": space.key, "names": sorted(viewers or ())}))
        return _audience(viewers, self._options.everyone_groups)

    def _viewers_not_told(self, space: Space, why: str) -> SourceDenied:
        reason = f"who may view the space {space.key}: {why}, {self._options.token_env}; or space_permissions = false"
        return SourceDenied(name=self.name, address=self._options.url, reason=reason)

    def _open(self) -> PacedApi:
        token = self._secret(self._options.token_env)
        if self._options.flavour == "cloud":
            user = self._secret(self._options.user_env)
            signed = "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()
            base = checked_address(self._options.url)
            base = base if base.endswith("/wiki/") else base + "wiki/"
        else:
            signed, base = f"Bearer {token}", self._options.url
        return self._make_api(base, {"Authorization": signed}, self._options.requests_per_second)

    def _secret(self, variable: str) -> str:
        value = os.environ.get(variable, "").strip()
        if not value:
            raise TokenMissing(name=self.name, variable=variable)
        if not value.isascii() or not value.isprintable():
            raise SourceDenied(
                name=self.name, address=self._options.url, reason=f"{variable}: no token has such characters"
            )
        return value

    def _error(self, failure: ApiFailure) -> SourceError:
        options = self._options
        if failure.status not in (401, 403):
            hint = f'; is it flavour = "{options.flavour}"?' if failure.status == 404 else ""
            return SourceUnreachable(name=self.name, address=options.url, reason=failure.reason + hint)
        variables = f"{options.user_env}, {options.token_env}" if options.flavour == "cloud" else options.token_env
        needed = "" if failure.status == 401 else ", 'View' permission of the spaces"
        return SourceDenied(name=self.name, address=options.url, reason=f"{failure.reason}, {variables}{needed}")


class _ReadersOf:
    """What the restrictions of a space admit; what was not told in bulk is asked for once."""

    def __init__(
        self, api: PacedApi, nodes: Mapping[str, Node], told: Mapping[str, Readers], everyone: tuple[str, ...]
    ) -> None:
        self._api = api
        self._nodes = nodes
        self._told: dict[str, Readers | NotTold] = dict(told)
        self._everyone = everyone

    def of(self, node: Node, line: list[Node]) -> Audience:
        """Restrictions of everything above hold, too. Raises NotTold, ApiFailure."""
        audience = Audience()
        top = line[-1] if line else node
        if top.parent is not None:  # something above that we may not see
            raise NotTold
        for one in [node, *line]:
            readers = self._restriction(one.id)
            audience = audience.narrowed(_audience(readers, self._everyone))
        return audience

    def _restriction(self, identity: str) -> Readers:
        if identity not in self._told:
            try:
                self._told[identity] = asked_for(self._api, identity)
            except NotTold as not_told:
                self._told[identity] = not_told
            except ApiFailure as failure:
                if not failed_to_tell(failure):
                    raise
                self._told[identity] = NotTold()
        readers = self._told[identity]
        if isinstance(readers, NotTold):
            raise readers
        return readers


def _audience(readers: Readers, everyone: tuple[str, ...]) -> Audience:
    if readers is None or any(f"confluence:{group}" in readers for group in everyone):
        return Audience()
    return Audience.of(readers)


def _line(nodes: Mapping[str, Node], node: Node) -> list[Node]:
    """What the page stands in, from the nearest to the outermost that is known."""
    line: list[Node] = []
    above = node.parent
    while above is not None and above in nodes and len(line) < _MOST_STEPS:
        line.append(nodes[above])
        above = nodes[above].parent
    return line


def _withheld(node: Node, path: str) -> SourceFile:
    """A page of which it is not told who may read it: nobody may, and the run reports it."""

    def read() -> bytes:
        raise UnreadablePage(reason="Confluence does not tell who may read it, or what it stands in")

    return SourceFile(
        path, node.url, node.modified, 0, read, identity=node.id, suffix=".html", title=node.title, audience=_NOBODY
    )


def _read(flavour: Flavour, node: Node) -> bytes:
    try:
        storage = flavour.storage(node.id)
    except ApiFailure as failure:
        gone = "it was removed, or is hidden from the account" if failure.status == 404 else failure.reason
        raise UnreadablePage(reason=gone) from failure
    rendered = render_storage(storage, node.title)
    if rendered.left_out:
        _log.info(
            json.dumps({"event": "confluence_macros_left_out", "page": node.id, "macros": dict(rendered.left_out)})
        )
    return rendered.html.encode()


def _open(config: SourceConfig, options: ConfluenceOptions) -> ConfluenceSource:
    return ConfluenceSource(config, options)


KIND = Kind(ConfluenceOptions, _open)
