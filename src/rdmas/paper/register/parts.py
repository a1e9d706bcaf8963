"""The parts of a workbook (XLSX), read as streams and refused where they are none.

Neither a bomb nor a million formatted empty rows may take more than seconds, and nothing that a
workbook says can make its reader wait: sizes are known before anything is unpacked, what is only
formatted is left out before it is parsed, and what is parsed is forgotten.
"""

from __future__ import annotations

import contextlib
import io
import posixpath
import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Collection, Iterator
from typing import Any, NoReturn

from openpyxl.utils.escape import unescape

from rdmas.paper.problems import CohortError, Problem

#: Bytes of all parts of a workbook when unpacked.
UNPACKED = 400_000_000

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_PARTS = 10_000
_CHUNK = 1_000_000
_DEPTH = 100
_PENDING = 300_000
_ELEMENTS = 3_000_000

_NUMBERED = rb'<(?:\w+:)?row(?=\s[^<>]*?(?<=\s)r="\d{1,7}")'
_EMPTY_CELL = rb"<(?:\w+:)?c(?=[\s/>])[^<>]*+>(?:(?<=/>)|</(?:\w+:)?c>)\s*+"
#: No second way to match, so that no text makes it slow; only before a row with a number, as
#: one without is counted from the row above.
_EMPTY_ROW = re.compile(
    _NUMBERED + rb"[^<>]*+>(?:(?<=/>)|\s*+(?:" + _EMPTY_CELL + rb")*+</(?:\w+:)?row>)"
    rb"(?=\s*+(?:" + _NUMBERED + rb"|</))"
)
_ROW_NUMBER = re.compile(rb'<(?:\w+:)?row\s[^<>]*?(?<=\s)r="(\d{1,7})"')


def is_workbook(data: bytes) -> bool:
    """Return whether bytes begin as workbooks do, those of old form among them."""
    return data.startswith((*_ZIP, _OLE))


class Archive:
    """The parts of a workbook by name.

    Parameters
    ----------
    file : str
        Name of the file, for problems.
    data : bytes
        Its content.

    Raises
    ------
    CohortError
        If it is encrypted, of another form, or unpacks to more than `UNPACKED` bytes.
    """

    def __init__(self, file: str, data: bytes) -> None:
        self.file = file
        self.zip = _opened(file, data)


def relations(archive: Archive, part: str) -> dict[str, tuple[str, str]]:
    """Return kind and target of each relation of a part, by its key."""
    folder, name = posixpath.split(part)
    found = {}
    source = posixpath.join(folder, "_rels", f"{name}.rels")
    for _, element in elements(archive, source, {"Relationship"}):
        if element.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, element.get("Target", "")))
            kind = posixpath.basename(element.get("Type", ""))
            found[element.get("Id", "")] = kind, target.lstrip("/")
    return found


class Part:
    """A part of a workbook as a stream, with `slim` without rows that only have a format."""

    def __init__(self, archive: Archive, part: str, slim: bool = False) -> None:
        self.archive = archive
        self.source = archive.zip.open(part)
        self.slim = slim
        self.ready = self.kept = b""
        self.at = 0
        self.unread = UNPACKED
        self.last_row = 0

    def read(self, size: int = _CHUNK, /) -> bytes:
        """Return the next bytes, none at the end; few at a time, so that few wait as elements."""
        if self.at >= len(self.ready):
            self.ready, self.at = self._next(), 0
        self.at += size
        return self.ready[self.at - size : self.at]

    def _next(self) -> bytes:
        """Return the next piece of XML that is not empty; it ends with a tag."""
        while chunk := self.source.read(_CHUNK):
            self.unread -= len(chunk)
            data = self.kept + chunk
            end = data.rfind(b">") + 1
            self.kept = data[end:]
            if self.unread < 0 or len(self.kept) > 4 * _CHUNK:
                rule = "holds more than a workbook can; save it again as .xlsx"
                refuse_file(self.archive.file, rule)
            if data := self._slimmed(data[:end]):
                return data
        data, self.kept = self.kept, b""
        return data

    def _slimmed(self, data: bytes) -> bytes:
        """Return a piece of XML without the rows in which nothing stands."""
        if b"<!DOCTYPE" in data.replace(b"\0", b""):
            refuse_file(self.archive.file, "declares entities, which no workbook does")
        if not self.slim or b"<![CDATA[" in data:
            return data
        at = max(data.rfind(b"<row "), data.rfind(b":row "))
        if match := _ROW_NUMBER.match(data, data.rfind(b"<", 0, at + 1)) if at >= 0 else None:
            self.last_row = int(match.group(1))
        return _EMPTY_ROW.sub(b"", data)


def elements(
    archive: Archive, part: str, wanted: Collection[str]
) -> Iterator[tuple[str, ET.Element]]:
    """Yield the elements of some names in a part; none if there is no such part."""
    if part in archive.zip.NameToInfo:
        yield from parsed(Part(archive, part), wanted)


def parsed(
    stream: Part, wanted: Collection[str], starts: Collection[str] = ()
) -> Iterator[tuple[str, ET.Element]]:
    """Yield elements as they end, or as they start, and keep none of them."""
    stack: list[ET.Element] = []
    inside = pending = count = 0
    for event, element in ET.iterparse(stream, events=("start", "end")):  # type: ignore[arg-type]
        name = local(element.tag)
        if event == "start":
            stack.append(element)
            count += 1
            inside += name in wanted
            pending += inside > 0
            if len(stack) > _DEPTH or pending > _PENDING or count > _ELEMENTS:
                refuse_file(
                    stream.archive.file, "holds more than a register can; keep only the table"
                )
            if name in starts:
                yield name, element
            continue
        stack.pop()
        if name in wanted:
            inside -= 1
            if not inside:
                yield name, element
        if not inside:
            pending = 0
            if stack:
                del stack[-1][-1]


def local(tag: str) -> str:
    """Return a name without its namespace."""
    return tag.rpartition("}")[2]


def text_of(element: ET.Element) -> str:
    """Return the text of a cell, without how it is pronounced."""
    runs = [child for child in element if local(child.tag) in ("r", "t")]
    texts = [
        part.text or ""
        for run in runs
        for part in ([run] if local(run.tag) == "t" else run)
        if local(part.tag) == "t"
    ]
    return unescape("".join(texts))


def is_true(value: str | None) -> bool:
    """Return what XML writes as 1 or true."""
    return (value or "").strip().lower() in ("1", "true", "on")


@contextlib.contextmanager
def readable(file: str) -> Iterator[None]:
    """Say of whatever goes wrong in a workbook that it is damaged."""
    try:
        yield
    except CohortError:
        raise
    except Exception:  # a damaged archive fails in more ways than can be listed
        refuse_file(file, "is a damaged workbook; open it and save it again as .xlsx")


def refuse_file(file: str, rule: str, **place: Any) -> NoReturn:
    """Raise the error of a workbook."""
    raise CohortError(Problem(file, rule, **place)) from None


def _opened(file: str, data: bytes) -> zipfile.ZipFile:
    """Return a workbook, or refuse what cannot or should not be read."""
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            refuse_file(file, "is encrypted with a password; save it without one")
        refuse_file(file, "is a workbook of the old form (.xls); save it as .xlsx")
    if data.count(b"PK\x01\x02") > _PARTS:
        refuse_file(file, "holds more parts than any workbook; save only the table as .xlsx")
    archive = zipfile.ZipFile(io.BytesIO(data))
    parts = archive.infolist()
    size = sum(part.file_size for part in parts)
    if size > UNPACKED:
        rule = f"unpacks to {size / 1e6:,.0f} MB, and {UNPACKED / 1e6:,.0f} MB are the limit"
        refuse_file(file, f"{rule}; delete empty rows and pictures")
    if any(part.flag_bits & 1 for part in parts):
        refuse_file(file, "is encrypted with a password; save it without one")
    if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
        refuse_file(file, "is packed in an unusual way; open it and save it again as .xlsx")
    names = {part.filename for part in parts}
    if any("vbaProject" in name for name in names):
        refuse_file(file, "holds macros; save it as .xlsx, which has none")
    if "xl/workbook.bin" in names:
        refuse_file(file, "is a binary workbook (.xlsb); save it as .xlsx")
    if "content.xml" in names:
        refuse_file(file, "is an OpenDocument file; save it as .xlsx")
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        refuse_file(file, "is an archive and no workbook; save the table as .xlsx or .csv")
    return archive
