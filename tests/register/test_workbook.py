"""Workbooks as spreadsheet programs write them (groups 7, 8 and 13 of the cases)."""

import datetime as dt
import io
import struct
import time
import zipfile
from xml.etree import ElementTree as ET

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.workbook.protection import WorkbookProtection
from test_sheet import read_or_refuse

from rdmas.paper.problems import CohortError
from rdmas.paper.register.parts import _EMPTY_ROW, UNPACKED
from rdmas.paper.register.sheet import read_sheet
from rdmas.paper.register.workbook import settings_sheet

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ROWS = [["id", "arm", "time"], ["a", "treatment", 1.5], ["b", "control", 20]]


@pytest.fixture
def book(tmp_path):
    """Write rows as a workbook, change it, and return its path."""

    def writer(rows=ROWS, change=lambda workbook: None, title="Sheet1"):
        workbook = openpyxl.Workbook()
        sheet = workbook.active
        sheet.title = title
        for row in rows:
            sheet.append(row)
        change(workbook)
        workbook.save(tmp_path / "register.xlsx")
        return tmp_path / "register.xlsx"

    return writer


def edited(path, change, part="xl/worksheets/sheet1.xml"):
    """Change the text of a part of a workbook; None removes it."""
    with zipfile.ZipFile(path) as archive:
        texts = {name: archive.read(name) for name in archive.namelist()}
    texts[part] = change(texts.get(part, b"").decode()) if change else None
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            if text is not None:
                archive.writestr(name, text)
    return path


def with_rows(path, rows):
    """Put the XML of rows below those of a workbook."""
    return edited(path, lambda text: text.replace("</sheetData>", f"{rows}</sheetData>"))


def refused(path, **options):
    """Return the sentences with which a workbook is refused, which takes no time."""
    start = time.process_time()
    with pytest.raises(CohortError) as refusal:
        read_sheet(path, **options)
    assert time.process_time() - start < 5
    return str(refusal.value).replace("register.xlsx", "FILE").splitlines()


def said(sheet):
    """What is warned of in a sheet."""
    assert {warning.level for warning in sheet.warnings} <= {"warning"}
    return [str(warning).removeprefix("register.xlsx, ") for warning in sheet.warnings]


def cells(sheet):
    return [row.cells for row in sheet.rows]


# Cells


def test_cells_have_the_types_that_the_program_shows(book):
    day, moment = dt.date(2021, 2, 3), dt.datetime(2021, 2, 3, 4, 5)
    values = [1, 1.5, -2e-5, True, "1", " x ", "", None, day, moment]
    times = [dt.time(4, 5), dt.timedelta(hours=36)]

    def percent(workbook):
        workbook.active["M2"].number_format = '0.0%" of all"'

    row = [1, 1.5, -2e-5, True, "1", " x ", None, None, day, moment, "04:05:00"]
    sheet = read_sheet(book([list("abcdefghijklm"), [*values, *times, 0.255]], percent))
    assert list(sheet.rows[0].cells) == [*row, "1 day, 12:00:00", "25.5%"]
    assert list(map(type, sheet.rows[0].cells)) == list(map(type, [*row, "", ""]))
    assert said(sheet) == []


def test_dates_of_the_other_epoch_and_of_chinese_programs(book):
    path = book([["id", "day"], ["a", dt.date(2021, 2, 3)]])
    mac = '<workbookPr date1904="1"/>'
    edited(path, lambda text: text.replace("<workbookPr />", mac), "xl/workbook.xml")
    assert cells(read_sheet(path)) == [("a", dt.date(2025, 2, 4))]
    path = book([["id", "day"], ["a", dt.date(2021, 2, 3)]])
    # Format 31 is a Chinese date that no workbook spells out.
    edited(path, lambda text: text.replace('numFmtId="14"', 'numFmtId="31"'), "xl/styles.xml")
    edited(path, lambda text: text.replace('numFmtId="164"', 'numFmtId="31"'), "xl/styles.xml")
    assert cells(read_sheet(path)) == [("a", dt.date(2021, 2, 3))]


def with_texts(path, *texts):
    """Give a workbook the texts that cells point to, and a row that points to each."""
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    link = f'<Relationship Type="{kind}" Target="sharedStrings.xml" Id="rId9"/></Relationships>'
    edited(path, lambda text: text.replace("</Relationships>", link), "xl/_rels/workbook.xml.rels")
    items = "".join(f"<si>{text}</si>" for text in texts)
    edited(path, lambda _: f'<sst xmlns="{MAIN}">{items}</sst>', "xl/sharedStrings.xml")
    places = enumerate("ABCDEFGHI"[: len(texts)])
    cells = "".join(f'<c r="{letter}9" t="s"><v>{place}</v></c>' for place, letter in places)
    return with_rows(path, f'<row r="9">{cells}</row>')


def test_texts_that_cells_share_are_read(book):
    rich = "<r><rPr><b/></rPr><t>ri</t></r><r><t xml:space='preserve'>ch </t></r>"
    spoken = "<t>東京</t><rPh sb='0' eb='2'><t>トウキョウ</t></rPh>"
    sheet = read_sheet(with_texts(book(), "<t>a_x000D_b</t>", rich, spoken))
    assert sheet.rows[-1].cells == ("a\rb", "rich ", "東京")
    assert read_sheet(with_texts(book(), "<t/>", "<t>b</t>", "")).rows[-1].cells == (
        None,
        "b",
        None,
    )


def inline(place, text):
    return f'<c r="{place}" t="inlineStr"><is>{text}</is></c>'


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (inline("A9", "<t>x</t>"), "x"),
        (inline("A9", "<r><t>r</t></r><r><t>ich</t></r>"), "rich"),
        (inline("A9", "<t>東京</t><rPh sb='0' eb='2'><t>トウキョウ</t></rPh>"), "東京"),
        (inline("A9", "<t>a_x000D_b</t>"), "a\rb"),
        (inline("A9", "<t><![CDATA[<c r='A1'/>]]></t>"), "<c r='A1'/>"),
        ('<c r="A9" t="str"><f>B1</f><v>a</v></c>', "a"),
        ('<c r="A9" t="b"><v>0</v></c>', False),
        ('<c r="A9" t="d"><v>2021-02-03</v></c>', dt.date(2021, 2, 3)),
        ('<c r="A9"><v>1E-3</v></c>', 0.001),
        ('<c r="A9"><v>00123456789012345678901234567890</v></c>', 1.2345678901234568e29),
    ],
)
def test_a_cell_is_read_however_it_is_stored(book, cell, value):
    sheet = read_sheet(with_rows(book(), f'<row r="9">{cell}<c r="B9"><v>1</v></c></row>'))
    assert sheet.rows[-1].number == 9
    assert sheet.rows[-1].cells == (value, 1, None)


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        (
            '<c r="C9"><f>B1+1</f></c>',
            "'=B1+1': is a formula without a stored value; open the file, save it, or type it in.",
        ),
        (
            '<c r="C9"><f t="shared" si="0"/><v></v></c>',
            "'=': is a formula without a stored value; open the file, save it, or type it in.",
        ),
        ('<c r="C9" t="e"><v>#DIV/0!</v></c>', "'#DIV/0!': is an error and no value; mend the cell "
         "or empty it."),
        ('<c r="C9" t="e"><f>1/0</f><v>#N/A</v></c>', "'#N/A': is an error and no value; mend the "
         "cell or empty it."),
        ('<c r="C9"><v>1_000</v></c>', "'1_000': is no number, though the cell says so."),
        ('<c r="C9"><v>１２</v></c>', "'１２': is no number, though the cell says so."),
        ('<c r="C9"><v>nan</v></c>', "'nan': is no number, though the cell says so."),
        ('<c r="C9"><v>1e308</v></c>', "'1e308': is too large for a number."),
        ('<c r="C9"><v>1e9999</v></c>', "'1e9999': is too large for a number."),
        (f'<c r="C9"><v>{"9" * 400}</v></c>', f"'{'9' * 59}…': is too large for a number."),
        (inline("C9", "<t>a_x0000_b</t>"), "'a\\x00b': holds a NUL byte; save the table as plain "
         "text."),
        (inline("C9", "<t>a_xD800_b</t>"), "'a\\ud800b': holds a control character (U+D800), which "
         "no table of text has."),
        (inline("C9", f"<t>{'z' * 1_000_000}</t>"), f"'{'z' * 59}…': has more than 10,000 "
         "characters, too many for a cell."),
    ],
)  # fmt: skip
def test_a_cell_without_a_value_is_refused_with_its_place(book, cell, sentence):
    path = with_rows(book(), f'<row r="9">{inline("A9", "<t>x</t>")}{cell}</row>')
    assert refused(path) == [f"FILE, sheet Sheet1, row 9, column time: {sentence}"]


def test_a_date_that_is_none_is_refused(book):
    path = book([["id", "day"], ["a", dt.date(2021, 2, 3)]])
    edited(path, lambda text: text.replace("<v>44230</v>", "<v>99999999</v>"))
    assert refused(path) == [
        "FILE, sheet Sheet1, row 2, column day: '99999999': has the format of a date and is none."
    ]


def test_formulas_written_by_a_program_that_stores_no_values_are_all_named(book):
    path = book([*ROWS, ["c", "control", "=C3*2"], ["d", "control", "=C4-1"]])
    assert [sentence.split(":")[0] for sentence in refused(path)] == [
        f"FILE, sheet Sheet1, row {row}, column time" for row in (4, 5)
    ]


def test_stored_values_of_formulas_are_taken_and_counted(book):
    cell = '<c r="C9"><f>C8</f><v>7</v></c><c r="D9" t="str"><f>""</f><v></v></c>'
    sheet = read_sheet(with_rows(book(), f'<row r="9">{inline("A9", "<t>x</t>")}{cell}</row>'))
    assert sheet.rows[-1].cells == ("x", None, 7)
    assert "Formulas, of which the stored values were taken: 2." in sheet.notes


# Rows


def test_rows_have_the_numbers_that_the_program_shows(book):
    rows = [[], [], *ROWS, [], ["c", None, 3], ["  "], []]
    sheet = read_sheet(book(rows))
    assert (sheet.header_row, [row.number for row in sheet.rows]) == (3, [4, 5, 7])
    assert sheet.notes == (
        "Sheet: Sheet1.",
        "Empty rows above the names of the columns: 2.",
        "Empty rows at the end, left out: 1.",
    )
    assert said(sheet) == ["sheet Sheet1, row 6: is empty and was left out."]


def test_rows_and_cells_may_have_no_numbers(book):
    def bare(text):
        start, end = text.index("<sheetData>"), text.index("</sheetData>")
        row = "<row><c><v>{}</v></c><c><v>{}</v></c></row>"
        header = f"<row>{inline('A1', '<t>id</t>')}{inline('B1', '<t>x</t>')}</row>"
        middle = row.format(1, 2) + '<row><c s="0"/><c s="0"/></row>' + row.format(3, 4)
        return text[:start] + "<sheetData>" + header + middle + text[end:]

    sheet = read_sheet(edited(book(), bare))
    assert [(row.number, row.cells) for row in sheet.rows] == [(2, (1, 2)), (4, (3, 4))]


def test_namespaces_may_have_a_prefix_or_be_those_of_the_strict_form(book):
    def prefixed(text):
        body = text[text.index("<worksheet") :].replace("xmlns=", "xmlns:x=")
        for name in ("worksheet", "sheetData", "row", "c", "v", "is", "t"):
            body = body.replace(f"<{name} ", f"<x:{name} ").replace(f"<{name}>", f"<x:{name}>")
            body = body.replace(f"</{name}>", f"</x:{name}>")
        return body

    def strict(text):
        return text.replace(MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main")

    expected = cells(read_sheet(book()))

    def only_cells(text):
        start, end = text.index("<sheetData>"), text.index("</sheetData>")
        return f'<worksheet xmlns="{MAIN}">{text[start:end]}</sheetData></worksheet>'

    assert cells(read_sheet(edited(book(), lambda text: prefixed(only_cells(text))))) == expected
    assert cells(read_sheet(edited(book(), strict))) == expected


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="2"><c r="A2"><v>1</v></c></row>',
        '<row r="0"><c r="A0"><v>1</v></c></row>',
        '<row r="1048577"><c r="A1048577"><v>1</v></c></row>',
        '<row r="99999999999999999999"/>',
        '<row r="x"/>',
        '<row r="1e1"/>',
        '<row r="9"><c r="B9"><v>1</v></c><c r="A9"><v>1</v></c></row>',
        '<row r="9"><c r="A8"><v>1</v></c></row>',
        '<row r="9"><c r="XFE9"><v>1</v></c></row>',
        '<row r="9"><c r="A9" t="s"><v>-1</v></c></row>',
        '<row r="9"><c r="A9" t="s"><v>99</v></c></row>',
        "<row",
        "<a>" * 90_000,
        "\0",
        "&lol;",
    ],
)
def test_a_damaged_sheet_is_refused(book, rows):
    (sentence,) = refused(with_rows(book(), rows))
    assert "is a damaged workbook; open it" in sentence or "holds more than a register" in sentence


def test_values_outside_the_named_columns_are_refused(book):
    sheet = book([["id", None, "x"], ["a", None, 1], ["b", 5, 2], ["c", None, 3, None, "!"]])
    assert refused(sheet) == [
        "FILE, sheet Sheet1, row 3: '5': stands in column B, which has no name in row 1.",
        "FILE, sheet Sheet1, row 4: '!': stands in column E, which has no name in row 1.",
    ]
    path = with_rows(book(), '<row r="9"><c r="ZZ9"><v>1</v></c></row>')
    assert refused(path) == [
        "FILE, sheet Sheet1, row 9: '1': stands in column ZZ; 500 are the limit."
    ]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "is empty; the first row must hold the names of the columns."),
        ([["id", "x"]], "has a header and no rows."),
        (
            [["Register of 2024"], ["id", "x"], [1, 2]],
            "is the first row and has one cell only; it must hold the names of the columns.",
        ),
        ([["id"], [1]], "has one column only."),
    ],
)
def test_a_sheet_without_a_table_is_refused(book, rows, sentence):
    (refusal,) = refused(book(rows))
    assert refusal.startswith("FILE, sheet Sheet1") and refusal.endswith(sentence)


# What a workbook hides


def test_merged_cells_are_warned_of(book):
    def merge(workbook):
        workbook.active.merge_cells("B2:B3")

    assert said(read_sheet(book(change=merge))) == [
        "sheet Sheet1: has merged cells (B2:B3), of which the first alone has "
        "the value; unmerge them and fill in the others."
    ]


def test_hidden_rows_and_columns_and_filters_are_warned_of(book):
    def hide(workbook):
        sheet = workbook.active
        sheet.row_dimensions[2].hidden = True
        sheet.row_dimensions[3].hidden = True
        sheet.row_dimensions[30].hidden = True
        sheet.column_dimensions["B"].hidden = True
        sheet.column_dimensions["Z"].hidden = True
        sheet.auto_filter.ref = "A1:C3"

    sheet = read_sheet(book(change=hide))
    assert len(sheet.rows) == 2
    assert said(sheet) == [
        "sheet Sheet1, row 2: is hidden and was read (1 more hidden).",
        "sheet Sheet1, column arm: is a hidden column and was read.",
        "sheet Sheet1: has a filter; every row was read, whether the filter shows it or not.",
    ]


def with_sheets(**sheets):
    def change(workbook):
        for name, rows in sheets.items():
            sheet = workbook.create_sheet(name)
            for row in rows:
                sheet.append(row)

    return change


OTHER = [["x", "y"], [1, 2]]


def test_which_sheet_is_used_is_said(book):
    sheet = read_sheet(book(OTHER, with_sheets(settings=OTHER, Data=ROWS)))
    assert (sheet.sheet, sheet.header[0]) == ("Data", "id")
    assert sheet.notes[0] == "Sheet: Data (2 more in the workbook)." and said(sheet) == []
    for name in ("patients", "Daten", "数据"):
        assert read_sheet(book(OTHER, with_sheets(**{name: ROWS}))).sheet == name
    sheet = read_sheet(book([], with_sheets(notes=[["a"], ["b"]], Register=ROWS), "settings"))
    assert sheet.sheet == "Register" and said(sheet) == []


def test_settings_and_dictionary_are_never_data(book):
    change = with_sheets(dictionary=OTHER, Register=ROWS)
    path = book(OTHER, change, " Settings ")
    assert read_sheet(path).sheet == "Register"
    assert refused(path, sheet="dictionary") == [
        "FILE: 'dictionary': has no sheet of data with this name; there is Register."
    ]
    assert refused(book(OTHER, title="settings")) == ["FILE: has no sheet of data."]


def test_the_first_of_several_tables_is_warned_of_and_another_can_be_named(book):
    path = book(ROWS, with_sheets(Old=OTHER))
    assert said(read_sheet(path)) == [
        "sheet Sheet1: is the first of 2 sheets with a table; the others were not read; name the "
        "right one data, or say in the settings which it is."
    ]
    sheet = read_sheet(path, sheet="old")
    assert sheet.header == ("x", "y") and said(sheet) == []
    assert refused(path, sheet="Odl") == [
        "FILE: 'Odl': has no sheet of data with this name; there is Sheet1, Old."
    ]


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_sheet_gives_way_and_is_warned_of_where_it_is_read(book, state):
    def change(workbook):
        with_sheets(Open=OTHER)(workbook)
        workbook["Sheet1"].sheet_state = state

    path = book(ROWS, change)
    assert read_sheet(path).sheet == "Open"
    assert said(read_sheet(path, sheet="Sheet1")) == [
        "sheet Sheet1: is a hidden sheet and was read."
    ]


def test_a_sheet_with_a_chart_is_no_sheet_of_data(book):
    def change(workbook):
        workbook.create_chartsheet("Curve", 0)

    assert read_sheet(book(ROWS, change)).sheet == "Sheet1"


# What is refused as a whole


def test_protected_workbooks_and_sheets_are_refused(book):
    def lock(workbook):
        workbook.security = WorkbookProtection(workbookPassword="x", lockStructure=True)

    def protect(workbook):
        workbook.active.protection.sheet = True

    assert refused(book(change=lock)) == [
        "FILE: is a protected workbook; save it without the protection."
    ]
    assert refused(book(change=protect)) == [
        "FILE, sheet Sheet1: is a protected sheet; save it without the protection."
    ]


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def zipped(**parts):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (
            OLE + bytes(500) + "EncryptedPackage".encode("utf-16-le"),
            "is encrypted with a password; save it without one",
        ),
        (OLE + bytes(500), "is a workbook of the old form (.xls); save it as .xlsx"),
        (zipped(**{"xl/workbook.bin": ""}), "is a binary workbook (.xlsb); save it as .xlsx"),
        (zipped(**{"content.xml": ""}), "is an OpenDocument file; save it as .xlsx"),
        (
            zipped(**{"a.csv": "a,b\n"}),
            "is an archive and no workbook; save the table as .xlsx or .csv",
        ),
        (b"PK\x03\x04", "is a damaged workbook; open it and save it again as .xlsx"),
        (b"PK\x05\x06" + bytes(18), "is an archive and no workbook; save the table as .xlsx or "
         ".csv"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["register.xlsx", "register.csv"])
def test_what_is_no_workbook_of_today_is_refused(tmp_path, data, rule, name):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(CohortError) as refusal:
        read_sheet(tmp_path / name)
    assert str(refusal.value) == f"{name}: {rule}."


def test_macros_are_refused(book):
    path = edited(book(), lambda _: "x", "xl/vbaProject.bin")
    assert refused(path) == ["FILE: holds macros; save it as .xlsx, which has none."]
    kinds = "[Content_Types].xml"
    path = edited(book(), lambda text: text.replace(".sheet.main", ".sheet.macroEnabled"), kinds)
    assert refused(path) == ["FILE: may hold macros; save it as .xlsx, which has none."]


def test_an_encrypted_archive_is_refused(book):
    path = book()
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    path.write_bytes(bytes(data))
    assert refused(path) == ["FILE: is encrypted with a password; save it without one."]


@pytest.mark.parametrize(
    "part",
    ["[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels",
     "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"],
)  # fmt: skip
def test_a_workbook_that_lacks_a_part_is_refused(book, part):
    (sentence,) = refused(edited(with_texts(book(), "<t>a</t>"), None, part))
    assert sentence.endswith(("save it again as .xlsx.", "has no sheet.", ".xlsx or .csv."))


def test_a_workbook_without_formats_is_read(book):
    assert cells(read_sheet(edited(book(), None, "xl/styles.xml")))[0] == ("a", "treatment", 1.5)


# Bombs


def bomb(path, size):
    """Put a part that unpacks to a size into a workbook."""
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/media/a.xml", "w") as part,
    ):
        for _ in range(size // 1_000_000):
            part.write(bytes(1_000_000))
    return path


def test_a_zip_bomb_is_refused_before_it_is_unpacked(book):
    path = bomb(book(), UNPACKED + 1_000_000)
    assert path.stat().st_size < 1_000_000
    assert refused(path) == [
        "FILE: unpacks to 401 MB, and 400 MB are the limit; delete empty rows and pictures."
    ]


def test_a_sheet_that_is_longer_than_it_says_is_refused(book):
    path = book()
    with_rows(path, "<row/>" * 100_000)
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    data = path.read_bytes()
    path.write_bytes(data.replace(struct.pack("<L", size), struct.pack("<L", 3000)))
    assert refused(path) == ["FILE: is a damaged workbook; open it and save it again as .xlsx."]


def test_entities_are_refused(book):
    entities = "".join(f'<!ENTITY a{i + 1} "{f"&a{i};" * 10}">' for i in range(9))
    doctype = f'<!DOCTYPE x [<!ENTITY a0 "lol">{entities}]>'
    for part in ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml"):
        path = with_texts(book(), "<t>a</t>", "<t>b</t>")
        edited(path, lambda text: doctype + text.replace("<t>", "<t>&a9;").split("?>")[-1], part)
        assert refused(path) == ["FILE: declares entities, which no workbook does."]


@pytest.mark.parametrize(
    "rows",
    [
        "".join(f'<row r="{i}"><c r="A{i}"><v>1</v></c></row>' for i in range(9, 101_000)),
        '<row r="9">' + '<c s="1"/>' * 16_000 + "</row>",
        '<row r="9">' + "<v/>" * 400_000 + "</row>",
        '<row r="9"><c r="A9"><is>' + "<t/>" * 400_000 + "</is></c></row>",
        '<row r="9"><c r="A9"><v>' + "1" * 6_000_000 + "</v></c></row>",
        '<row r="9" ' + 'r="9" ' * 400_000 + "x",
        "<row " * 400_000,
        '<row r="9">' * 200_000,
        '<row r="9" s="1"><c r="A9" s="1"/>' * 100_000,
    ],
    ids=range(9),
)
def test_no_sheet_takes_long(book, rows):
    path = with_rows(book(), rows)
    start = time.process_time()
    try:
        read_sheet(path)
    except CohortError as refusal:
        message = str(refusal)
        assert len(message) < 300
    assert time.process_time() - start < 5


def a_million_rows(row):
    return "".join(row.replace("#", str(number)) for number in range(9, 1_048_577))


@pytest.mark.parametrize(
    "row",
    [
        '<row r="#" spans="1:3" s="1" customFormat="1"><c r="A#" s="1"/><c r="B#" s="1"/></row>',
        pytest.param('<row r="#" s="1" customFormat="1"/>', marks=pytest.mark.long),
        pytest.param('<row r="#" hidden="1"></row>', marks=pytest.mark.long),
    ],
)
def test_a_million_formatted_empty_rows_take_seconds(book, row):
    path = with_rows(book(), a_million_rows(row))
    start = time.process_time()
    sheet = read_sheet(path)
    assert time.process_time() - start < 5
    assert [row.number for row in sheet.rows] == [2, 3]
    assert sheet.notes[1:] == ("Empty rows at the end, left out: 1,048,573.",)
    assert said(sheet) == []


@pytest.mark.long
def test_a_value_in_the_last_row_of_a_million_is_read(book):
    empty = a_million_rows('<row r="#"><c r="A#" s="1"/></row>')
    last = '<row r="1048576"><c r="A1048576"><v>7</v></c></row>'
    path = with_rows(book(), empty.replace('<row r="1048576"><c r="A1048576" s="1"/></row>', last))
    sheet = read_sheet(path)
    assert [row.number for row in sheet.rows] == [2, 3, 1_048_576]
    assert said(sheet)[0].startswith("sheet Sheet1, row 4: is empty and was left out (1,04")


CELLS = st.sampled_from(["<c{r}/>", "<c{r} s='1'></c>", "<c{r}><v>1</v></c>", "\n", "<c/>"])


@st.composite
def sheets(draw):
    """Draw the rows of a sheet, numbered or not, with cells that are numbered or not."""
    number, rows = 0, []
    for _ in range(draw(st.integers(1, 8))):
        numbered = draw(st.booleans())
        number += draw(st.integers(1, 3)) if numbered else 1
        mark = f' r="{number}"' if numbered else ""
        if draw(st.booleans()):
            rows.append(f"<row s='1'{mark}/>")
            continue
        places = enumerate(draw(st.lists(CELLS, max_size=3)))
        cells = "".join(cell.format(r=" r='" + "ABC"[at] + f"{number}'") for at, cell in places)
        rows.append(f"<row{mark}>{cells}</row>")
    return draw(st.sampled_from(["", " "])).join(rows)


@settings(max_examples=500)
@given(sheets())
def test_leaving_out_empty_rows_changes_nothing(rows):
    def filled(text):
        number, found = 0, []
        for row in ET.fromstring(f"<sheetData>{text}</sheetData>"):
            number, place = int(row.get("r", number + 1)), -1
            for cell in row:
                place = "ABC".index(cell.get("r")[0]) if cell.get("r") else place + 1
                found += [(number, place)] if len(cell) else []
        return found

    left = _EMPTY_ROW.sub(b"", f"{rows}</sheetData>".encode()).decode()
    assert filled(left.removesuffix("</sheetData>")) == filled(rows)


# Settings in a workbook


def test_settings_are_keys_values_and_sections(book):
    rows = [
        ["section", "Key", "value", "explanation"],
        [None, "title", " Our register ", "x"],
        [None, "drug", None],
        [],
        ["columns", "Tod", "died"],
        ["values.died", "ja", 1],
        ["values.died", 0, "no"],
        [None, "day", dt.date(2021, 2, 3)],
    ]
    assert settings_sheet(book(ROWS, with_sheets(Settings=rows))) == {
        "title": "Our register",
        "columns": {"Tod": "died"},
        "values": {"died": {"ja": 1, "0": "no"}},
        "day": dt.date(2021, 2, 3),
    }
    bare = [["title", "x"], ["Tod", "died", "columns"]]
    assert settings_sheet(book(ROWS, with_sheets(settings=bare))) == {
        "title": "x",
        "columns": {"Tod": "died"},
    }


def test_without_a_sheet_of_settings_there_are_none(book, tmp_path):
    assert settings_sheet(book()) is None
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    assert settings_sheet(tmp_path / "a.csv") is None
    assert settings_sheet(book([], with_sheets(settings=[]))) == {}


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([["a", 1], ["a", 2]], "row 2: 'a': stands there more than once."),
        ([[None, 1]], "row 1: '1': is a value without a key."),
        ([["a", 1], ["b", 2, "a"]], "row 2: 'a': is a key and a section at once."),
        ([["a", "=1"]], "row 1, column B: '=1': is a formula without a stored value; open the "
         "file, save it, or type it in."),
    ],
)  # fmt: skip
def test_settings_that_contradict_themselves_are_refused(book, rows, sentence):
    path = book(ROWS, with_sheets(settings=rows))
    with pytest.raises(CohortError) as refusal:
        settings_sheet(path)
    assert str(refusal.value) == f"register.xlsx, sheet settings, {sentence}"


# Any bytes


def template():
    workbook = openpyxl.Workbook()
    for row in [["id", "day", "x"], ["a", dt.date(2021, 2, 3), 0.5], ["b", None, "=A1"]]:
        workbook.active.append(row)
    buffer = io.BytesIO()
    workbook.save(buffer)
    with zipfile.ZipFile(buffer) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


TEMPLATE = template()
PIECES = st.sampled_from(
    ["<row>", "</row>", '<c r="A1">', "</c>", "<v>1</v>", "<v/>", "<f>", "</f>", 'r="2"', 's="9"',
     't="s"', 't="b"', "/>", "<", ">", '"', "&", "\0", "９", "<!DOCTYPE x>", "]]>",
     "<is><t>x</t></is>", 'hidden="1"', '<mergeCell ref="A1:B2"/>',
     '<sheet name="b" r:id="rId9"/>', "-", "1e999"]
).map(str.encode)  # fmt: skip


@st.composite
def damaged(draw):
    """Draw a workbook with some bytes of some parts exchanged, or of the archive itself."""
    parts = dict(TEMPLATE)
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(sorted(parts)))
        at = draw(st.integers(0, len(parts[name])))
        length = draw(st.integers(0, 12))
        piece = draw(PIECES | st.binary(max_size=8))
        parts[name] = parts[name][:at] + piece + parts[name][at + length :]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    data = buffer.getvalue()
    if draw(st.booleans()):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.binary(max_size=6)) + data[at + draw(st.integers(0, 6)) :]
    return data


def check(folder, data):
    read_or_refuse(folder, data, "fuzz.xlsx")
    try:
        found = settings_sheet(folder / "fuzz.xlsx")
    except CohortError:
        return
    assert found is None or isinstance(found, dict)


@settings(max_examples=100)
@given(data=damaged() | st.binary(max_size=200).map(lambda data: b"PK\x03\x04" + data))
def test_any_workbook_is_read_or_refused(tmp_path_factory, data):
    check(tmp_path_factory.getbasetemp(), data)


@pytest.mark.long
@settings(max_examples=20_000)
@given(data=damaged() | st.binary(max_size=200).map(lambda data: b"PK\x03\x04" + data))
def test_any_workbook_is_read_or_refused_many_times(tmp_path_factory, data):
    check(tmp_path_factory.getbasetemp(), data)
