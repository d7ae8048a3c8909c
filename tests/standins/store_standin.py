"""Sessions in memory, with pictures of moving discs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import cv2
from discs import CLASSES, HEIGHT, WIDTH, draw

from hemonode.errors import UnknownNameError
from hemonode.runtime.record.told import RecordedEvent, RecordedField, RecordedModel, RecordedSession


class StandinStore:
    """Sessions in memory; see `hemonode.runtime.record.store.SessionStore`."""

    def __init__(self):
        self._sessions = {}
        self._fields = {}

    def begin(self, name):
        session = f"20260101-{len(self._sessions):04d}"
        started = datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(minutes=len(self._sessions))
        self._sessions[session] = RecordedSession(
            session, name, "recording", "Moving discs", started, None, 0.0, 0, 0.0, 0, 0, 0, {1: 0, 2: 0, 3: 0}, False,
            CLASSES, "first_light", 64 * "ab", "0.1.0", None, 44.0, {"mode": "automatic"},
        )  # fmt: skip
        self._fields[session] = []
        return session

    def add(self, session, counts, kind, note):
        fields, known = self._fields[session], self._sessions[session]
        used = RecordedModel("first_light", 64 * "ab", "tol1e-3", "stand-in", "1.0", "fp32", 1)
        number, at = len(fields) + 1, known.started + timedelta(seconds=len(fields))
        field = RecordedField(
            number, kind, at, float(number), 1, counts, counts, counts, None, 1.0, WIDTH, HEIGHT, 44.0, "estimated",
            None, used, (), note, True, 700_000,
        )  # fmt: skip
        fields.append(field)
        counted = {i: n + counts[i] for i, n in known.counted.items()} if kind == "tallied" else known.counted
        self._sessions[session] = replace(
            known, fields=len(fields), seconds=float(len(fields)), area=float(len(fields)), counted=counted,
            cells=sum(counted.values()), pictures=len(fields), picture_bytes=700_000 * len(fields),
        )  # fmt: skip
        return len(fields)

    def finish(self, session):
        known = self._sessions[session]
        ended = known.started + timedelta(seconds=known.seconds)
        self._sessions[session] = replace(known, state="finished", ended=ended)

    def sessions(self):
        return tuple(reversed(self._sessions.values()))

    def session(self, session):
        if session not in self._sessions:
            raise UnknownNameError("There is no such session.")
        return self._sessions[session]

    def fields(self, session, after=0, limit=None):
        self.session(session)
        return tuple(field for field in self._fields[session] if field.id > after)[:limit]

    def events(self, session):
        return (RecordedEvent(self.session(session).started, 0.0, "tally", "Tally: start.", {}),)

    def picture(self, session, field, kind="picture"):
        if field > len(self.fields(session)):
            raise UnknownNameError("There is no such field.")
        pixels, mask, _ = draw(field * 25)
        overlay = pixels // 2 + 60 * mask[..., None]
        return cv2.imencode(".png", {"picture": pixels, "mask": mask, "overlay": overlay}[kind])[1].tobytes()

    def export(self, session, file_format):
        fields = self.fields(session)
        rows = (f"{field.id},{field.kind},{','.join(map(str, field.counts.values()))}\n".encode() for field in fields)
        types = {"parquet": "application/vnd.apache.parquet", "html": "text/html"}
        suffix = file_format if file_format in types else "csv"
        return rows, types.get(file_format, "text/csv"), f"{session}.{suffix}"
