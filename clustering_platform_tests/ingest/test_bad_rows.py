"""Rows that are not what they should be, and odd ones that are accepted: votes and items."""

from pathlib import Path

import pytest

from clustering_platform_tests.ingest.cases import Read, Refused, check_read, check_refused, votes
from clustering_platform_tests.ingest.folders import ITEMS, VOTES_HEADER, T

VOTES = [
    Read(
        "26 vote values",
        votes("a s1 2 T", "b s1 0.5 T", "c s1 1.0 T", "d s1 -1.0 T", "e s1 +1 T", "f s1 11 T"),
        3,
        ((2, "vote_out_of_range"), (3, "vote_out_of_range"), (7, "vote_out_of_range")),
    ),
    Read("27 words", votes(*(f"v{w} s1 {w} T" for w in ("agree", "PASS", "Disagree", "buena", "neutral", "mala"))), 6),
    Read("27 words that are not known", votes("a s1 true T"), 0, ((2, "vote_out_of_range"),)),
    Read("27 words configured", votes("a s1 Ja T"), 1, config={"source": {"vote_values": {"ja": 1}}}),
    Read("28 empty vote", votes("a s1  T", "b s1 0 T"), 1, ((2, "vote_missing"),)),
    Read("30 duplicate row", votes("a s1 1 T", "a s1 1 T"), 1, superseded=1),
    Read("31 later vote", votes(f"a s1 1 {T + 5}", f"a s1 -1 {T}"), 1, superseded=1, finding="later vote"),
    Read("32 tie", votes("a s1 1 T", "a s1 -1 T"), 1, superseded=1, finding="very same time"),
    Refused("33 no times", {"votes.csv": "voter_id,item_id,vote\na,s1,1\n"}, ("voted_at",)),
    Read("34 seconds", votes(f"a s1 1 {T // 1000}"), 1, finding="in s"),
    Read("34 milliseconds", votes(f"a s1 1 {T}"), 1, finding="in ms"),
    Read("34 microseconds", votes(f"a s1 1 {T}000"), 1, finding="in us"),
    Read("34 nanoseconds", votes(f"a s1 1 {T}000000"), 1, finding="in ns"),
    Read(
        "34 mixed",
        votes(f"a s1 1 {T}", f"b s1 1 {T // 1000}", f"c s1 1 {T}"),
        2,
        ((3, "timestamp_unit"),),
    ),
    Read(
        "34 unit configured",
        votes(f"a s1 1 {T}", f"b s1 1 {T // 1000}"),
        1,
        ((2, "timestamp_future"),),
        config={"source": {"time_unit": "s"}},
    ),
    Read(
        "35 implausible",
        votes("a s1 1 0", "b s1 1 -5", f"c s1 1 {10**11 + 1}", "d s1 1 1989-12-31T23:59:59Z", "e s1 1 T"),
        1,
        tuple((line, "timestamp_implausible") for line in (2, 3, 4, 5)),
    ),
    Read(
        "36 future",
        votes(
            "a s1 1 2026-11-01T12:04:59Z",
            "b s1 1 2026-11-01T12:05:01Z",
            "c s1 1 9999-12-31T00:00:00Z",
            f"d s1 1 {8 * 10**18}",
        ),
        1,
        ((3, "timestamp_future"), (4, "timestamp_future"), (5, "timestamp_future")),
    ),
    Read(
        "37 no zone",
        votes("a s1 1 2026-10-01T10:00:00", "b s1 1 2026-10-01"),
        2,
        finding="without a zone, read as UTC: 2",
    ),
    Read(
        "37 no times",
        votes("a s1 1 ", "b s1 1 soon", "c s1 1 2026-02-30T10:00:00Z", "d s1 1 9999999999999999999999", "e s1 1 T"),
        1,
        (
            (2, "timestamp_missing"),
            (3, "timestamp_unreadable"),
            (4, "timestamp_unreadable"),
            (5, "timestamp_unreadable"),
        ),
    ),
    Read("39 unknown item", votes("a s9 1 T") | {"items.csv": ITEMS}, 3, finding="no item file lists: 1"),
    Read(
        "40 empty ids",
        {"votes.csv": VOTES_HEADER + f",s1,1,{T}\n  ,s1,1,{T}\na,,1,{T}\na,s1,1,{T}\n"},
        1,
        ((2, "voter_id_missing"), (3, "voter_id_missing"), (4, "item_id_missing")),
    ),
    Read(
        "40 spaces and case",
        {"votes.csv": VOTES_HEADER + f"a,s1,1,{T}\n a,s1,1,{T}\nA,s1,1,{T}\n"},
        3,
        finding="apart: 2",
    ),
    Read("41 Unicode forms", votes("é s1 1 T", "e\u0301 s1 1 T"), 2, finding="Unicode form"),
    Read(
        "voter types",
        {"votes.csv": f"voter_type,{VOTES_HEADER}robot,a,s1,1,{T}\nsession,b,s1,1,{T}\n,c,s1,1,{T}\n"},
        2,
        ((2, "voter_type_unknown"),),
    ),
]

ITEM_CASES = [
    Read("53 item twice", {"items.csv": "id,text\ns1,a\ns1,a\n"}, 1, superseded=1),
    Read("53 item rewritten", {"items.csv": "id,text\ns1,a\ns1,b\n"}, 1, superseded=1, finding="another text"),
    Read("54 empty text", {"items.csv": 'id,text\ns1,\ns2,"  "\ns3,🎉\n'}, 3),
    Read("56 bidirectional override", {"items.csv": "id,text\ns1,a\u202eb\u200bc\n"}, 1),
    Read("57 markup", {"items.csv": "id,text\ns1,<script>alert(1)</script>\n"}, 1),
    Read("58 formula", {"items.csv": 'id,text\ns1,"=HYPERLINK(""x"")"\ns2,@a\n'}, 2),
    Read("moderation", {"items.csv": "id,text,mod\ns1,a,2\ns2,b,-1\ns3,c,\n"}, 2, ((2, "moderation_unknown"),)),
    Read("flags", {"items.csv": "id,text,is_meta\ns1,a,maybe\ns2,b,TRUE\n"}, 1, ((2, "boolean_unknown"),)),
    Read("bad time of writing", {"items.csv": "id,text,created_at\ns1,a,soon\n"}, 1, finding="left out: 1"),
    Read("author id", {"items.csv": "id,text,author\ns1,a,x\x07\ns2,a,\n"}, 1, ((2, "author_id_unusable"),)),
]

CASES = [*VOTES, *ITEM_CASES]


@pytest.mark.parametrize("case", [case for case in CASES if isinstance(case, Refused)], ids=lambda case: case.name)
def test_file_is_refused_with_a_message_that_says_what_and_where(case: Refused, tmp_path: Path) -> None:
    check_refused(case, tmp_path)


@pytest.mark.parametrize("case", [case for case in CASES if isinstance(case, Read)], ids=lambda case: case.name)
def test_file_is_read_and_every_row_accounted_for(case: Read, tmp_path: Path) -> None:
    check_read(case, tmp_path)
