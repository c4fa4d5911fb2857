"""The Korean keyboard (두벌식): which keys make a syllable, and which syllables keys make. Pure.

Two uses: text that was typed in the wrong layout (`dusck` is 연차, ㅍㅔㅜ is VPN), and typing slips, which are slips of
keys: 가 and 까 are one key apart, 과 is three keys.
"""

from __future__ import annotations

import unicodedata

_FIRST = "r R s e E f a q Q t T d w W c z x v g".split()
_MIDDLE = "k o i O j p u P h hk ho hl y n nj np nl b m ml l".split()
_LAST = "_ r R rt s sw sg e f fr fa fq ft fx fv fg a q qt t T d w c z x v g".split()
_BASE, _MIDDLES, _LASTS = 0xAC00, len(_MIDDLE), len(_LAST)
_SHIFTED = frozenset("QWERTOP")
"""Keys that type something else with Shift; every other capital letter types what the small one does."""
_JAMO = dict(zip("ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ", _FIRST, strict=True)) | dict(
    zip("ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ", _MIDDLE, strict=True)
)
_LETTERS = {keys: jamo for jamo, keys in _JAMO.items()}


def keys_of(text: str) -> str:
    """The keys that type `text`; what is no Hangul stays, in lower case. `연차` → `dusck`, `ㅍㅔㅜ` → `vpn`."""
    keys: list[str] = []
    for letter in unicodedata.normalize("NFC", text):
        number = ord(letter) - _BASE
        if 0 <= number < len(_FIRST) * _MIDDLES * _LASTS:
            last = _LAST[number % _LASTS]
            keys += [_FIRST[number // (_MIDDLES * _LASTS)], _MIDDLE[number // _LASTS % _MIDDLES], last.strip("_")]
        else:
            keys.append(_JAMO.get(letter, letter.lower()))
    return "".join(keys)


def typed(keys: str) -> str:
    """What the keys of the Latin letters `keys` type in the Korean layout; a jamo that makes no syllable stands alone."""
    pressed = [key if key in _SHIFTED else key.lower() for key in keys]
    text: list[str] = []
    at = 0
    while at < len(pressed):
        syllable, used = _syllable(pressed, at)
        text.append(syllable)
        at += used
    return "".join(text)


def is_hangul(text: str) -> bool:
    """Whether every character is a whole syllable; false for nothing."""
    return bool(text) and all("가" <= letter <= "힣" for letter in text)


def _syllable(keys: list[str], at: int) -> tuple[str, int]:
    """The syllable that starts at `at` and the number of keys in it."""
    if keys[at] not in _FIRST or at + 1 == len(keys) or keys[at + 1] not in _MIDDLE:
        return _LETTERS.get(keys[at], keys[at]), 1
    used = 2
    middle = keys[at + 1]
    if at + 2 < len(keys) and middle + keys[at + 2] in _MIDDLE:
        middle += keys[at + 2]
        used = 3
    last = "_"
    for length in (2, 1):
        candidate = "".join(keys[at + used : at + used + length])
        after = at + used + length
        # A consonant before a vowel begins the next syllable.
        if len(candidate) == length and candidate in _LAST and not (after < len(keys) and keys[after] in _MIDDLE):
            last = candidate
            break
    number = (_FIRST.index(keys[at]) * _MIDDLES + _MIDDLE.index(middle)) * _LASTS + _LAST.index(last)
    return chr(_BASE + number), used + len(last.strip("_"))
