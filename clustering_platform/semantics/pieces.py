"""Pieces: what is embedded of each item. The table `chunks`, and the texts that belong to it.

Where a text is cut belongs in ``cutting``, which items take part in ``taking_part``.
"""

from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.item_template import ItemField, parse_template
from clustering_platform.semantics.cutting import FEWEST_TOKENS, Cut, cut_text
from clustering_platform.semantics.templates import PLAIN, render
from clustering_platform.semantics.texts import is_blank
from clustering_platform.semantics.tokens import Tokenizer
from clustering_platform.tables import TABLES, conform
from clustering_platform.topics_config import ChunksConfig

PieceKind = Literal["texts", "images", "given"]
"""What the vectors of a dataset are made from: its texts, its pictures, or nothing, because they were given."""

MOST_TOKENS = 512
_MARK = "#"
_TEXTS = 10_000


def cut_items(items: pa.Table, *, tokenizer: Tokenizer, config: ChunksConfig, template: str = PLAIN) -> pa.Table:
    """Return the table `chunks` of items with texts: a row for each text, several for those that are cut.

    A text is cut where it has more tokens than a piece may have, with what the template puts around every piece. One
    with no more bytes than that is not tokenized. A text that is not cut keeps the id of its item; the pieces of one
    that is are called ``<id>#0001``, ``<id>#0002`` and so on, with further ``#`` where any item is called so already.

    Parameters
    ----------
    items
        Those that take part; of them `item_id`, `text` and what the template names are read. Those of which it makes
        nothing are left out.
    tokenizer
        That of the model which is to embed the pieces.
    template
        What is embedded of a piece; where that is not its text, no text is cut.
    """
    size = piece_size(tokenizer, config)
    has_text = ItemField("text") in parse_template(template)
    taken = set(items["item_id"].to_pylist())
    chunks: list[dict[str, object]] = []
    columns = (items["item_id"], items["text"], render(items, template)["text"])
    for item_id, text, rendered in zip(*(column.to_pylist() for column in columns), strict=True):
        if is_blank(rendered):
            continue
        cuts = [Cut(0, len(text or ""), 0)]
        if has_text and not is_blank(text) and len(rendered.encode()) > size:
            offsets = tokenizer.token_offsets(text)
            around = 0 if template == PLAIN else max(len(tokenizer.token_offsets(rendered)) - len(offsets), 0)
            cuts = cut_text(text, offsets, tokens=max(size - around, FEWEST_TOKENS), overlap=config.overlap)
        chunks += [
            {
                "item_id": piece_id,
                "document_id": item_id,
                "position": position,
                "text_start": None if text is None else cut.start,
                "text_end": None if text is None else cut.end,
                "tokens": cut.tokens or None,
            }
            for position, (piece_id, cut) in enumerate(zip(_ids(item_id, len(cuts), taken), cuts, strict=True), start=1)
        ]
    contract = TABLES["chunks"]
    return conform(pa.Table.from_pylist(chunks, contract.schema()), contract)


def whole_items(item_ids: pa.ChunkedArray) -> pa.Table:
    """Return the table `chunks` of items that are not cut, whatever their texts: their vectors are of them as a whole.

    Parameters
    ----------
    item_ids : StringArray[items]
        Those that have a vector.
    """
    contract = TABLES["chunks"]
    nothing = pa.nulls(len(item_ids), pa.int32())
    ones = pa.repeat(pa.scalar(1, pa.int32()), len(item_ids))
    columns = [item_ids, item_ids, ones, nothing, nothing, nothing]
    return conform(pa.table(dict(zip(contract.schema().names, columns, strict=True))), contract)


def vector_items(items: pa.Table, item_vectors: pa.Table) -> pa.ChunkedArray:
    """Return the ids of the items for which vectors are given, in the order of these."""
    ids = item_vectors["item_id"]
    return ids.filter(pc.is_in(ids, items["item_id"].combine_chunks()))


def picture_items(items: pa.Table) -> pa.ChunkedArray:
    """Return the ids of the items that have a picture."""
    return items["item_id"].filter(pc.is_valid(items["file"]))


def piece_items(items: pa.Table, chunks: pa.Table) -> pa.Table:
    """Return `items` with a row for each of `chunks`: its id and text, and all else as its item has it."""
    rows = pc.index_in(chunks["document_id"], items["item_id"].combine_chunks())
    table = pa.table({"item_id": chunks["item_id"], "text": chunk_texts(items, chunks)})
    for name in items.column_names:
        if name not in table.column_names:
            table = table.append_column(name, items[name].take(rows))
    return table


def chunk_texts(items: pa.Table | pa.RecordBatch, chunks: pa.Table) -> pa.ChunkedArray:
    """Return the text of each row of `chunks`: that of its item, from `text_start` to `text_end` where it has them."""
    texts = dict(zip(items["item_id"].to_pylist(), items["text"].to_pylist(), strict=True))
    pieces = zip(*(chunks[name].to_pylist() for name in ("document_id", "text_start", "text_end")), strict=True)
    cut = [texts[document] if start is None else texts[document][start:end] for document, start, end in pieces]
    return pa.chunked_array(
        [pa.array(cut[first : first + _TEXTS], pa.string()) for first in range(0, len(cut), _TEXTS)], pa.string()
    )


def cut_batch(items: pa.RecordBatch, chunks: pa.Table, owners: NDArray[np.int64]) -> pa.RecordBatch:
    """Return some of the items with a row for each of their pieces: its id and text, and all else as its item has it.

    Parameters
    ----------
    items
        Of them `item_id` is read, and `text` if it is there.
    chunks
        The rows of the table `chunks` that belong to them.
    owners : int64[chunks]
        The row of the item of each.
    """
    columns = {name: items[name].take(pa.array(owners)) for name in items.schema.names if name != "text"}
    if "text" in items.schema.names:
        columns["text"] = chunk_texts(items, chunks).combine_chunks()
    columns["item_id"] = chunks["item_id"].combine_chunks()
    return pa.RecordBatch.from_pydict({name: columns[name] for name in items.schema.names})


def is_cut(chunks: pa.Table) -> bool:
    """Tell whether any item has several pieces; of `chunks`, `position` is read."""
    return bool(pc.any(pc.greater(chunks["position"], 1)).as_py())


def piece_size(tokenizer: Tokenizer, config: ChunksConfig) -> int:
    """Return the largest number of tokens of a piece: what is set, or 512, and never more than the model reads."""
    wanted = MOST_TOKENS if config.tokens == "auto" else config.tokens
    return max(min(wanted, tokenizer.longest or wanted), FEWEST_TOKENS)


def _ids(item_id: str, count: int, taken: set[str]) -> list[str]:
    """Return the ids of the pieces of an item, none of which is in `taken`, and add them to it."""
    if count == 1:
        return [item_id]
    mark = _MARK
    while True:
        ids = [f"{item_id}{mark}{position:04}" for position in range(1, count + 1)]
        if taken.isdisjoint(ids):
            taken.update(ids)
            return ids
        mark += _MARK
