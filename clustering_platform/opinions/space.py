"""The opinion space: where voters and items lie on the two principal components.

The functions on arrays take means and components as arguments, so that a map can be made from those of another
program. Agree is +1 throughout; Polis counts agree as -1, so its means and coordinates have the opposite sign.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.opinions.components import N_COMPONENTS, mean_votes, principal_components, project
from clustering_platform.opinions.matrix import VoteMatrix, read_vote_matrix
from clustering_platform.opinions.passes import vote_sums
from clustering_platform.tables import TABLES, conform


def build_opinion_space(vote_matrix: pa.Table, voted_items: pa.Table) -> pa.Table:
    """Return the table `opinion_space`: all voters in the order of the matrix, then all items."""
    matrix = read_vote_matrix(vote_matrix, voted_items)
    counts = (voted_items[name].to_numpy() for name in ("agree", "disagree", "seen"))
    means = mean_votes(*counts, is_moderated_out=matrix.is_moderated_out)
    return opinion_space(matrix, means=means, components=principal_components(matrix, means))


def opinion_space(matrix: VoteMatrix, *, means: NDArray[np.float64], components: NDArray[np.float64]) -> pa.Table:
    """Return the table `opinion_space` for given `means` (float64[items]) and `components` (float64[2, items])."""
    places = project_voters(matrix, means=means, components=components)
    return _opinion_space(matrix, places, means=means, components=components)


def project_voters(
    matrix: VoteMatrix, *, means: NDArray[np.float64], components: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the place of each voter: float64[voters, 2].

    ``sqrt(C / n) * sum over the voted items j of (vote_j - mean_j) * component[j]``, with C all items and n those that
    the voter voted on; the factor keeps voters with few votes from crowding at the centre. Moderated items count as
    voted by everybody, with vote and mean 0. Source: Polis, sparsity-aware projection.
    """
    products = project(matrix, means=means, components=components)
    products *= _scale(matrix)
    return products


def project_items(*, means: NDArray[np.float64], components: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the place of each item: float64[items, 2].

    It is that of a voter whose only vote agrees with the item: ``sqrt(C) * (1 - mean_j) * component[j]``.
    """
    places: NDArray[np.float64] = np.sqrt(means.size) * ((1 - means) * components).T
    return places


def read_places(opinion_space: pa.Table, kind: str) -> tuple[pa.ChunkedArray, NDArray[np.float64]]:
    """Return ids and places (float64[n, 2]) of the voters or of the items of an opinion space."""
    rows = _rows_of(opinion_space, kind)
    return rows["id"], np.column_stack([rows["x"].to_numpy(), rows["y"].to_numpy()])


def read_components(opinion_space: pa.Table) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return means (float64[items]) and components (float64[2, items]) of an opinion space."""
    rows = _rows_of(opinion_space, "item")
    components = np.stack([rows[f"component_{number}"].to_numpy() for number in range(1, N_COMPONENTS + 1)])
    return rows["mean"].to_numpy(), components


def _rows_of(opinion_space: pa.Table, kind: str) -> pa.Table:
    """Return the rows of one kind, which stand together, without copying them."""
    is_kind = pc.equal(opinion_space["kind"], kind)
    return opinion_space.slice(max(pc.index(is_kind, True).as_py(), 0), pc.sum(is_kind, min_count=0).as_py())


def _scale(matrix: VoteMatrix) -> NDArray[np.float64]:
    """Return the factor sqrt(C / n) of each voter: float64[voters, 1]."""
    counted = matrix.votes_cast.astype(np.float64)
    if matrix.is_moderated_out.any():
        is_moderated = np.repeat(matrix.is_moderated_out[:, np.newaxis, np.newaxis], 3, axis=1).astype(np.float64)
        counted += matrix.is_moderated_out.sum() - vote_sums(matrix, is_moderated)[:, 0]
    scale: NDArray[np.float64] = np.sqrt(matrix.shape[1] / np.maximum(counted, 1))[:, np.newaxis]
    return scale


def _opinion_space(
    matrix: VoteMatrix, voters: NDArray[np.float64], *, means: NDArray[np.float64], components: NDArray[np.float64]
) -> pa.Table:
    items = project_items(means=means, components=components)
    points = np.concatenate([voters, items])
    no_voter = pa.nulls(len(voters), pa.float64())
    table = pa.table(
        {
            "kind": pa.concat_arrays([pa.repeat("voter", len(voters)), pa.repeat("item", len(items))]),
            "id": pa.concat_arrays([matrix.voter_ids, matrix.item_ids]),
            "x": points[:, 0],
            "y": points[:, 1],
            "mean": pa.concat_arrays([no_voter, pa.array(means)]),
            "component_1": pa.concat_arrays([no_voter, pa.array(components[0])]),
            "component_2": pa.concat_arrays([no_voter, pa.array(components[1])]),
        }
    )
    return conform(table, TABLES["opinion_space"])
