"""A session as Parquet: a row for each field, its cells a list in it, typed, for pandas, polars, DuckDB and R."""

from __future__ import annotations

import io
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from hemonode.errors import OutputError
from hemonode.runtime.batch.summary import RESEARCH_USE
from hemonode.runtime.record.csv_tables import field_pages, image_name
from hemonode.runtime.record.queries import CellRow
from hemonode.runtime.record.told import RecordedField, RecordedSession

if TYPE_CHECKING:
    from hemonode.runtime.record.store import SessionStore


def parquet_file(store: SessionStore, session: RecordedSession) -> Iterator[bytes]:
    """The file in pieces.

    Raises:
        OutputError: pyarrow is not installed.
    """
    arrow, parquet = _libraries()
    # Not inside the generator: what is missing is told before the first piece is asked for.
    return _pieces(store, session, arrow, parquet)


def _libraries() -> tuple[ModuleType, ModuleType]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise OutputError(
            "Parquet needs pyarrow, which is not installed; run: pip install 'hemonode[parquet]', or export CSV."
        ) from error
    return pyarrow, pyarrow.parquet


def _pieces(store: SessionStore, session: RecordedSession, arrow: Any, parquet: Any) -> Iterator[bytes]:  # noqa: ANN401
    schema = _schema(arrow, session)
    file = _Pieces()
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for page in field_pages(store, session):
            cells = _cells(arrow, schema, session, page, store.cells(session.id, page[0].id, page[-1].id))
            rows = [_row(session, field) for field in page]
            columns = [[row[name] for row in rows] for name in schema.names[:-1]]
            arrays = [arrow.array(column, kind) for column, kind in zip(columns, schema.types[:-1], strict=True)]
            writer.write_table(arrow.Table.from_arrays([*arrays, cells], schema=schema))
            yield file.taken()
    yield file.taken()


class _Pieces(io.RawIOBase):
    """A file that is handed on while it is written."""

    def __init__(self) -> None:
        self._position = 0
        self._kept: list[bytes] = []

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:  # noqa: ANN401 - any buffer
        piece = bytes(data)
        self._kept.append(piece)
        self._position += len(piece)
        return len(piece)

    def taken(self) -> bytes:
        """What was written since the last time."""
        kept, self._kept = b"".join(self._kept), []
        return kept


def _schema(arrow: Any, session: RecordedSession) -> Any:  # noqa: ANN401
    text, number, real = arrow.string(), arrow.int64(), arrow.float64()
    names = [entry.name for entry in session.classes if entry.countable]
    counts = [(f"{name}{suffix}", number) for suffix in ("", "_in", "_counted") for name in names]
    pixel = arrow.float32()
    box = [(name, pixel) for name in ("x", "y", "width", "height", "score")]
    cell = arrow.struct([("class", text), *box, ("in_frame", arrow.bool_())])
    return arrow.schema(
        [
            ("image", text),
            *counts,
            ("kind", text),
            ("taken", arrow.timestamp("ms", tz="UTC")),
            ("seconds", real),
            ("stands_for", number),
            ("area", real),
            ("x_px", real),
            ("y_px", real),
            ("width", number),
            ("height", number),
            ("red_cell_px", real),
            ("scale_source", text),
            ("um_per_px", real),
            *((name, text) for name in ("bundle", "bundle_sha256", "setting", "engine", "engine_version", "precision")),
            ("warnings", arrow.list_(text)),
            ("note", text),
            ("cells", arrow.list_(cell)),
        ],
        metadata={"hemonode": json.dumps(_facts(session))},
    )


def _facts(session: RecordedSession) -> dict[str, object]:
    return {
        "session": session.id,
        "sample": session.name,
        "source": session.source,
        "started": session.started.isoformat(),
        "state": session.state,
        "bundle": session.bundle,
        "bundle_sha256": session.bundle_sha256,
        "hemonode": session.hemonode,
        "settings": dict(session.settings),
        "notice": RESEARCH_USE,
    }


def _cells(
    arrow: Any,  # noqa: ANN401
    schema: Any,  # noqa: ANN401
    session: RecordedSession,
    page: Sequence[RecordedField],
    cells: Sequence[CellRow],
) -> Any:  # noqa: ANN401
    """The column of lists, one for each field; column by column, since there may be millions of cells."""
    names = {entry.id: entry.name for entry in session.classes}
    each = Counter(row[0] for row in cells)
    offsets = [0, *itertools.accumulate(each[field.id] for field in page)]
    _, classes, *figures, in_frame = zip(*cells, strict=True) if cells else ((),) * 8
    kind = schema.field("cells").type.value_type
    named = [names.get(class_id, str(class_id)) for class_id in classes]
    columns = [named, *figures, [bool(inside) for inside in in_frame]]
    arrays = [arrow.array(column, kind.field(index).type) for index, column in enumerate(columns)]
    return arrow.ListArray.from_arrays(offsets, arrow.StructArray.from_arrays(arrays, fields=list(kind)))


def _row(session: RecordedSession, field: RecordedField) -> dict[str, object]:
    countable = [entry for entry in session.classes if entry.countable]
    x_px, y_px = field.position_px or (None, None)
    model = field.model
    return {
        "image": image_name(session, field.id),
        **{entry.name: field.visible.get(entry.id, 0) for entry in countable},
        **{f"{entry.name}_in": field.in_frame.get(entry.id, 0) for entry in countable},
        **{f"{entry.name}_counted": field.counts.get(entry.id, 0) for entry in countable},
        "kind": field.kind,
        "taken": field.at,
        "seconds": field.seconds,
        "stands_for": field.stands_for,
        "area": field.area,
        "x_px": x_px,
        "y_px": y_px,
        "width": field.width,
        "height": field.height,
        "red_cell_px": field.red_cell_px,
        "scale_source": field.scale_source,
        "um_per_px": field.um_per_px,
        "bundle": model.bundle if model else None,
        "bundle_sha256": model.bundle_sha256 if model else None,
        "setting": model.setting if model else None,
        "engine": model.engine if model else None,
        "engine_version": model.version if model else None,
        "precision": model.precision if model else None,
        "warnings": list(field.warnings),
        "note": field.note,
    }
