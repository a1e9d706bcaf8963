"""Tables of text as spreadsheet programs write them (groups 6 to 12 and 50 of the cases)."""

import time
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rdmas.paper.problems import CohortError
from rdmas.paper.register.encoding import decode, row_at
from rdmas.paper.register.sheet import read_sheet
from rdmas.paper.validation import problems

GERMAN = "Nr;Größe;Geschlecht;Tod\r\n1;1,75;männlich;ja\r\n2;1,62;weiblich;nein\r\n"
CHINESE = "编号,性别,CMV感染,死亡\n1,男,是,否\n2,女,否,是\n"


@pytest.fixture
def read(tmp_path):
    """Read bytes or text as the content of a file, which is then named register.csv."""

    def reader(content, name="register.csv", **options):
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(data)
        return read_sheet(tmp_path / name, **options)

    return reader


@pytest.fixture
def refused(read):
    """The sentences with which a file is refused."""

    def reader(content, **options):
        with pytest.raises(CohortError) as refusal:
            read(content, **options)
        return str(refusal.value).replace("register.csv", "FILE").splitlines()

    return reader


def said(sheet):
    """What is warned of in a sheet."""
    assert {warning.level for warning in sheet.warnings} <= {"warning"}
    return [str(warning).removeprefix("register.csv") for warning in sheet.warnings]


# Encodings (groups 9 and 50)

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8, with a byte order mark",
    "utf-16": "UTF-16, with a byte order mark",
    "utf-16-le": "UTF-16, without a byte order mark",
    "utf-16-be": "UTF-16, without a byte order mark",
    "utf-32": "UTF-32, with a byte order mark",
    "gb18030": "GB18030",
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_chinese_is_read_and_said_as_what(read, encoding):
    sheet = read(CHINESE.encode(encoding))
    assert sheet.header == ("编号", "性别", "CMV感染", "死亡")
    assert [row.cells for row in sheet.rows] == [("1", "男", "是", "否"), ("2", "女", "否", "是")]
    assert f"Encoding: {ENCODINGS[encoding]}." in sheet.notes
    assert said(sheet) == []


@pytest.mark.parametrize("encoding", [*ENCODINGS, "latin-1", "cp1252"])
def test_german_is_read_and_said_as_what(read, encoding):
    sheet = read(GERMAN.encode(encoding))
    assert sheet.header == ("Nr", "Größe", "Geschlecht", "Tod")
    assert sheet.rows[0].cells == ("1", "1,75", "männlich", "ja")
    kind = ENCODINGS.get(encoding, "Latin-1 (Windows-1252)")
    assert sheet.notes == (f"Encoding: {kind}.", "Separator: semicolon.")
    assert said(sheet) == []


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "mac_roman"),
        (GERMAN, "cp850"),
        ("Номер;пол;умер\n1;муж;да\n2;жен;нет\n", "cp1251"),
        ("Nr;płeć;zgon\n1;mężczyzna;nie\n2;kobieta;tak\n", "cp1250"),
        ("編號,組別,性別,死亡\n1,治療組,女,是\n", "big5"),
    ],
)
def test_what_is_guessed_is_called_a_guess(read, text, encoding):
    sheet = read(text.encode(encoding))
    assert sheet.header == read(text).header
    assert f"Encoding: {encoding}, a guess." in sheet.notes
    (warning,) = said(sheet)
    assert "which is a guess; if this is not what stands there, save the file as UTF-8" in warning


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            "id,sex\n1,女\n2,女\n".encode("gb18030"),
            ": 'Ů': was read as UTF-8; as GB18030 it would be '女'; "
            "name the encoding if that is right.",
        ),
        (
            GERMAN.encode().decode("latin-1").encode(),
            ": 'GrÃ¶Ã\\x9fe': looks like UTF-8 read as Latin-1 and saved again; perhaps "
            "'Größe' is meant.",
        ),
        (
            "id,Größe\n1,2\n".encode().replace("ö".encode(), "\ufffd".encode()),
            ", row 1: '\ufffd': holds characters that were lost when the file was saved; "
            "export it anew as UTF-8.",
        ),
        (
            "Nr;kön;ålder\n1;man;70\n".encode("cp1252"),
            ": 'ålder': was read as Latin-1 (Windows-1252); as cp1250 it would be 'ĺlder'; "
            "name the encoding if that is right.",
        ),
    ],
)
def test_two_encodings_that_both_make_sense_are_never_a_silent_choice(read, data, sentence):
    assert said(read(data)) == [sentence]


def test_the_reader_can_name_the_encoding(read, refused):
    assert read("id,sex\n1,女\n".encode("gb18030"), encoding="GBK").rows[0].cells == ("1", "女")
    sheet = read(GERMAN.encode("utf-8-sig"), encoding="utf8")
    assert sheet.header[0] == "Nr" and sheet.notes[0] == "Encoding: UTF-8, as named."
    (warning,) = said(read(GERMAN, encoding="latin-1"))
    assert "was read as latin-1; as UTF-8 it would be 'Größe'" in warning
    assert refused(CHINESE.replace("2,", "2é,").encode("gb18030"), encoding="ascii") == [
        "FILE, row 1: is not ascii text; name its encoding, or none to have it told."
    ]
    late = GERMAN.replace("Größe", "Groesse").encode("latin-1")
    assert refused(late, encoding="utf-8")[0].startswith("FILE, row 2: is not utf-8 text;")


@pytest.mark.parametrize("name", ["nope", "rot13", "base64", "idna", "punycode", "\0", "x" * 99])
def test_a_name_that_is_no_encoding_is_refused(refused, name):
    (sentence,) = refused(GERMAN, encoding=name)
    assert "is no encoding that is known" in sentence and sentence.isprintable()


@pytest.mark.parametrize("other", ["latin-1", "gb18030"])
def test_two_encodings_in_one_file_are_refused_with_the_row(refused, other):
    lines = [GERMAN.encode(), "3;1,8;männlich;ja\r\n".encode(other)]
    assert refused(b"".join(lines)) == [
        "FILE, row 4: is UTF-8 text in part only; save it anew as UTF-8."
    ]


# Separators and line ends (groups 10 and 50)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("separator", "name"), [(",", "comma"), (";", "semicolon"), ("\t", "tab")])
def test_separators_and_line_ends_of_spreadsheet_programs(read, separator, name, end):
    rows = [["id", "dose", "said"], ["1", '"1,5"', '"a ""b""; c"'], ["2", "", "x"]]
    sheet = read(end.join(separator.join(row) for row in rows))
    assert sheet.header == ("id", "dose", "said")
    assert [row.cells for row in sheet.rows] == [("1", "1,5", 'a "b"; c'), ("2", None, "x")]
    assert sheet.notes[1] == f"Separator: {name}."


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("id;time, days\n1;1,5\n2;2,5\n", "semicolon"),
        ("id;a;b\n1;1,5;2,5\n2;1,5;3,5\n", "semicolon"),
        ("id,said;done,x\n1,a;b,2\n", "comma"),
        ('"a;b","c"\n"1;2","3"\n', "comma"),
        ("sep=;\nid;a,b\n1;2,3\n", "semicolon"),
        ("SEP=,\r\nid,a;b\r\n1,2;3\r\n", "comma"),
        ("id\ta,b\n1\t2,3\n", "tab"),
    ],
)
def test_the_separator_is_the_one_that_makes_a_table(read, text, separator):
    sheet = read(text)
    assert sheet.notes[1] == f"Separator: {separator}."
    assert len(sheet.header) == len(sheet.rows[0].cells) > 1
    assert (sheet.header_row, sheet.rows[0].number) == (1, 2)


# Rows (groups 7, 8, 11 and 12)


def test_rows_are_numbered_as_a_spreadsheet_program_numbers_them(read):
    sheet = read('\nid,said\n1,"two\nlines"\n\n2,"a\r\nb"\r\n,\n\n3,c\n,\n\n')
    assert sheet.header_row == 2
    assert [row.number for row in sheet.rows] == [3, 5, 8]
    assert sheet.notes[2:] == (
        "Empty rows above the names of the columns: 1.",
        "Empty rows at the end, left out: 2.",
    )
    assert said(sheet) == [
        ", row 4: is empty and was left out (2 more in the middle of the table)."
    ]


def test_ragged_rows_are_all_named(refused):
    assert refused("a,b,c\n1,2,3\n1,2\n1,2,3,4\n1\n") == [
        "FILE, row 3: has 2 cells where the header has 3; leave a cell empty where nothing is "
        "known.",
        "FILE, row 4: has 4 cells where the header has 3; a cell that holds the separator needs "
        "quotation marks around it.",
        "FILE, row 5: has 1 cell where the header has 3; leave a cell empty where nothing is "
        "known.",
    ]
    (many,) = refused("a,b\n" + "1,2,3\n" * 70)
    assert many.endswith(" (69 more rows alike).")


UNCLOSED = "a quotation mark is not closed, or stands inside a cell without being written twice."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('id,x\n1,"a\n2,b\n', f"row 2: '\"a\\n2,b': {UNCLOSED}"),
        ('id,x\n1,a\n2,"a" b\n', f"row 3: '\"a\" b': {UNCLOSED}"),
        ('id,x\n1,"a\n2,"b"\n', f'row 2: \'"a\\n2,"b"\': {UNCLOSED}'),
        ('id,x\n1,"a\n2,b"\n3,c,\n', "row 3: has 3 cells where the header has 2; a cell that"),
        ('id,x\n1,"a\n2,b",c\n', "row 2: has 3 cells where the header has 2; perhaps a quotation"),
    ],
)
def test_an_unclosed_quote_is_refused_with_the_row_in_which_it_opens(refused, text, sentence):
    assert refused(text)[0].startswith(f"FILE, {sentence}")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "FILE: is empty; the first row must hold the names of the columns."),
        (b"\n \n,,\n", "FILE: is empty; the first row must hold the names of the columns."),
        (b"\xef\xbb\xbf", "FILE: is empty; the first row must hold the names of the columns."),
        (b"id,arm\n", "FILE: has a header and no rows."),
        (b"id,arm\n,\n\n", "FILE: has a header and no rows."),
        (
            b"id\n1\n2\n",
            "FILE, row 1: has one column only; comma, semicolon and tab can separate columns.",
        ),
        (
            b"Register,\nid,x\n1,2\n",
            "FILE, row 1: is the first row and has one cell only; it must hold the names of the "
            "columns.",
        ),
        (b"id,x,\n1,2,3\n", "FILE, row 2: '3': stands in column C, which has no name in row 1."),
        (bytes(range(256)), "FILE, row 1: holds a NUL byte; save the table as plain text."),
        (b"a,b\n\x89\x01", "FILE, row 2: holds a control character (U+0001), which no table of "
         "text has."),
        (b"%PDF-1.7\n%\xe2\xe3", "FILE: is no table; save the table as .csv or .xlsx."),
        (b"<html><table>", "FILE, row 1: is a web page or XML; open it and save it as .xlsx or "
         ".csv."),
        (b"a,b\n1,2\x1b[2J\n", "FILE, row 2: holds a control character (U+001B), which no table "
         "of text has."),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused(refused, content, sentence):
    assert refused(content) == [sentence]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
@pytest.mark.parametrize("where", range(0, 24, 3))
def test_a_nul_byte_anywhere_is_refused_with_its_row(refused, encoding, where):
    text = 'id,x\n"two\nlines",2\n3,4\n'
    spoilt = text[:where] + "\0" + text[where:]
    (sentence,) = refused(spoilt.encode(encoding))
    row = 1 + (where > 4) + (where > 18)
    assert sentence == f"FILE, row {row}: holds a NUL byte; save the table as plain text."


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("length", [10_001, 200_000, 1_000_000])
def test_a_cell_over_the_limit_is_refused_and_shortened(refused, length, quote):  # group 6
    (sentence,) = refused(f"id,x\n1,2\n3,{quote}{'z' * length}{quote}\n")
    assert sentence.startswith("FILE, row 3: '") and "zzz…': has more than 10,000" in sentence
    assert len(sentence) < 150


def test_ten_thousand_characters_are_read(read):
    assert len(read(f"id,x\n1,{'z' * 10_000}\n").rows[0].cells[1]) == 10_000


def test_a_cell_of_a_million_characters_in_a_package_is_refused(data_copy):  # group 6
    path = data_copy / "patients.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[4] = "z" * 1_000_000 + lines[4]
    path.write_text("\n".join(lines), encoding="utf-8")
    (sentence,) = map(str, problems(data_copy))
    assert sentence.startswith("patients.csv, row 5: 'zzz") and len(sentence) < 150


def test_columns_without_name_and_cells_are_left_out(read):
    sheet = read("id,,x,\n1,,2,\n3,,4,\n")
    assert sheet.header == ("id", "x") and sheet.rows[1].cells == ("3", "4")
    assert sheet.notes[-1] == "Empty columns without a name, left out: 2."


def test_a_sheet_named_for_a_file_of_text_is_warned_of(read):
    assert said(read("a,b\n1,2\n", sheet="data")) == [
        ": is a file of text and has no sheet 'data'; all of it was read."
    ]


def test_text_named_xlsx_is_read_by_its_content(read):  # group 8
    sheet = read(GERMAN, name="register.xlsx")
    assert sheet.header[0] == "Nr"
    assert sheet.notes[1] == "A file of text, though its name ends in .xlsx."


@pytest.mark.parametrize(
    "content",
    [
        b"," * 20_000_000,
        b",\n" * 5_000_000,
        b'"' * 20_000_000,
        b"a" * 20_000_000,
        b"a,b\n" * 500_000,
        b"1,2," * 100 + b"\n",
        b"\xe4\xf6," * 5_000_000,
        b"\xff" * 10_000_000,
        b"a,b\n" * 200_000 + b"\0",
        ("女,女" * 500_000).encode("gb18030"),
        b'"\n' * 100_000,
    ],
    ids=lambda content: f"{content[:6]!r}",
)
def test_a_long_file_is_read_or_refused_in_seconds(read, content):
    start = time.process_time()
    with suppress(CohortError):
        read(content)
    assert time.process_time() - start < 5


@pytest.mark.parametrize("text", ["a,b\n", 'a;"x\ny"\nb', "\r\r\na\tb", '"a', "", "a\n\n"])
def test_the_row_at_a_place_is_that_of_the_reader(text):
    rows = [row_at(text[:end]) for end in range(len(text) + 1)]
    assert rows == sorted(rows) and rows[0] == 1


def test_many_doubts_cost_little_memory():
    data = ("女,男;" * 300_000).encode("gb18030")
    tracemalloc.start()
    decode("a.csv", data)
    assert tracemalloc.get_traced_memory()[1] < 20 * len(data)
    tracemalloc.stop()


# Any bytes

PIECES = st.sampled_from(
    [b"id", b",", b";", b"\t", b"\n", b"\r", b'"', b"\0", b"1", b"1,5", "ä".encode(), b"\xe4",
     "女".encode(), "女".encode("gb18030"), b"\xff\xfe", b"\xef\xbb\xbf", b"\x81", b"sep=;\n", b"=",
     b"\x1b", b"PK\x03\x04", b" ", b"\xa0", "\u2028".encode(), b"<"]
)  # fmt: skip
CONTENTS = st.binary(max_size=300) | st.lists(PIECES, max_size=60).map(b"".join)
NAMES = st.sampled_from([None, "utf-8", "utf-16", "gb18030", "cp1252", "utf-7", "hz", "x"])


def read_or_refuse(folder, content, name, encoding=None):
    """Read a file of these bytes: a table whose rows are as wide as its header, or a refusal."""
    (folder / name).write_bytes(content)
    said, sheet = [], None
    try:
        sheet = read_sheet(folder / name, encoding)
        said = sheet.warnings
    except CohortError as refusal:
        said = refusal.problems
    assert all(str(problem).isprintable() for problem in said)
    if sheet is None:
        assert said
        return
    numbers = [row.number for row in sheet.rows]
    assert numbers == sorted(set(numbers)) and numbers[0] > sheet.header_row
    assert {len(row.cells) for row in sheet.rows} == {len(sheet.header)}
    assert all(name.strip() for name in sheet.header)
    "".join(sheet.header).encode()


@settings(max_examples=150)
@given(content=CONTENTS, encoding=NAMES)
@example(b"\xff\xfe\0\0", None)
@example("1,\ufeff".encode("utf-16"), None)
def test_any_bytes_are_read_or_refused(tmp_path_factory, content, encoding):
    read_or_refuse(tmp_path_factory.getbasetemp(), content, "fuzz.csv", encoding)


@pytest.mark.long
@settings(max_examples=20_000)
@given(content=CONTENTS | st.text(max_size=200).map(str.encode), encoding=NAMES)
def test_any_bytes_are_read_or_refused_many_times(tmp_path_factory, content, encoding):
    read_or_refuse(tmp_path_factory.getbasetemp(), content, "fuzz.csv", encoding)


def test_6_a_quoted_cell_that_is_too_long_is_refused_with_its_rule(tmp_path):
    file = tmp_path / "patients.csv"
    file.write_text('a,b,c\n1,"' + "1," * 500_000 + '",2\n')
    with pytest.raises(CohortError) as caught:
        read_sheet(file)
    (sentence,) = str(caught.value).splitlines()
    assert sentence.startswith("patients.csv, row 2: '\"1,1,1,")
    assert sentence.endswith("has more than 10,000 characters, too many for a cell.")


def test_11_and_49_rows_with_the_same_fault_are_one_sentence(tmp_path):
    file = tmp_path / "patients.csv"
    file.write_text("a,b\n" + "1,2,\n" * 30 + "1\n")
    with pytest.raises(CohortError) as caught:
        read_sheet(file)
    first, second = str(caught.value).splitlines()
    assert first.startswith("patients.csv, row 2: has 3 cells where the header has 2; ")
    assert first.endswith(" (29 more rows alike).")
    assert second.startswith("patients.csv, row 32: has 1 cell where the header has 2; ")
