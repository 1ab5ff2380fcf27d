import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from clustering_platform.opinions.blocks import block_of, in_parts, in_threads, row_blocks, transposed


@given(st.lists(st.integers(0, 20), max_size=40), st.integers(1, 30))
def test_blocks_are_whole_rows_in_order_and_of_about_the_wanted_size(lengths: list[int], votes: int):
    offsets = np.append(0, np.cumsum(lengths)).astype(np.int32)
    blocks = row_blocks(offsets, votes=votes)
    assert [row for block in blocks for row in range(block.start, block.stop)] == list(range(len(lengths)))
    assert all(offsets[block.stop] - offsets[block.start] < votes + 20 for block in blocks)


def test_a_block_shares_its_values_and_columns_with_the_matrix():
    matrix = csr_array(np.arange(1.0, 61).reshape(20, 3))
    block = block_of(slice(5, 8), matrix)
    assert np.array_equal(block.toarray(), matrix.toarray()[5:8])
    assert np.array_equal(transposed(block).toarray(), matrix.toarray()[5:8].T)
    assert np.shares_memory(block.data, matrix.data)
    assert np.shares_memory(transposed(block).indices, matrix.indices)


def test_results_come_in_the_order_of_the_pieces():
    parts = in_parts(list(range(100)))
    assert len(parts) == 8
    assert [number for part in in_threads(list, parts) for number in part] == list(range(100))
    assert in_parts([]) == []
    assert in_threads(list, []) == []
