"""What an English word has in common with its other forms.

The Porter2 algorithm, after a table of irregular forms ("went" is "go"). Words of other languages
that are written in Latin letters pass through it too: what counts is that a word of a memory and
the same word of a question come out alike.
"""

from __future__ import annotations

from functools import lru_cache

VOWELS = frozenset("aeiouy")
_DOUBLES = ("bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt")
_BEFORE_LI = frozenset("cdeghkmnrt")

#: Base form, then the forms that no rule leads back to it.
_IRREGULAR_FORMS = """
be am is are was were been being|become became|begin began begun|bite bit bitten|blow blew blown
break broke broken|bring brought|build built|buy bought|catch caught|choose chose chosen|come came
deal dealt|die dying|do did done does|draw drew drawn|dream dreamt|drink drank drunk
drive drove driven|eat ate eaten|fall fell fallen|feed fed|feel felt|fight fought|find found
fly flew flown|forget forgot forgotten|forgive forgave forgiven|freeze froze frozen
get got gotten|give gave given|go went gone|grow grew grown|hang hung|have had has|hear heard
hide hid hidden|hold held|keep kept|know knew known|lay laid|lead led|learn learnt|leave left
lend lent|lie lying|lose lost|make made|mean meant|meet met|pay paid|ride rode ridden|ring rang rung
rise rose risen|run ran|say said|see saw seen|seek sought|sell sold|send sent|shake shook shaken
shine shone|shoot shot|show shown|sing sang sung|sink sank sunk|sit sat|sleep slept
speak spoke spoken|spend spent|stand stood|steal stole stolen|stick stuck|strike struck
swear swore sworn|swim swam swum|take took taken|teach taught|tear tore torn|tell told
think thought|throw threw thrown|tie tying|understand understood|wake woke woken|wear wore worn
win won|write wrote written|child children|foot feet|goose geese|knife knives
man men|mouse mice|person people|tooth teeth|wife wives|wolf wolves|woman women
good better best|bad worse worst|far further furthest
"""
_BASES = {
    form: words[0]
    for words in (group.split() for group in _IRREGULAR_FORMS.replace("\n", "|").split("|"))
    for form in words[1:]
}

#: Words that the rules would confuse with others.
_AS_THEY_ARE = frozenset(
    (
        *("news", "howe", "atlas", "cosmos", "bias", "andes", "inning", "outing", "canning"),
        *("herring", "earring", "evening", "proceed", "exceed", "succeed", "university"),
        "universe",
    )
)

_STEP_2 = {
    "ization": "ize",
    "ational": "ate",
    "fulness": "ful",
    "ousness": "ous",
    "iveness": "ive",
    "tional": "tion",
    "biliti": "ble",
    "lessli": "less",
    "entli": "ent",
    "ation": "ate",
    "alism": "al",
    "aliti": "al",
    "ousli": "ous",
    "iviti": "ive",
    "fulli": "ful",
    "enci": "ence",
    "anci": "ance",
    "abli": "able",
    "izer": "ize",
    "ator": "ate",
    "alli": "al",
    "bli": "ble",
}
_STEP_3 = {
    "ational": "ate",
    "tional": "tion",
    "alize": "al",
    "icate": "ic",
    "iciti": "ic",
    "ical": "ic",
    "ness": "",
    "ful": "",
}
_STEP_4 = (
    *("ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ism", "ate", "iti"),
    *("ous", "ive", "ize", "al", "er", "ic"),
)


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return what all forms of an English word share.

    Args:
        word: One word in lower case, without diacritics.
    """
    word = _BASES.get(word, word)
    if len(word) <= 2 or word in _AS_THEY_ARE or not (word.isascii() and word.isalpha()):
        return word
    word = _mark_consonant_y(word)
    first = _region(word, 0)
    second = _region(word, first)
    word = _final_y(_tense(_plural(word), first))
    word = _longest(word, _STEP_2, first) or _without_li(word, first)
    word = _longest(word, _STEP_3, first) or _cut(word, "ative", second)
    word = _without_ending(word, second)
    return _without_e(word, first, second).lower()


def _mark_consonant_y(word: str) -> str:
    return "".join(
        "Y" if letter == "y" and (at == 0 or word[at - 1] in VOWELS) else letter
        for at, letter in enumerate(word)
    )


def _region(word: str, start: int) -> int:
    """Return where the part begins that follows the first consonant after a vowel."""
    for prefix in ("gener", "commun", "arsen"):
        if start == 0 and word.startswith(prefix):
            return len(prefix)
    for at in range(start + 1, len(word)):
        if word[at] not in VOWELS and word[at - 1] in VOWELS:
            return at + 1
    return len(word)


def _has_vowel(part: str) -> bool:
    return any(letter in VOWELS for letter in part)


def _ends_short(word: str) -> bool:
    if len(word) == 2:
        return word[0] in VOWELS and word[1] not in VOWELS
    return (
        len(word) > 2
        and word[-1] not in VOWELS
        and word[-1] not in "wxY"
        and word[-2] in VOWELS
        and word[-3] not in VOWELS
    )


def _cut(word: str, suffix: str, region: int, new: str = "") -> str:
    """Return the word with another ending, if the old one lies in the region."""
    at = len(word) - len(suffix)
    return word[:at] + new if word.endswith(suffix) and at >= region else word


def _plural(word: str) -> str:
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith(("ied", "ies")):
        return word[:-2] if len(word) > 4 else word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")) and _has_vowel(word[:-2]):
        return word[:-1]
    return word


def _tense(word: str, first: int) -> str:
    for suffix in ("eedly", "eed"):
        if word.endswith(suffix):
            return _cut(word, suffix, first, "ee")
    for suffix in ("ingly", "edly", "ing", "ed"):
        if not word.endswith(suffix):
            continue
        rest = word[: -len(suffix)]
        if not _has_vowel(rest):
            return word
        if rest.endswith(("at", "bl", "iz")):
            return rest + "e"
        if rest.endswith(_DOUBLES):
            return rest[:-1]
        return rest + "e" if first >= len(rest) and _ends_short(rest) else rest
    return word


def _final_y(word: str) -> str:
    if word[-1] in "yY" and len(word) > 2 and word[-2] not in VOWELS:
        return word[:-1] + "i"
    return word


def _longest(word: str, endings: dict[str, str], region: int) -> str:
    """Return the word with its longest known ending replaced; empty if it has none."""
    for suffix, new in endings.items():
        if word.endswith(suffix):
            return _cut(word, suffix, region, new)
    return ""


def _without_li(word: str, first: int) -> str:
    if word.endswith("logi"):
        return _cut(word, "ogi", first, "og")
    if word.endswith("li") and len(word) > 2 and word[-3] in _BEFORE_LI:
        return _cut(word, "li", first)
    return word


def _without_ending(word: str, second: int) -> str:
    for suffix in _STEP_4:
        if word.endswith(suffix):
            return _cut(word, suffix, second)
    return _cut(word, "ion", second) if word.endswith(("sion", "tion")) else word


def _without_e(word: str, first: int, second: int) -> str:
    if word.endswith("e"):
        at = len(word) - 1
        if at >= second or (at >= first and not _ends_short(word[:-1])):
            return word[:-1]
    if word.endswith("ll"):
        return _cut(word, "l", second)
    return word
