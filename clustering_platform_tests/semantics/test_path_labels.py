"""Names from folders, for topics without text."""

from clustering_platform.semantics.path_labels import Labels, topic_labels


def test_a_topic_is_called_by_the_folder_that_sets_it_apart() -> None:
    files = {"a": "photos/big_cats/1.png", "b": "photos/big_cats/2.png", "c": "photos/dogs/1.png"}
    found = topic_labels(files, ["a", "b", "c"], [["t0", "t1"], ["t0", "t1"], ["t0", "t2"]])
    assert found["t1"] == Labels(["big cats"], 1.0)
    assert found["t2"] == Labels(["dogs"], 1.0)
    assert found["t0"] == Labels(["dogs", "big cats"], 1 / 3)


def test_a_folder_that_holds_everything_says_nothing() -> None:
    found = topic_labels({"a": "photos/1.png", "b": "photos/2.png"}, ["a", "b"], [["t0"], ["t0"]])
    assert found == {"t0": Labels([], 0.0)}


def test_numbers_and_files_without_folders_are_no_names() -> None:
    found = topic_labels({"a": "2024/1.png", "b": "x.png", "c": None}, ["a", "b", "c"], [["t0"]] * 3)
    assert found == {"t0": Labels([], 0.0)}
