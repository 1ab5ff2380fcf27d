"""Phrases: what can be a name at all."""

import pytest

from clustering_platform.semantics.phrases import find_phrases, first_words, is_part, overlap, word_count


def shown(texts: list[str], longest: int = 5) -> set[str]:
    phrases = find_phrases(texts, longest=longest)
    return {phrases.show(number) for number in range(len(phrases.keys))}


def test_a_phrase_stands_in_two_texts_and_neither_begins_nor_ends_with_a_function_word() -> None:
    found = shown(["We need more public transit in the city", "I think the public transit is too slow"])
    assert found == {"public transit", "public", "transit"}


def test_a_function_word_may_link_the_words_of_a_phrase() -> None:
    assert "cost of living" in shown(["The cost of living is up", "Freeze the cost of living"])


def test_words_too_general_to_say_something_need_company() -> None:
    found = shown(["young people matter", "listen to young people", "people are good"])
    assert "young people" in found
    assert "people" not in found


def test_numbers_are_no_phrases() -> None:
    assert shown(["in 2050 we vote", "in 2050 they vote", "15 15"]) == {"vote"}


def test_phrases_do_not_cross_clauses_addresses_or_lines() -> None:
    found = shown(["better buses, cheaper rent", "buses, rent!", "buses\nrent", "buses https://x.org/rent-now rent"])
    assert found == {"buses", "rent"}


def test_singular_plural_capitals_and_accents_are_one_phrase_written_in_its_usual_form() -> None:
    texts = ["Small businesses close", "the small businesses here", "a small business", "for Māori land", "Maori land"]
    found = shown(texts)
    assert "small businesses" in found
    assert "small business" not in found
    assert len(found & {"Māori land", "Maori land"}) == 1


def test_names_keep_their_capitals_and_first_words_lose_theirs() -> None:
    found = shown(["Trams for the EU", "Trams leave the EU", "iPhone users", "an iPhone"])
    assert {"EU", "trams", "iPhone"} <= found


def test_the_longest_phrase_can_be_set() -> None:
    texts = ["restore native bird habitat", "restore native bird habitat"]
    assert max(len(phrase.split()) for phrase in shown(texts, longest=2)) == 2


@pytest.mark.parametrize(
    ("texts", "expected", "unwanted"),
    [
        (["Wir brauchen mehr bezahlbaren Wohnraum", "Der bezahlbare Wohnraum fehlt"], "Wohnraum", "der"),
        (["L'eau potable est un droit pour nous", "Nous voulons de l'eau potable"], "eau potable", "nous"),
        (["El transporte público es caro", "Queremos transporte público para todos"], "transporte público", "es"),
        (["सार्वजनिक परिवहन महंगा", "हमें सार्वजनिक परिवहन चाहिए"], "सार्वजनिक परिवहन", ""),
    ],
)
def test_other_languages(texts: list[str], expected: str, unwanted: str) -> None:
    found = shown(texts)
    assert expected in found
    assert unwanted not in found


def test_function_words_of_absent_languages_are_words() -> None:
    assert "car" in shown(["I drive my car to the shop", "the car is in the garage"])


def test_chinese_phrases_are_runs_of_characters_between_function_words() -> None:
    found = shown(["我覺得計程車司機很好", "計程車司機應該投保"])
    assert "計程車司機" in found
    assert not any("覺得" in phrase or "的" in phrase for phrase in found)


def test_no_phrase_is_cut_out_of_longer_chinese_or_japanese_words() -> None:
    texts = ["計程車司機", "計程車投保", "我的計程車", "乘客保險", "乘客保障", "乘客安全", "乘客很多"]
    assert shown(texts) == {"計程車", "乘客"}
    assert shown(["公共交通を増やす", "公共交通が高い"]) == {"公共交通"}


def test_conjunctions_are_no_part_of_a_chinese_phrase() -> None:
    assert shown(["既然司機投保", "雖然司機投保", "司機投保不過很貴"]) == {"司機投保"}


def test_parts_and_overlaps() -> None:
    assert is_part(("credit",), ("credit", "card"))
    assert not is_part(("card", "credit"), ("credit", "card"))
    assert is_part(("程車",), ("計程車",))
    assert overlap(("refund",), ("refunded",))
    assert not overlap(("park",), ("parking",))


def test_two_chinese_characters_count_as_a_word() -> None:
    assert [word_count(key) for key in (("bus", "stop"), ("司機",), ("計程車",), ("計程車司機",))] == [2, 1, 2, 3]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Allow them to be at the front", "Allow them to be at…"),
        ("More trees!", "More trees"),
        ("我覺得計程車司機應該要投保才可以上路營業", "我覺得計程車司機應該要投保才可…"),
        ("x" * 100, "x" * 60 + "…"),
    ],
)
def test_first_words(text: str, expected: str) -> None:
    assert first_words(text, 5) == expected
