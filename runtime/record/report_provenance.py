"""What a report says of how its figures came about: model, solver settings, engines, scale, and what happened."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from hemonode.runtime.record.told import RecordedEvent, RecordedModel, RecordedSession

if TYPE_CHECKING:
    from hemonode.runtime.record.store import SessionStore

_MATTER = frozenset({"fault", "camera", "bundle", "engine", "recorder", "governor", "tally"})
_EVENTS_SHOWN = 30


def provenance(store: SessionStore, session: RecordedSession) -> str:
    """Two tables: what computed the fields, and the rest."""
    facts = (
        ("Sample", session.name),
        ("Session", session.id),
        ("Recorded", f"{session.started.isoformat(sep=' ', timespec='seconds')} by the machine's clock"),
        ("Camera", session.source),
        ("Scale", _scale(session)),
        ("hemonode", session.hemonode),
        *((name.replace("_", " ").capitalize(), str(value)) for name, value in sorted(session.settings.items())),
    )
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts)
    models = store.models(session.id)
    return (
        f'<h2>How it was computed</h2>{_model_table(models)}<table class="facts"><tbody>{rows}</tbody></table>'
        if models
        else f'<h2>How it was computed</h2><table class="facts"><tbody>{rows}</tbody></table>'
    )


def event_table(store: SessionStore, session: RecordedSession) -> str:
    """What happened that may have touched the counts; the first and the last where there was much."""
    events = [event for event in store.events(session.id) if event.kind in _MATTER]
    if not events:
        return ""
    first, last = events[: _EVENTS_SHOWN // 2], events[_EVENTS_SHOWN // 2 :][-_EVENTS_SHOWN // 2 :]
    left_out = len(events) - len(first) - len(last)
    middle = f'<tr><td></td><td class="quiet">… {left_out} more …</td></tr>' if left_out else ""
    rows = "".join(map(_event, first)) + middle + "".join(map(_event, last))
    return f"<h2>What happened</h2><table><tbody>{rows}</tbody></table>"


def _event(event: RecordedEvent) -> str:
    minutes, seconds = divmod(int(event.seconds), 60)
    kind = ' class="warn"' if event.kind == "fault" else ""
    return f'<tr><td class="n quiet">{minutes}:{seconds:02}</td><td{kind}>{escape(event.message)}</td></tr>'


def _model_table(models: Sequence[RecordedModel]) -> str:
    fields = sum(model.fields for model in models)
    rows = "".join(
        f"<tr><td>{escape(model.setting)}</td><td>{escape(model.engine)} {escape(model.version)}</td>"
        f'<td>{escape(model.precision)}</td><td class="n">{model.fields:,}</td>'
        f'<td class="n">{100 * model.fields / fields:.1f} %</td></tr>'
        for model in models
    )
    bundles = dict.fromkeys((model.bundle, model.bundle_sha256) for model in models)
    names = "".join(f"<p>Model {escape(name)}, sha256 <code>{escape(sha)}</code></p>" for name, sha in bundles)
    return (
        f"{names}<table><thead><tr><th>solver setting</th><th>engine</th><th>precision</th>"
        f'<th class="n">fields</th><th class="n">share</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _scale(session: RecordedSession) -> str:
    known = []
    if session.um_per_px is not None:
        known.append(f"{session.um_per_px:.4g} µm/px")
    if session.red_cell_px is not None:
        known.append(f"red cells of {session.red_cell_px:.1f} px")
    return ", ".join(known) or "measured in the pictures"
