"""Files that are not what they should be: encoding, shape, format, and which files are read at all.

A file is refused only where it cannot be understood; otherwise its bad rows go to the quarantine.
"""

import pickle
from pathlib import Path

import pytest

from clustering_platform_tests.ingest.cases import Read, Refused, check_read, check_refused, lines, parquet, votes
from clustering_platform_tests.ingest.folders import ITEMS, VOTES_HEADER, T

GOOD = f"a,s1,1,{T}\n"
GOOD_LINE = f'{{"voter_id": "a", "item_id": "s1", "vote": 1, "voted_at": {T}}}'
TABLE = {"voter_id": ["a", "b"], "item_id": ["s1", "s1"], "vote": [1, -1], "voted_at": [T, T + 1]}
SMALL_PARQUET = parquet(TABLE)

ENCODING_AND_SHAPE = [
    Read("1 byte order mark", {"votes.csv": b"\xef\xbb\xbf" + (VOTES_HEADER + GOOD).encode()}, 1),
    Read("2 UTF-16 with byte order mark", {"votes.csv": (VOTES_HEADER + GOOD).encode("utf-16")}, 1),
    Read("2 UTF-32 with byte order mark", {"votes.csv": (VOTES_HEADER + GOOD).encode("utf-32")}, 1),
    Refused("2 UTF-16 without", {"votes.csv": (VOTES_HEADER + GOOD).encode("utf-16-le")}, ("UTF-16", "UTF-8")),
    Refused("2 UTF-16 promised", votes("a s1 1 T"), ("byte order mark",), {"source": {"encoding": "utf-16"}}),
    Read(
        "2 UTF-16 without, said so",
        {"votes.csv": (VOTES_HEADER + GOOD).encode("utf-16-le")},
        1,
        config={"source": {"encoding": "utf-16-le"}},
    ),
    Refused(
        "3 Latin-1",
        {"items.csv": b"id,text\ns1,caf\xc3\xa9\ns2,caf\xe9\n"},
        ("items.csv: line 3, column 7", "byte 23", "0xe9", "source.encoding"),
    ),
    Read(
        "3 Latin-1, said so",
        {"items.csv": b"id,text\ns1,caf\xe9\n"},
        1,
        config={"source": {"encoding": "latin-1"}},
    ),
    Refused("3 unknown encoding", votes("a s1 1 T"), ("source.encoding", "utf8x"), {"source": {"encoding": "utf8x"}}),
    Refused("3 no encoding of files", votes("a s1 1 T"), ("source.encoding",), {"source": {"encoding": "rot13"}}),
    Read("4 CRLF", {"votes.csv": (VOTES_HEADER + GOOD).replace("\n", "\r\n")}, 1),
    Read("4 lone CR", {"votes.csv": (VOTES_HEADER + GOOD).replace("\n", "\r")}, 1),
    Read("4 mixed", {"votes.csv": VOTES_HEADER[:-1] + "\r\n" + GOOD + f"b,s1,0,{T}\r" + f"c,s1,0,{T}"}, 3),
    Read("5 NUL byte", {"votes.csv": VOTES_HEADER + f"a\0,s1,1,{T}\n" + GOOD}, 1, ((2, "nul_byte"),)),
    Refused("5 NUL byte in the header", {"votes.csv": f"voter\0_id,x\n{GOOD}"}, ("NUL",)),
    Read(
        "5 NUL byte in Parquet",
        {"items.parquet": parquet({"id": ["s1", "s2"], "text": ["a\0", "b"]})},
        1,
        ((1, "nul_byte"),),
    ),
    Read("6 control character in an id", votes("a\x1b[31m s1 1 T", "a s1 1 T"), 1, ((2, "voter_id_unusable"),)),
    Read("6 control character in a text", {"items.csv": "id,text\ns1,a\x1b[31mb\n"}, 1),
    Read("7 long id", votes(f"{'v' * 513} s1 1 T", f"{'v' * 512} s1 1 T"), 1, ((2, "voter_id_unusable"),)),
    Read("7 long item id", votes(f"a {'s' * 513} 1 T", "a s1 1 T"), 1, ((2, "item_id_unusable"),)),
    Read(
        "7 long text",
        {"items.csv": f"id,text\ns1,{'x' * 65537}\ns2,{'x' * 65536}\n"},
        1,
        ((2, "field_too_long"),),
    ),
    Read("7 3 MB", {"items.csv": f"id,text\ns1,{'x' * 3_000_000}\ns2,y\n"}, 1, ((2, "field_too_long"),)),
    Read("7 long metadata", {"items.csv": f"id,text,z\ns1,x,{'x' * 65537}\ns2,x,y\n"}, 1, ((2, "field_too_long"),)),
    Read(
        "8 ragged rows",
        {"votes.csv": VOTES_HEADER + f"a,s1,1\na,s1,1,{T},x\n\n" + GOOD},
        1,
        ((2, "column_count"), (3, "column_count")),
    ),
    Refused(
        "9 unclosed quote",
        {"items.csv": 'id,text\ns1,"one\ntwo"\ns2,"three\ns3,four\n'},
        ("items.csv: line 4", "quote"),
    ),
    Refused("9 unclosed quote on the last line", {"items.csv": 'id,text\ns1,"one'}, ("items.csv: line 2", "quote")),
    Refused(
        "9 quote closed by the next one",
        {"items.csv": 'id,text\ns1,"one\ns2,two\ns3,"three"\n'},
        ("items.csv: line 2", "quote", "line 4"),
    ),
    Refused(
        "9 quote opened on the second line of a row",
        {"items.csv": 'id,text,note\ns1,"a\nb","c\ns2,d,e\n'},
        ("items.csv: line 3", "quote"),
    ),
    Read("9 misplaced quote", {"items.csv": 'id,text\ns1,"one" two\ns2,5" pipe\n'}, 1, ((2, "bad_quote"),)),
    Read("10 semicolons", {"votes.csv": (VOTES_HEADER + GOOD).replace(",", ";")}, 1, finding="a semicolon"),
    Read("10 tabs", {"votes.tsv": (VOTES_HEADER + GOOD).replace(",", "\t")}, 1, finding="a tab"),
    Read("10 quoted semicolons", {"items.csv": '"id";"text"\n"s1";"a;b"\n'}, 1, finding="a semicolon"),
    Refused(
        "10 bars",
        {"votes.csv": (VOTES_HEADER + GOOD).replace(",", "|")},
        ("voter_id, item_id, vote, voted_at", "separate values"),
    ),
    Refused(
        "11 missing column",
        {"votes.csv": "voter-id,comment-id,vote\na,s1,1\n"},
        ("no column for voted_at", "found voter-id, comment-id, vote"),
    ),
    Refused(
        "11 misspelt column",
        {"votes.csv": f"voter_id,item_id,vote,voted_att\na,s1,1,{T}\n"},
        ("did you mean 'voted_att'",),
    ),
    Refused(
        "11 unknown configured column", votes("a s1 1 T"), ("voter_id",), {"source": {"columns": {"voterid": "a"}}}
    ),
    Refused(
        "11 configured name in no file",
        votes("a s1 1 T"),
        ("source.columns.voter_id", "did you mean 'voter_id'"),
        {"source": {"columns": {"voter_id": "votr_id"}}},
    ),
    Refused("12 column twice", {"votes.csv": f"voter_id,item_id,vote,voted_at,vote\na,s1,1,{T},0\n"}, ("'vote'",)),
    Refused("12 column twice in two spellings", {"votes.csv": "voter-id,voter_id,item_id,vote,voted_at\n"}, ("voter",)),
    Read(
        "13 unknown column of votes",
        {"votes.csv": f"voter_id,item_id,vote,voted_at,browser\na,s1,1,{T},x\n"},
        1,
        finding="not used: browser",
    ),
    Read("14 header only", {"votes.csv": VOTES_HEADER}, 0, finding="no rows"),
    Refused("15 empty file", {"votes.csv": ""}, ("votes.csv: is empty",)),
    Refused("15 only blank lines", {"votes.csv": "\n\n  \n"}, ("votes.csv: is empty",)),
    Refused("15 only a byte order mark", {"votes.csv": "".encode("utf-16")}, ("votes.csv: is empty",)),
    Refused("15 no file", {}, ("no votes and no items",)),
    Refused("16 header missing", {"votes.csv": GOOD}, ("header line missing",)),
    Read("19 quoted newline", {"items.csv": 'id,text\ns1,"one\ntwo"\ns2,three\n'}, 2),
    Read(
        "20 line that is no object", lines("[1]", "3", GOOD_LINE), 1, ((1, "json_not_object"), (2, "json_not_object"))
    ),
    Read("20 broken line", lines(GOOD_LINE, GOOD_LINE[:-3]), 1, ((2, "json_broken"),)),
    Refused("20 one array", {"votes.jsonl": f"[{GOOD_LINE}]"}, ("votes.jsonl", "JSON array", "one object a line")),
    Refused("20 one array over several lines", {"votes.jsonl": f"\n[\n{GOOD_LINE}\n]"}, ("JSON array",)),
    Read("21 duplicate key", lines(GOOD_LINE[:-1] + ', "vote": -1}', GOOD_LINE), 1, ((1, "json_duplicate_key"),)),
    Read(
        "21 nesting",
        lines(GOOD_LINE[:-1] + ', "x": ' + "[" * 25 + "]" * 25 + "}", GOOD_LINE),
        1,
        ((1, "json_too_deep"),),
    ),
    Read(
        "21 deepest nesting",
        lines(GOOD_LINE[:-1] + ', "x": ' + "[" * 100_000 + "]" * 100_000 + "}", GOOD_LINE),
        1,
        ((1, "json_too_deep"),),
    ),
    Read(
        "22 NaN and Infinity",
        lines(*(GOOD_LINE.replace('"vote": 1', f'"vote": {word}') for word in ("NaN", "-Infinity")), GOOD_LINE),
        1,
        ((1, "json_not_finite"), (2, "json_not_finite")),
    ),
    Read("20 list as a value", lines(GOOD_LINE.replace('"a"', '["a"]'), GOOD_LINE), 1, ((1, "json_nested"),)),
    Read(
        "20 lone surrogate", lines(GOOD_LINE.replace('"a"', '"\\ud800"'), GOOD_LINE), 1, ((1, "json_lone_surrogate"),)
    ),
    Read("5 escaped NUL", lines(GOOD_LINE.replace('"a"', '"\\u0000"'), GOOD_LINE), 1, ((1, "nul_byte"),)),
    Read("20 blank lines", lines("", GOOD_LINE, "  ", ""), 1),
    Refused("25 Parquet called CSV", {"votes.csv": SMALL_PARQUET}, ("votes.csv", "Parquet")),
    Refused("25 CSV called Parquet", {"votes.parquet": VOTES_HEADER + GOOD}, ("votes.parquet", "text")),
    Refused("25 spreadsheet called CSV", {"votes.csv": b"PK\x03\x04" + bytes(60)}, ("spreadsheet",)),
    Refused("25 gzip called CSV", {"votes.csv": b"\x1f\x8b" + bytes(60)}, ("gzip",)),
    Refused("18 Parquet without end", {"votes.parquet": SMALL_PARQUET[:-20]}, ("votes.parquet", "incomplete")),
    Refused("18 empty Parquet", {"votes.parquet": b""}, ("votes.parquet", "empty")),
]

FILES = [
    Refused("71 pickle", {"votes.pkl": pickle.dumps({"a": 1})}, ("votes.pkl: may run code",)),
    Refused(
        "71 pickle called CSV", {"votes.csv": pickle.dumps({"a": 1})}, ("votes.csv", "pickle", "CSV, JSONL or Parquet")
    ),
    Read(
        "71 pickle beside votes",
        {**votes("a s1 1 T"), "x.pkl": b"\x80\x04"},
        1,
        finding="x.pkl was not read: it may run",
    ),
    Read(
        "77 archive",
        {**votes("a s1 1 T"), "votes.zip": b"PK\x03\x04"},
        1,
        finding="votes.zip was not read: it is an archive",
    ),
    Read(
        "24 file twice",
        {**votes("a s1 1 T"), "copy/votes.csv": votes("a s1 1 T")["votes.csv"]},
        1,
        finding="is a copy of",
    ),
    Read("summary that is none", {**votes("a s1 1 T"), "summary.csv": ITEMS}, 1, finding="summary.csv was not read"),
    Read("82 hidden and partial files", {**votes("a s1 1 T"), ".~lock.votes.csv": "x", "votes.csv.part": "x"}, 1),
    Refused("79 encrypted", {"votes.parquet": b"PARE" + bytes(50) + b"PARE"}, ("votes.parquet", "encrypted")),
    Refused("79 no such columns", {"votes.parquet": parquet({"a": [1], "b": [2]})}, ("no votes and no items",)),
    Refused("79 nested column", {"votes.parquet": parquet({**TABLE, "vote": [[1], [0]]})}, ("votes.parquet",)),
    Read(
        "79 nested column beside",
        {"votes.parquet": parquet({**TABLE, "x": [[1], []]})},
        2,
        finding="ignored: x",
    ),
    Refused(
        "79 bytes",
        {"votes.parquet": parquet({**TABLE, "voter_id": [b"\xff", b"a"]})},
        ("'voter_id'", "UTF-8"),
    ),
    Read(
        "78 long constant",
        {"votes.parquet": parquet({**TABLE, "item_id": ["x" * 70_000] * 2})},
        0,
        ((1, "field_too_long"), (2, "field_too_long")),
    ),
    Refused(
        "pattern without file",
        votes("a s1 1 T"),
        ("source.votes", "v*.txt", "votes.csv"),
        {"source": {"votes": ["v*.txt"]}},
    ),
    Refused(
        "file named twice",
        votes("a s1 1 T"),
        ("votes.csv", "source.votes and under source.items"),
        {"source": {"votes": ["votes.csv"], "items": ["*.csv"]}},
    ),
    Read("file named", {"ballots.txt": VOTES_HEADER + GOOD}, 1, config={"source": {"votes": ["ballots.txt"]}}),
    Read(
        "unnamed files",
        {**votes("a s1 1 T"), "other.csv": ITEMS},
        1,
        finding="other.csv was not read",
        config={"source": {"votes": ["votes.csv"], "items": []}},
    ),
    Read(
        "file of neither",
        {**votes("a s1 1 T"), "notes.csv": "a,b\n1,2\n"},
        1,
        finding="notes.csv was not read: it holds neither",
    ),
]

CASES = [*ENCODING_AND_SHAPE, *FILES]


@pytest.mark.parametrize("case", [case for case in CASES if isinstance(case, Refused)], ids=lambda case: case.name)
def test_file_is_refused_with_a_message_that_says_what_and_where(case: Refused, tmp_path: Path) -> None:
    check_refused(case, tmp_path)


@pytest.mark.parametrize("case", [case for case in CASES if isinstance(case, Read)], ids=lambda case: case.name)
def test_file_is_read_and_every_row_accounted_for(case: Read, tmp_path: Path) -> None:
    check_read(case, tmp_path)
