"""The terms by which a text is found.

A text is normalised (NFKC, lower case) and cut into words. A word gives its stem without
diacritics, and the word itself when that differs: a question typed without diacritics finds the
text, one typed with them prefers it. Vietnamese writes words as several syllables, so neighbouring
syllables give a term together. Dates give one term for the day and one for the month, however
they are written. Scripts without spaces give pairs of characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from iaiflow_memory.dates import dates
from iaiflow_memory.stems import stem
from iaiflow_memory.stopwords import STOPWORDS

_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f"
_WORD = re.compile(rf"[{_UNSPACED}]+|\d+(?:[.,]\d+)+|[^\W_{_UNSPACED}]+")
#: A word as it stands in a text, where accents may be characters of their own.
_SPELLED = re.compile(
    rf"[{_UNSPACED}]{{1,2}}|\d+(?:[.,]\d+)+|(?:[^\W_{_UNSPACED}]|[\u0300-\u036f])+"
)
_CONTRACTION = re.compile(r"['\u2019](?:s|m|d|re|ve|ll|t)?\b")
#: Letters that Vietnamese has and other languages in Latin letters hardly do.
_VIETNAMESE = re.compile("[ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]")
#: A syllable of Vietnamese without its diacritics.
_SYLLABLE = re.compile(
    r"(?:ngh?|nh|ch|tr|th|ph|kh|gh|gi|qu|[bcdghklmnprstvx])?[aeiouy]{1,3}(?:ch|nh|ng|[cmnpt])?"
)


def tokens(text: str) -> list[str]:
    """Return the terms of a text, each as often as it occurs.

    Words that say nothing (`the`, `của`) are left out, unless the text has no others.
    """
    text = normalise(text)
    return [*_word_terms(text), *_syllable_pairs(text, bool(_VIETNAMESE.search(text)))]


def query_tokens(text: str) -> list[str]:
    """Return the terms of a question: those of a text, each once.

    Syllables count as Vietnamese even without diacritics, which many people do not type.
    """
    text = normalise(text)
    return list(dict.fromkeys([*_word_terms(text), *_syllable_pairs(text, vietnamese=True)]))


def shared_words(question: str, text: str) -> tuple[str, ...]:
    """Return the words of a question, as written there, that a text has in some form."""
    held = {form for word in _telling(normalise(text)) for form in _forms(word)}
    words = dict.fromkeys(_WORD.findall(_CONTRACTION.sub(" ", normalise(question))))
    return tuple(word for word in words if not held.isdisjoint(_forms(word)))


def marked(question: str, text: str) -> list[tuple[str, bool]]:
    """Return a text in pieces, each with whether it is a word that the question has in some form.

    The pieces together are the text as it is.
    """
    words = _WORD.findall(_CONTRACTION.sub(" ", normalise(question)))
    wanted = {form for word in words if word not in STOPWORDS for form in _forms(word)}
    pieces: list[tuple[str, bool]] = []
    end = 0
    for found in _SPELLED.finditer(text):
        shapes = _WORD.findall(_CONTRACTION.sub(" ", normalise(found[0])))
        if not any(wanted.intersection(_forms(word)) for word in shapes):
            continue
        if end < found.start():
            pieces.append((text[end : found.start()], False))
        pieces.append((found[0], True))
        end = found.end()
    if end < len(text):
        pieces.append((text[end:], False))
    return pieces


def normalise(text: str) -> str:
    """Return a text in the form in which two spellings of the same words are equal."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


@lru_cache(maxsize=65_536)
def fold(word: str) -> str:
    """Return a word in lower case without its diacritics; `đ` is a letter to Unicode, not to us."""
    marked = unicodedata.normalize("NFD", word.replace("đ", "d"))
    return "".join(letter for letter in marked if not unicodedata.combining(letter))


def _word_terms(text: str) -> Iterator[str]:
    for word in _telling(text):
        yield from _forms(word)
    yield from _date_terms(text)


def _telling(text: str) -> list[str]:
    words = _WORD.findall(_CONTRACTION.sub(" ", text))
    return [word for word in words if word not in STOPWORDS] or words


@lru_cache(maxsize=65_536)
def _forms(word: str) -> tuple[str, ...]:
    if re.match(f"[{_UNSPACED}]", word):
        return tuple(first + second for first, second in pairwise(word)) or (word,)
    if word[0].isdigit():
        return (_number(word),)
    folded = fold(word)
    return (stem(folded),) if folded == word else (stem(folded), word)


def _number(word: str) -> str:
    """Return a number without the marks that group its thousands."""
    return re.sub(r"(?<=\d)[.,](?=\d{3}(?:\D|$))", "", word) if word[0] != "0" else word


def _syllable_pairs(text: str, vietnamese: bool) -> Iterator[str]:  # noqa: FBT001
    if not vietnamese:
        return
    for first, second in pairwise(_WORD.findall(text)):
        if first in STOPWORDS or second in STOPWORDS:
            continue
        pair = fold(first), fold(second)
        if all(_SYLLABLE.fullmatch(part) for part in pair):
            yield "_".join(pair)


def _date_terms(text: str) -> Iterator[str]:
    for date in dates(text):
        if date.year and date.day:
            yield f"{date.year}-{date.month:02}-{date.day:02}"
        if date.year:
            yield f"{date.year}-{date.month:02}"
