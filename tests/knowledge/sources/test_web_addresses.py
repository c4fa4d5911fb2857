"""Which addresses may be talked to: for every spelling of every address, not only those somebody thought of."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from knowledge.sources.web.addresses import refusal, resolve
from knowledge.sources.web.urls import Scope, normal, sorted_query, worth_asking

PRIVATE = "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 127.0.0.0/8 fc00::/7 ::1/128".split()
NEVER = (
    "0.0.0.0/8 169.254.0.0/16 192.0.0.0/29 192.0.2.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 "
    "168.63.129.16/32 100.100.100.200/32 ::/128 ::2:0/112 fe80::/10 fec0::/10 ff00::/8 fd00:ec2::254/128 2001:db8::/32 "
    "2002::/16 2001::/32 64:ff9b:1::/48 100::/64 3fff::/20 5f00::/16 4000::/2 8000::/2 c000::/3"
).split()


def inside(networks: list[str]) -> st.SearchStrategy[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    return st.sampled_from(networks).flatmap(lambda text: st.ip_addresses(network=text))


def refused(address: ipaddress.IPv4Address | ipaddress.IPv6Address, *, allow_private: bool) -> bool:
    return refusal(address, allow_private=allow_private) is not None


def hidden(address: ipaddress.IPv4Address) -> list[ipaddress.IPv6Address]:
    """IPv6 addresses behind which the IPv4 address is reached."""
    return [
        ipaddress.IPv6Address(int(ipaddress.IPv6Address(base)) + int(address)) for base in ("::ffff:0:0", "64:ff9b::")
    ]


@given(inside(PRIVATE))
def test_the_companys_own_network_is_open_only_where_allowed(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    assert refused(address, allow_private=False)
    keys = [ipaddress.ip_address(text) for text in ("100.100.100.200", "fd00:ec2::254")]
    assert refused(address, allow_private=True) == (address in keys)


@given(inside(NEVER), st.booleans())
def test_metadata_multicast_and_reserved_addresses_are_never_open(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, allow_private: bool
) -> None:
    assert refused(address, allow_private=allow_private)


@given(st.ip_addresses(v=4), st.booleans())
@example(ipaddress.IPv4Address("127.0.0.1"), False)
@example(ipaddress.IPv4Address("169.254.169.254"), True)
def test_an_ipv4_address_inside_an_ipv6_one_counts_as_itself(
    address: ipaddress.IPv4Address, allow_private: bool
) -> None:
    for other in hidden(address):
        assert refused(other, allow_private=allow_private) == refused(address, allow_private=allow_private)


@pytest.mark.parametrize(
    "text", "8.8.8.8 93.184.216.34 211.249.220.24 2606:4700::1111 2400:cb00::1 64:ff9b::8.8.8.8".split()
)
def test_public_addresses_are_open(text: str) -> None:
    assert not refused(ipaddress.ip_address(text), allow_private=False)


@pytest.mark.parametrize("host", ["127.1", "0x7f000001", "2130706433", "0177.0.0.1", "localhost"])
def test_every_spelling_of_this_machine_is_known_as_it(host: str) -> None:
    found = [ipaddress.ip_address(text) for text in resolve(host, 80)]
    assert found
    assert all(refused(address, allow_private=False) for address in found)


@pytest.mark.parametrize(
    ("written", "spelt"),
    [
        ("HTTPS://Wiki.Example.COM:443/a/../b/./c#d", "https://wiki.example.com/b/c"),
        ("http://wiki.example.com", "http://wiki.example.com/"),
        ("http://wiki.example.com:8080?a=1", "http://wiki.example.com:8080/?a=1"),
        (
            "https://위키.한국/휴가 규정?제목=연차",
            "https://xn--9q5b29o.xn--3e0b707e/%ED%9C%B4%EA%B0%80%20%EA%B7%9C%EC%A0%95?%EC%A0%9C%EB%AA%A9=%EC%97%B0%EC%B0%A8",
        ),
        ("https://h/%7euser/%e3%81%82/%2f", "https://h/~user/%E3%81%82/%2F"),
        ("https://h/a/%2e%2e/%2E%2e/b", "https://h/b"),
        ("https://h\\a\\b", "https://h/a/b"),
        (" https://h/a\n b ", "https://h/a%20b"),
        ("https://h/100%", "https://h/100%25"),
        ("https://h./a", "https://h/a"),
        ("https://h/a;jsessionid=ABC123?b=1&utm_source=x&fbclid=y", "https://h/a?b=1"),
        ("https://h/a?sid=0123456789abcdef0&id=3", "https://h/a?id=3"),
        ("https://h/a?session=keynote-for-developers", "https://h/a?session=keynote-for-developers"),
        ("https://h/a?sid=12", "https://h/a?sid=12"),
        ("https://h/a?&&b", "https://h/a?b"),
        ("https://[2606:4700::1]/a", "https://[2606:4700::1]/a"),
    ],
)
def test_an_address_has_one_spelling(written: str, spelt: str) -> None:
    assert normal(written) == spelt


@pytest.mark.parametrize(
    "written",
    [
        "",
        "ftp://h/a",
        "javascript:alert(1)",
        "mailto:a@b.c",
        "file:///etc/passwd",
        "https://user:pw@h/",
        "https://u@h/",
        "https:///a",
        "https://h:0/",
        "https://h:99999/",
        "https://[::1",
        "https://h/" + "a" * 3000,
        "https://a b/",
        "data:,x",
    ],
)
def test_what_is_no_address_of_a_page_is_none(written: str) -> None:
    assert normal(written) is None


def test_links_are_understood_from_their_page() -> None:
    page = "https://h/docs/a/b?c=1"
    links = {"../x": "https://h/docs/x", "/y": "https://h/y", "?d=2": "https://h/docs/a/b?d=2", "//o/z": "https://o/z"}
    assert {link: normal(link, page) for link in links} == links


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
PIECES = st.lists(
    st.one_of(TEXTS, st.sampled_from(["/", "..", ".", "%2e", "%2F", "?", "#", "%", ":", "@", "\\", "//", "&", ";"]))
)


@given(PIECES)
def test_a_spelling_is_final_and_never_leaves_its_host(pieces: list[str]) -> None:
    spelt = normal("https://wiki.example.com/" + "".join(pieces))
    if spelt is None:
        return
    assert normal(spelt) == spelt
    assert re.fullmatch(r"[!-~]+", spelt)
    parts = urlsplit(spelt)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "wiki.example.com", "")
    assert not {".", ".."} & set(parts.path.split("/"))
    assert normal(sorted_query(spelt)) is not None


@given(PIECES, st.sampled_from(["", "//", "https:", "http://wiki.example.com/docs", "../", "/"]))
def test_what_belongs_to_a_site_lies_below_its_prefix(pieces: list[str], start: str) -> None:
    scope = Scope.of("https://wiki.example.com/docs/start.html", "")
    link = normal(start + "".join(pieces), "https://wiki.example.com/docs/a/b")
    if link is not None and scope.contains(link):
        parts = urlsplit(link)
        assert (parts.scheme, parts.netloc) == ("https", "wiki.example.com")
        assert parts.path == "/docs" or parts.path.startswith("/docs/")
        path = scope.readable(link)
        assert path
        assert path.isprintable()


@pytest.mark.parametrize(
    ("url", "prefix", "expected"),
    [
        ("https://h/docs/index.html", "", "https://h/docs/"),
        ("https://h/", "", "https://h/"),
        ("https://h/docs/a", "https://h/docs", "https://h/docs/"),
        ("https://h/docs/a", "https://h/", "https://h/"),
    ],
)
def test_the_prefix_is_the_folder_of_the_start_unless_given(url: str, prefix: str, expected: str) -> None:
    assert Scope.of(url, prefix).prefix == expected


def test_neighbours_that_begin_alike_are_not_in_the_prefix() -> None:
    scope = Scope.of("https://h/docs/", "")
    assert scope.contains("https://h/docs?x=1")
    for other in (
        "https://h/docs-secret/",
        "https://h/doc",
        "http://h/docs/",
        "https://h:8443/docs/",
        "https://h.evil/docs/",
    ):
        assert not scope.contains(other)


@pytest.mark.parametrize(
    ("below", "path"),
    [
        ("", "index"),
        ("%ED%9C%B4%EA%B0%80/", "휴가/index"),
        ("a/?b=1", "a/index?b=1"),
        ("%E1%84%92%E1%85%B2%E1%84%80%E1%85%A1.html", "휴가.html"),
        ("%C8%DE%B0%A1", "휴가"),
        ("a%2Fb%0A", "a%2Fb%0A"),
        ("index.php?title=%EC%97%B0%EC%B0%A8+%EA%B7%9C%EC%A0%95", "index.php?title=연차 규정"),
    ],
)
def test_a_page_is_named_as_a_person_would_write_it(below: str, path: str) -> None:
    assert Scope.of("https://h/w/", "").readable("https://h/w/" + below) == path


@pytest.mark.parametrize(
    "address",
    [
        "https://h/a.png",
        "https://h/a.zip",
        "https://h/logout",
        "https://h/w?action=edit",
        "https://h/w?do=Delete&id=1",
        "https://h" + "/a/b" * 4,
        "https://h" + "/x" * 3 + "".join(f"/{n}" for n in range(30)),
        "https://h/?" + "&".join(f"p{n}=1" for n in range(20)),
    ],
)
def test_images_deeds_and_the_endless_are_not_asked_for(address: str) -> None:
    assert not worth_asking(address)


@pytest.mark.parametrize(
    "address", ["https://h/a", "https://h/a.pdf", "https://h/w?action=view", "https://h/2026/01/01/a", "https://h/v1.2"]
)
def test_pages_are_asked_for(address: str) -> None:
    assert worth_asking(address)
