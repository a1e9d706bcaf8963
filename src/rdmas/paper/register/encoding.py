"""Which characters the bytes of a table are: said, and doubted where another reading makes sense.

Short tables are what statistical detection is worst at, and a table of patients is short. So
what is certain comes first: byte order marks, the form of UTF-8, Chinese characters of every
day (GB18030), Latin letters that stand where letters of a word stand (Windows-1252, which holds
Latin-1). Only what is left is put to charset-normalizer, and then a warning is given.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from encodings.aliases import aliases
from itertools import islice

import charset_normalizer

from rdmas.paper.problems import CohortError, Problem, shown

_MARKS = (
    (codecs.BOM_UTF8, "utf_8"),
    (codecs.BOM_UTF32_LE, "utf_32_le"),
    (codecs.BOM_UTF32_BE, "utf_32_be"),
    (codecs.BOM_UTF16_LE, "utf_16_le"),
    (codecs.BOM_UTF16_BE, "utf_16_be"),
    ("\ufeff".encode("gb18030"), "gb18030"),
)

_NAMES = {
    "utf_8": "UTF-8",
    "utf_16_le": "UTF-16",
    "utf_16_be": "UTF-16",
    "utf_32_le": "UTF-32",
    "utf_32_be": "UTF-32",
    "gb18030": "GB18030",
    "cp1252": "Latin-1 (Windows-1252)",
    "latin_1": "Latin-1",
}

#: Python's codecs that are encodings of characters; the others are other transformations.
_NOT_CHARACTERS = {"base64_codec", "bz2_codec", "hex_codec", "mbcs", "quopri_codec", "rot_13"}
_NOT_CHARACTERS |= {"uu_codec", "zlib_codec"}

#: What charset-normalizer may propose: what spreadsheet programs write or once wrote.
_PROPOSED = ["big5", "cp932", "euc_jp", "cp949", "tis_620", "koi8_r", "cp1250", "cp1251", "cp1253"]
_PROPOSED += ["cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "mac_roman", "cp850", "cp437"]

#: Cells that decide about patients and whose bytes are UTF-8 and GB18030 alike.
_CODED_WORDS = frozenset("男女是否有无")

_SPECIAL = re.compile(r"[^\x00-\x7f]+")
_BREAK = re.compile(r"[\s,;\"|/()\[\]]")
_CELL = re.compile(r"[^,;\t\r\n\"]+")

_TO_COMMA = str.maketrans(";\t", ",,")

_CONTROL = re.compile(b"[\0-\x08\x0b\x0c\x0e-\x1f]")
_HIGH = bytes(range(0x80, 0x100))

#: Signs that may stand within a word.
_JOINING = set("’‘'·–—×")


@dataclass(frozen=True)
class Decoded:
    """Text, what it was taken as, and what speaks against that."""

    text: str
    note: str
    warnings: tuple[Problem, ...] = ()


def decode(file: str, data: bytes, encoding: str | None = None) -> Decoded:
    r"""Return the text of a table.

    Parameters
    ----------
    file : str
        Name of the file, for problems.
    data : bytes
        Its content.
    encoding : str, optional
        What the reader says that it is; by default it is told from the bytes.

    Returns
    -------
    Decoded

    Raises
    ------
    CohortError
        If the bytes are not what the reader says, or cannot be told.

    Examples
    --------
    >>> decode("a.csv", "sex\\n女\\n男\\n".encode("gb18030")).note
    'Encoding: GB18030.'
    >>> decode("a.csv", "Größe\\n".encode("latin-1")).note
    'Encoding: Latin-1 (Windows-1252).'
    """
    if encoding:
        return _as_named(file, data, encoding)
    for mark, name in _MARKS:
        if data.startswith(mark) and (text := _strict(data, name)) is not None:
            note = f"Encoding: {_NAMES[name]}, with a byte order mark."
            return Decoded(text.removeprefix("\ufeff"), note)
    for name in ("utf_16_le", "utf_16_be"):
        if _is_wide(data, name):
            return Decoded(
                data.decode(name), f"Encoding: {_NAMES[name]}, without a byte order mark."
            )
    if _CONTROL.search(data):  # refused by whoever reads the text, with the row
        return Decoded(data.decode("latin_1"), "Encoding: none.")
    if (text := _strict(data, "utf_8")) is not None:
        return Decoded(text, "Encoding: UTF-8.", tuple(_doubts_of_utf_8(file, data, text)))
    western = _strict(data, "cp1252")
    western = western if western is not None and _is_latin(western) else None
    if (text := _strict(data, "gb18030")) is not None and _is_chinese(text):
        doubts = [] if western is None else [_doubt(file, text, western, "gb18030", "cp1252")]
        return Decoded(text, "Encoding: GB18030.", tuple(doubts))
    _refuse_mixed(file, data)
    if western is None:
        return _guessed(file, data)
    others = [] if _is_certain(western) else _proposals(data)[:1]
    doubts = [
        _doubt(file, western, other, "cp1252", name)
        for name in others
        if (other := _strict(data, name)) not in (None, western)
    ]
    return Decoded(western, f"Encoding: {_NAMES['cp1252']}.", tuple(doubts))


def _as_named(file: str, data: bytes, encoding: str) -> Decoded:
    """Decode what a reader has named."""
    try:
        name = codecs.lookup(encoding).name.replace("-", "_").lower()
    except (LookupError, ValueError):
        name = ""
    name = {"iso8859_1": "latin_1", "utf_8_sig": "utf_8"}.get(name, name)
    if name not in {*aliases.values(), "cp65001"} - _NOT_CHARACTERS:
        rule = "is no encoding that is known; utf-8, utf-16, gb18030 and cp1252 are some"
        raise CohortError(Problem(file, rule, value=encoding))
    try:
        text = data.decode(name)
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        rule = f"is not {shown(encoding)} text; name its encoding, or none to have it told"
        raise CohortError(Problem(file, rule, row_at(data[:start].decode("latin_1")))) from None
    doubts = []
    utf_8 = _strict(data, "utf_8")
    if name != "utf_8" and utf_8 is not None and not utf_8.isascii() and utf_8 != text:
        doubts.append(_doubt(file, text, utf_8, encoding, "utf_8"))
    note = f"Encoding: {_NAMES.get(name, name)}, as named."
    return Decoded(text.removeprefix("\ufeff"), note, tuple(doubts))


def _guessed(file: str, data: bytes) -> Decoded:
    """Decode what has no certain sign, with a warning."""
    name, text = "", None
    for name in ("mac_roman", "cp850"):
        if (text := _strict(data, name)) is not None and _is_certain(text):
            break
    else:
        for name in (*_proposals(data), "cp1252"):
            if (text := _strict(data, name)) is not None:
                break
    if text is None:
        rule = "is text of an encoding that cannot be told; save it as UTF-8 or name the encoding"
        raise CohortError(Problem(file, rule))
    rule = (
        f"was taken as {_NAMES.get(name, name)}, which is a guess; if this is not what "
        "stands there, save the file as UTF-8 or name the encoding"
    )
    doubt = Problem(file, rule, value=_word(text), level="warning")
    return Decoded(text, f"Encoding: {_NAMES.get(name, name)}, a guess.", (doubt,))


def _proposals(data: bytes) -> list[str]:
    """Return what charset-normalizer thinks of the lines that are not ASCII, best first."""
    lines = [line for line in data.splitlines() if not line.isascii()]
    sample = b"\n".join(lines)[:20_000]
    return [
        match.encoding for match in charset_normalizer.from_bytes(sample, cp_isolation=_PROPOSED)
    ]


def _strict(data: bytes, name: str) -> str | None:
    """Return the text if every byte belongs to it."""
    try:
        return data.decode(name)
    except UnicodeError:
        return None


def _is_wide(data: bytes, name: str) -> bool:
    """Return whether bytes are UTF-16 without a mark: many zeros, all on one side."""
    zeros, others = (1, 0) if name == "utf_16_le" else (0, 1)
    if len(data) % 2 or data[others::2].count(0) or data[zeros::2].count(0) < len(data) // 10:
        return False
    return (text := _strict(data, name)) is not None and "\n" in text.replace("\r", "\n")


def _is_chinese(text: str) -> bool:
    """Return whether what is not ASCII is mostly Chinese of every day."""
    words = "".join(_words(text))
    letters = [letter for letter in words if letter > "\x7f" and not _is_latin_letter(letter)]
    common = rare = 0
    for letter in letters:
        try:
            lead = letter.encode("gb2312")[0]
        except UnicodeEncodeError:
            rare += 1
        else:
            common += 0xB0 <= lead <= 0xD7 or lead <= 0xA3
    return common >= 0.6 * len(letters) and rare <= 0.2 * len(letters)


def _is_latin(text: str) -> bool:
    """Return whether letters and signs that are not ASCII stand where such do in words."""
    words = _words(text)
    return sum(map(_is_odd, words)) <= len(words) // 20


def _words(text: str) -> list[str]:
    """Return words with letters or signs that are not ASCII: the first thousands, shortened."""
    words = []
    for match in islice(_SPECIAL.finditer(text), 5_000):
        start, end = match.start(), min(match.end(), match.start() + 40)
        before = _BREAK.split(text[max(0, start - 20) : start])[-1]
        words.append(before + _BREAK.split(text[start : end + 20])[0])
    return [word for word in words if word]


def _is_odd(word: str) -> bool:
    """Return whether a word has letters or signs where no Latin word has them."""
    special = [letter for letter in word if letter > "\x7f"]
    letters = [letter for letter in special if letter.isalpha() and letter not in "ªº"]
    if not all(map(_is_latin_letter, letters)):
        return True
    if len(special) > 1 and len(letters) > sum(
        letter.isascii() and letter.isalpha() for letter in word
    ):
        return True
    for before, here, after in zip(" " + word, word, word[1:] + " ", strict=False):
        if here <= "\x7f" or here in _JOINING:
            continue
        if here in letters and here.isupper() and before.islower():
            return True
        if here not in letters and before.isalpha() and after.isalpha():
            return True
    return False


def _is_latin_letter(letter: str) -> bool:
    """Return whether a character is a letter of Latin script."""
    return "LATIN" in unicodedata.name(letter, "")


def _is_certain(text: str) -> bool:
    """Return whether a Latin text uses only what Western and Central Europe's tables agree on."""
    special = {letter for letter in set(text) if letter > "\x7f"}
    agreed = {letter for letter in special if _byte(letter, "cp1252") == _byte(letter, "cp1250")}
    return special == agreed and _is_latin(text)


def _byte(letter: str, name: str) -> bytes | str:
    """Return the byte of a letter, or the name of the table that lacks it."""
    try:
        return letter.encode(name)
    except UnicodeEncodeError:
        return name


def _doubts_of_utf_8(file: str, data: bytes, text: str) -> Iterator[Problem]:
    """Yield a warning if text that has the form of UTF-8 makes better sense otherwise."""
    if "\ufffd" in text:
        rule = "holds characters that were lost when the file was saved; export it anew as UTF-8"
        row = row_at(text[: text.index("\ufffd")])
        yield Problem(file, rule, row, value="\ufffd", level="warning")
    if text.isascii():
        return
    if (twice := _once_more(text)) is not None:
        rule = (
            f"looks like UTF-8 read as Latin-1 and saved again; perhaps '{_word(twice)}' is meant"
        )
        yield Problem(file, rule, value=_word(text), level="warning")
    chinese = _strict(data, "gb18030")
    if chinese is None or not _is_chinese(chinese) or max(text) > "\u07ff":
        return  # three bytes in UTF-8's form are no accident
    if not _is_latin(text) or any(
        match.group() in _CODED_WORDS for match in _CELL.finditer(chinese)
    ):
        yield _doubt(file, text, chinese, "utf_8", "gb18030")


def _once_more(text: str) -> str | None:
    """Return the text that was read as Latin-1 by mistake before it was saved as UTF-8."""
    for name in ("latin_1", "cp1252"):
        with contextlib.suppress(UnicodeError):
            return text.encode(name).decode("utf_8")
    return None


def _word(text: str) -> str:
    """Return the first word that is not ASCII, for a terminal."""
    return shown(next(iter(_words(text)), ""))


def _doubt(file: str, text: str, other: str, taken: str, name: str) -> Problem:
    """Warn that words would read otherwise; a word of the header if one would."""
    pairs = zip(_CELL.finditer(text), _CELL.finditer(other), strict=False)
    differing = ((a.group(), b.group()) for a, b in pairs if a.group() != b.group())
    word, rival = next(differing, ("", ""))
    rule = (
        f"was read as {_NAMES.get(taken, taken)}; as {_NAMES.get(name, name)} it would be "
        f"'{shown(rival)}'; name the encoding if that is right"
    )
    return Problem(file, rule, value=word, level="warning")


def _refuse_mixed(file: str, data: bytes) -> None:
    """Refuse UTF-8 with some bytes that are not: no one encoding would read it all."""
    text = data.decode("utf_8", "surrogateescape")
    valid = data.decode("utf_8", "ignore")
    stray = len(text) - len(valid)
    special = len(valid) - len(data.translate(None, _HIGH))
    if stray <= special:
        before = re.split("[\ud800-\udfff]", text, maxsplit=1)[0]
        fault = Problem(file, "is UTF-8 text in part only; save it anew as UTF-8", row_at(before))
        raise CohortError(fault)


def row_at(before: str) -> int:
    r"""Return the number of the row, as a spreadsheet program counts, at the end of some text.

    Examples
    --------
    >>> row_at("a,b\n"), row_at('a,b\n"line\nbreak",'), row_at("a\r\n\r\nb")
    (2, 2, 3)
    """
    text = before.translate(_TO_COMMA) + "x"
    try:
        return sum(1 for _ in csv.reader(io.StringIO(text, newline="")))
    except csv.Error:  # a cell beyond every limit
        return sum(1 for _ in io.StringIO(text, newline=""))
