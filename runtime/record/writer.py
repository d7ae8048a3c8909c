"""The one thread that writes a store: it tries until the disk takes what waits, and tells how it fares."""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from hemonode.errors import OutputError
from hemonode.runtime.live.events import EventLog
from hemonode.runtime.live.joining import join_until
from hemonode.runtime.live.meters import FaultLog
from hemonode.runtime.record.connection import WritingConnection
from hemonode.runtime.record.database import cannot_write, is_damage
from hemonode.runtime.record.disk import DiskGuard
from hemonode.runtime.record.ledger import picture_bytes, transaction, write_entry
from hemonode.runtime.record.pictures import encode_picture, encode_png, write_pair
from hemonode.runtime.record.places import Places
from hemonode.runtime.record.rescue import rescue
from hemonode.runtime.record.session import Holding
from hemonode.runtime.record.waiting import Entry, Waiting

_TOGETHER = 64
"""Entries in one transaction, where many wait: each transaction waits for the disk once."""
_LOOK_S = 2.0
_RETRY_S = (0.1, 0.2, 0.5, 1.0)
"""Waits between tries, the last for all later ones."""
_LAST_TRIES_S = 1.0
"""After a stop was asked for while the disk fails."""
_LAST_PICTURES_S = 0.4
"""That pictures may take of a stop: the program ends soon, and counts that still wait end with it."""

logger = logging.getLogger("hemonode.record")


class Writer:
    """Writes what waits.

    Args:
        places: of the store.
        waiting: what to write.
        guard: whether there is room for pictures.
        holding: of this process.
        log: is told of changes only.
        faults: is told of every try that failed.

    Attributes:
        trouble: why nothing can be written now, or None.
        no_pictures: why no picture can be kept now, or None.
        pictures: written since the start.
    """

    def __init__(
        self, places: Places, waiting: Waiting, guard: DiskGuard, holding: Holding, log: EventLog, faults: FaultLog
    ) -> None:
        self.trouble: str | None = None
        self.no_pictures: str | None = None
        self._places = places
        self._waiting = waiting
        self._guard = guard
        self._holding = holding
        self._log = log
        self._faults = faults
        self._connection = WritingConnection(places, log)
        self._stop = threading.Event()
        self._stop_by_s = float("inf")
        self._looked_s, self._last_pictures_s = float("-inf"), 0.0
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Open the store and begin to write.

        Raises:
            OutputError: it can never be written: no rights, no folder, a newer hemonode's.
        """
        try:
            self._connection.get()
        except (sqlite3.Error, OSError) as error:
            full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
            if not (full or (self._places.folder.is_dir() and os.access(self._places.folder, os.W_OK))):
                raise cannot_write(self._places, error) from error
            # What may pass, a lock, or damage, which is set aside: the thread goes on trying.
            self._tell_trouble(error)
            self._connection.failed(error)
        self._thread.start()

    def request_stop(self) -> None:
        """Write what waits, then end."""
        self._stop_by_s = time.monotonic() + _LAST_TRIES_S
        self._stop.set()
        self._waiting.hurry()

    def join(self, deadline_s: float) -> bool:
        """Wait for the end until a moment of the monotonic clock. False: not all was written."""
        return join_until(self._thread, deadline_s) and self._waiting.empty

    def _run(self) -> None:
        while True:
            entries = self._waiting.take(_TOGETHER, _LOOK_S)
            if not entries and self._stop.is_set():
                break
            written = self._with_pictures_written(entries)
            if not self._write(written):
                self._rescue(written)
                break
            self._waiting.done()
            self._look_now_and_then()
        self._connection.close()
        self._holding.release_all()

    def _write(self, entries: Sequence[Entry]) -> bool:
        """Try until it is written. False: it never was, and the stop cannot wait longer."""
        tries = 0
        while not self._try(entries):
            wait_s = _RETRY_S[min(tries, len(_RETRY_S) - 1)]
            tries += 1
            if not self._stop.wait(wait_s):
                continue
            if time.monotonic() > self._stop_by_s:
                return False
            time.sleep(_RETRY_S[0])
        return True

    def _rescue(self, entries: Sequence[Entry]) -> None:
        """All that waits goes elsewhere, since the stop cannot."""
        unwritten = list(entries)
        while more := self._waiting.take(_TOGETHER, 0):
            unwritten += self._with_pictures_written(more)
        fields = sum(entry.row.stands_for for entry in unwritten if entry.row is not None)
        try:
            apart = rescue(self._places, unwritten)
        except Exception:
            logger.exception("%d fields could not be written before the stop, nor anywhere else: they are lost", fields)
            return
        self._waiting.done()
        logger.warning("%d fields are in %s; the next start takes them over", fields, apart.database)

    def _try(self, entries: Sequence[Entry]) -> bool:
        try:
            connection = self._connection.get()
            for entry in entries:
                self._hold(entry.session.id)
            if entries:
                with transaction(connection):
                    for entry in entries:
                        write_entry(connection, entry)
        except (sqlite3.OperationalError, OSError, OutputError) as error:
            return self._failed(error)
        except Exception as error:
            if is_damage(error):
                return self._failed(error)
            # Not the disk: one of them can never be written. Alone, the others can.
            return all(self._try((entry,)) for entry in entries) if len(entries) > 1 else self._given_up(error)
        if self.trouble is not None:
            self.trouble = None
            self._log.add("recorder", "What was counted is written again; no count was lost.")
        for entry in entries:
            if entry.ended is not None:
                self._holding.release(entry.session.id, finished=True)
        return True

    def _failed(self, error: Exception) -> bool:
        self._tell_trouble(error)
        self._connection.failed(error)
        return False

    def _given_up(self, error: Exception) -> bool:
        logger.error("an entry of the record cannot be written", exc_info=error)
        self._faults.report("recorder", error)
        self._log.add("fault", f"One thing could not be recorded ({error}); please report this.", origin="recorder")
        return True

    def _with_pictures_written(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """The entries without their pictures, which are on the disk, or are let go where it takes none."""
        return [self._with_picture_written(entry) for entry in entries]

    def _with_picture_written(self, entry: Entry) -> Entry:
        if entry.field is None or entry.row is None:
            return entry
        without = replace(entry, field=None)
        if self._last_pictures_s > _LAST_PICTURES_S:
            logger.warning("the picture of field %d is not kept: a stop cannot wait for it", entry.row.number)
            return without
        self._look(None)
        if self.no_pictures is not None:
            return without
        places, result, number, session = self._places, entry.field.result, entry.row.number, entry.session.id
        description = f"hemonode session {session}, field {number}"
        began_s = time.monotonic()
        try:
            picture = encode_picture(result.frame.pixels, entry.row.um_per_px, description=description)
            mask = encode_png(result.segmentation.class_ids)
            written = write_pair((places.picture(session, number), picture), (places.mask(session, number), mask))
        except OSError as error:
            self._guard.refused(error)
            self._faults.report("pictures", error)
            self._look(None)
            return without
        except Exception as error:  # whatever is wrong with a picture, its counts are kept
            logger.exception("the picture of field %d cannot be written", number)
            self._faults.report("pictures", error)
            return without
        if self._stop.is_set():
            self._last_pictures_s += time.monotonic() - began_s
        self._guard.wrote(written)
        entry.session.kept_picture()
        return replace(without, row=replace(entry.row, picture_bytes=written))

    def _hold(self, session: str) -> None:
        try:
            self._holding.hold(session)
        except OSError as error:
            # Counts are written all the same; only another hemonode cannot see that this one is at it.
            self._faults.report("recorder", error)

    def _look_now_and_then(self) -> None:
        if time.monotonic() - self._looked_s < _LOOK_S:
            return
        self._looked_s = time.monotonic()
        try:
            # Counted anew: `sessions delete` or another hemonode may have changed it.
            used = picture_bytes(self._connection.get())
        except (sqlite3.Error, OSError, OutputError):
            # Told where something is to be written.
            used = None
        self._look(used)

    def _look(self, used_bytes: int | None) -> None:
        before = self.no_pictures
        try:
            self.no_pictures = self._guard.look(used_bytes)
        except OSError as error:
            self.no_pictures = f"{self._places.folder} cannot be looked at ({error.strerror})"
        if before is None and self.no_pictures is not None:
            self._log.add("recorder", f"Pictures are not kept any more: {self.no_pictures}. Counts are.")
        elif before is not None and self.no_pictures is None:
            self._log.add("recorder", "Pictures are kept again.")

    def _tell_trouble(self, error: Exception) -> None:
        told = cannot_write(self._places, error)
        self._faults.report("recorder", told)
        if self.trouble is None:
            self._log.add("fault", f"{told} Counts wait in memory until it can be written.", origin="recorder")
        self.trouble = str(told)
