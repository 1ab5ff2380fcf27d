"""The whole of ingest: a dataset in, its clean tables, quarantine and report out.

What happens to single rows belongs in ``votes`` and ``items``.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clustering_platform.datasets import Dataset
from clustering_platform.ingest import polis
from clustering_platform.ingest.arrays import chosen, successive
from clustering_platform.ingest.errors import AccountingError
from clustering_platform.ingest.found import Source, Unread
from clustering_platform.ingest.ids import Ids
from clustering_platform.ingest.ingested import Ingested
from clustering_platform.ingest.items import NO_ITEMS, ItemLog, find_replaced, items_table, read_items
from clustering_platform.ingest.log_tables import first_vote_times, log_tables
from clustering_platform.ingest.outcomes import Outcomes, find_results, outcomes_of_items, read_results
from clustering_platform.ingest.parquet_files import ParquetFile
from clustering_platform.ingest.pictures import with_captions
from clustering_platform.ingest.pseudonyms import Pseudonyms
from clustering_platform.ingest.quarantine import Quarantine
from clustering_platform.ingest.sources import POLIS_FILES, find_sources
from clustering_platform.ingest.vector_files import VectorFile
from clustering_platform.ingest.vector_rows import usual_dimension
from clustering_platform.ingest.vectors import VectorLog, column_vectors, read_vectors, vectors_table
from clustering_platform.ingest.votes import NO_VOTES, Order, VoteLog, in_order, read_votes
from clustering_platform.ingest.whole_files import read_whole_files
from clustering_platform.tables import TABLES, conform

__all__ = ["Ingested", "ingest_dataset"]


def ingest_dataset(dataset: Dataset, pseudonyms: Pseudonyms, *, now: datetime | None = None) -> Ingested:
    """Read all files of a dataset.

    Parameters
    ----------
    pseudonyms
        What to put in the place of the ids of voters and authors.
    now
        With a zone; votes from after it are refused. Default: the clock.

    Raises
    ------
    IngestError
        A file cannot be understood, or there is nothing to read.
    DatasetError
        ``dataset.yaml`` cannot be read, or the folder holds links.
    AccountingError
        Rows got lost.
    """
    sources, unread = find_sources(dataset)
    results = find_results(dataset)
    sources += [results] if results else []
    return _Ingest(dataset, pseudonyms, sources, now or datetime.now(UTC)).run(unread)


class _Ingest:
    """One reading of a dataset."""

    def __init__(self, dataset: Dataset, pseudonyms: Pseudonyms, sources: Sequence[Source], now: datetime) -> None:
        self.config, self.sources, self.pseudonyms, self.now = dataset.config.source, sources, pseudonyms, now
        self.outcomes = dataset.config.outcomes
        self.people, self.item_ids = Ids(), Ids()
        self.vector_columns = {
            file: source.reader.vectors()
            for file, source in enumerate(sources)
            if source.content == "items" and isinstance(source.reader, ParquetFile) and source.reader.has_vectors
        }
        self.vector_files = {
            file: source.reader.rows for file, source in enumerate(sources) if isinstance(source.reader, VectorFile)
        }
        self.dimension = usual_dimension([*self.vector_columns.values(), *self.vector_files.values()])
        self.quarantine = Quarantine(shows_people=pseudonyms.is_plain)

    def run(self, unread: Sequence[Unread]) -> Ingested:
        """Read everything, put it together and check that no row got lost."""
        export = polis.find_export(self.sources, self.config)
        items, captioned = self._read_all_items()
        log = VoteLog.join([NO_VOTES, *(self._read_votes(file) for file in self._files("votes"))])
        is_replaced, is_rewritten = find_replaced(items)
        listed = items.take(~is_replaced)
        log = self._with_sign(log, listed)
        order = in_order(log)
        vectors, repeated = self._read_vectors(listed, log)
        outcomes = self._read_outcomes(listed)
        unlisted = np.setdiff1d(np.concatenate([log.items, vectors.items]), listed.items)
        self._note_rows(items.files[is_rewritten], "items that come again later with another text, which was taken")
        self._note_order(log, order)
        self._note_rows(log.files[np.isin(log.items, unlisted)], "votes on items that no item file lists")
        self._note_ids()
        summary = self._compare(export, log, order)
        self._note_unread(unread, export)
        people, item_ids = self.pseudonyms.apply(self.people.array()), self.item_ids.array()
        quarantine = self.quarantine.table(people=self.people.array())
        votes = log.files[order.rows]
        of_files = vectors.files[np.isin(vectors.files, list(self.vector_files))]
        superseded = [items.files[is_replaced], votes[order.is_superseded], repeated, outcomes.superseded]
        accepted = [listed.files, votes[~order.is_superseded], of_files, captioned, outcomes.accepted]
        in_table = np.concatenate([listed.items, unlisted])
        item_rows = np.zeros(len(item_ids), np.int32)
        item_rows[in_table] = np.arange(len(in_table))
        first_votes = first_vote_times(log, order, n_items=len(item_ids))
        votes_table, voters_table = log_tables(log, order, people=people, item_ids=item_ids, item_rows=item_rows)
        return Ingested(
            items=items_table(listed, unlisted, people=people, item_ids=item_ids, first_votes=first_votes),
            vectors=vectors_table(vectors, item_ids=item_ids, item_rows=item_rows),
            votes=votes_table,
            voters=voters_table,
            outcomes=outcomes.table(item_ids, self.outcomes),
            quarantine=quarantine,
            report=self._report(np.concatenate(accepted), np.concatenate(superseded), quarantine),
            about=polis.about(summary),
        )

    def _read_all_items(self) -> tuple[ItemLog, NDArray[np.int32]]:
        """Return the items of all files, and the files of the pictures that tables name."""
        tables = [self._read_items(file) for file in self._files("items")]
        listed = ItemLog.join([NO_ITEMS, *tables, self._read_whole("documents")])
        items, captioned = with_captions(listed, self._read_whole("images"))
        self._note_pictures(listed, items)
        return items, captioned

    def _read_vectors(self, listed: ItemLog, log: VoteLog) -> tuple[VectorLog, NDArray[np.int32]]:
        """Return the vectors of items, and the file of every row that says the same again."""
        is_open = not len(listed.items) and not len(log)
        logs = [column_vectors(listed, self.vector_columns, dimension=self.dimension)]
        repeated = [np.zeros(0, np.int32)]
        for file in self.vector_files:
            vectors, count = read_vectors(
                self.sources[file],
                file=file,
                items=self.item_ids,
                is_open=is_open,
                quarantine=self.quarantine,
                dimension=self.dimension,
            )
            logs.append(vectors)
            repeated.append(np.full(count, file, np.int32))
        joined = VectorLog.join(logs, dimension=self.dimension)
        earlier, _ = successive(joined.items.astype(np.int64))
        repeated.append(joined.files[earlier][np.isin(joined.files[earlier], list(self.vector_files))])
        joined = joined.take(~chosen(len(joined.items), earlier))
        if self.vector_columns or self.vector_files:
            without = np.setdiff1d(np.concatenate([listed.items, log.items]), joined.items)
            self._note_vectors(len(without))
        return joined, np.concatenate(repeated)

    def _note_vectors(self, without: int) -> None:
        file = min([*self.vector_columns, *self.vector_files])
        self.sources[file].note(f"vectors have {self.dimension:,} numbers")
        self.sources[file].note_count(without, "items without a vector, which take part in no topic")

    def _files(self, content: str) -> Iterator[int]:
        """Yield the positions of the sources of one kind."""
        return (file for file, source in enumerate(self.sources) if source.content == content)

    def _read_items(self, file: int) -> ItemLog:
        return read_items(
            self.sources[file],
            file=file,
            items=self.item_ids,
            people=self.people,
            quarantine=self.quarantine,
            config=self.config,
            now=self.now,
            vectors=self.vector_columns.get(file),
            dimension=self.dimension,
        )

    def _read_whole(self, content: str) -> ItemLog:
        found = {file: self.sources[file] for file in self._files(content)}
        return read_whole_files(found, items=self.item_ids, quarantine=self.quarantine)

    def _note_pictures(self, listed: ItemLog, items: ItemLog) -> None:
        """Take down which rows of tables name a picture that is not there, and which have none among pictures."""
        has_picture = np.asarray(pc.is_valid(items.table["file"]), np.bool_)
        names_one = np.asarray(pc.is_valid(listed.table["file"]), np.bool_)
        is_missing = names_one & ~has_picture[: len(names_one)]
        self._note_rows(listed.files[is_missing], "items that name a picture which is not there or cannot be read")
        if has_picture.any():
            self._note_rows(items.files[~has_picture], "items without a picture, which take part in no topic")

    def _read_votes(self, file: int) -> VoteLog:
        return read_votes(
            self.sources[file],
            file=file,
            voters=self.people,
            items=self.item_ids,
            quarantine=self.quarantine,
            config=self.config,
            now=self.now,
        )

    def _read_outcomes(self, listed: ItemLog) -> Outcomes:
        """Return the outcomes of items, whose ids must be known by now."""
        for file in self._files("outcomes"):
            return read_results(self.sources[file], file=file, items=self.item_ids, quarantine=self.quarantine)
        return outcomes_of_items(listed, self.sources, items=self.item_ids, config=self.outcomes)

    def _with_sign(self, log: VoteLog, listed: ItemLog) -> VoteLog:
        """Return the log with agree as +1."""
        is_negative, why = polis.find_sign(log, listed, self.config)
        if why:
            for file in self._files("votes"):
                self.sources[file].note(why)
        return log.turned() if is_negative else log

    def _compare(self, export: Path | None, log: VoteLog, order: Order) -> Mapping[str, str]:
        """Compare what was read with the other files of a Polis export; return its summary."""
        if export is None:
            return {}
        summary = polis.read_summary(export, self.config)
        last = polis.LastVotes.of(log.take(order.rows[~order.is_superseded]))
        matrix = polis.compare_matrix(export, self.config, last, self.people, self.item_ids)
        first = self.sources[next(self._files("votes"))]
        for finding in (matrix, polis.compare_summary(summary, log)):
            if finding:
                first.note(finding)
        return summary

    def _note_order(self, log: VoteLog, order: Order) -> None:
        files = log.files[order.rows]
        self._note_rows(files[order.is_changed], "votes changed by a later vote of the same voter")
        self._note_rows(
            files[order.is_tie],
            "votes changed at the very same time, where the vote that comes later in the files was taken",
        )

    def _note_rows(self, files: NDArray[np.int32], what: str) -> None:
        """Take down how many rows of each file something applies to."""
        for source, count in zip(self.sources, self._count(files), strict=True):
            source.note_count(int(count), what)

    def _note_ids(self) -> None:
        for ids, what in ((self.people, "ids of voters"), (self.item_ids, "ids of items")):
            self.sources[0].note_count(
                ids.count_lookalikes(),
                f"{what} that differ from another only in case, spaces or Unicode form, and were kept apart",
            )
        for source in self.sources:
            if not source.read:
                source.note("there are no rows in it")

    def _note_unread(self, unread: Sequence[Unread], export: Path | None) -> None:
        for one in unread:
            if one.path.parent != export or one.path.name not in POLIS_FILES:
                self.sources[0].note(f"{one.name} was not read: it {one.why}")

    def _count(self, files: NDArray[np.int32]) -> NDArray[np.int64]:
        return np.bincount(files, minlength=len(self.sources))

    def _report(self, accepted: NDArray[np.int32], superseded: NDArray[np.int32], quarantine: pa.Table) -> pa.Table:
        """Return the table `ingest_report`, after checking that every row read became one of the three."""
        refused = {row["values"]: row["counts"] for row in pc.value_counts(quarantine["file"]).to_pylist()}
        counts = zip(self.sources, self._count(accepted).tolist(), self._count(superseded).tolist(), strict=True)
        rows = [
            {
                "file": source.name,
                "content": source.content,
                "read": source.read,
                "accepted": n_accepted,
                "quarantined": refused.get(source.name, 0),
                "superseded": n_superseded,
                "findings": source.findings,
            }
            for source, n_accepted, n_superseded in counts
        ]
        for row in rows:
            if row["read"] != row["accepted"] + row["quarantined"] + row["superseded"]:
                raise AccountingError(f"rows got lost or were counted twice: {row}")
        contract = TABLES["ingest_report"]
        return conform(pa.Table.from_pylist(rows, contract.schema()), contract)
