"""index.html: thumbnails with their counts, on one page that needs nothing but the folder it lies in."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from hemonode.runtime.batch.summary import Failure, ImageRecord, Summary
from hemonode.runtime.bundle.schema import ClassRecord

_STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d8dde3, #333a42); --quiet: light-dark(#5b6672, #9aa5b1);
  --card: light-dark(#fff, #1b2026); }
body { margin: 0; font: 15px/1.45 system-ui, sans-serif; background: light-dark(#f4f6f8, #12161a);
  color: light-dark(#1a2028, #e8ecf0); }
header, main, footer { max-width: 1500px; margin: 0 auto; padding: 20px 24px; }
h1 { font-size: 22px; margin: 0 0 4px; } p { margin: 0; color: var(--quiet); }
.totals { display: flex; gap: 28px; margin-top: 16px; } .totals b { font-size: 30px; font-weight: 600; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(270px, 1fr)); gap: 16px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
figure img { display: block; width: 100%; aspect-ratio: 4 / 3; object-fit: contain;
  background: light-dark(#e9edf1, #0c0f12); }
figcaption { padding: 10px 12px; } figcaption strong { display: block; overflow-wrap: anywhere; }
.counts { display: flex; flex-wrap: wrap; gap: 4px 14px; margin-top: 4px; }
.dot { display: inline-block; width: 10px; height: 10px; border-radius: 50%; margin-right: 6px; }
summary { cursor: pointer; font-weight: 600; } .failed p { margin-top: 6px; overflow-wrap: anywhere; }
small { color: var(--quiet); } .failed { border-left: 4px solid #c62828; padding: 8px 14px; margin: 0 0 18px;
  background: var(--card); }
"""

_FAILURES_SHOWN = 8
"""More are folded: the pictures that were done come first."""


def render_page(summary: Summary, classes: Sequence[ClassRecord]) -> str:
    """The page as HTML. Everything that came from file names is escaped."""
    countable = [entry for entry in classes if entry.countable]
    cards = "\n".join(_card(image, countable) for image in summary.images)
    count = len(summary.images)
    state = "" if summary.state == "finished" else f" · {summary.state} before the end"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>hemonode: {escape(summary.source)}</title><style>{_STYLE}</style></head><body>
<header><h1>{escape(summary.source)}</h1>
<p>{count} {"picture" if count == 1 else "pictures"}{state} · model {escape(summary.bundle)}, solver
{escape(summary.setting)} · {escape(summary.engine)} {escape(summary.precision)}</p>
<div class="totals">{_totals(summary, countable)}</div></header>
<main>{_failures(summary.failures)}<div class="grid">{cards}</div></main>
<footer><p>{escape(summary.notice)}
Counts are of all visible cells; in brackets those the counting frame takes in.</p></footer>
</body></html>
"""


def _dot(entry: ClassRecord) -> str:
    blue, green, red = entry.colour_bgr
    return f'<span class="dot" style="background:rgb({red},{green},{blue})"></span>'


def _label(entry: ClassRecord) -> str:
    return escape(entry.name.replace("_", " "))


def _totals(summary: Summary, countable: Sequence[ClassRecord]) -> str:
    return "".join(
        f"<div><b>{summary.total_visible[entry.name]}</b><br>{_dot(entry)}{_label(entry)}s"
        f" <small>({summary.total_in_frame[entry.name]})</small></div>"
        for entry in countable
    )


def _card(image: ImageRecord, countable: Sequence[ClassRecord]) -> str:
    name = quote(image.image)
    counts = "".join(
        f"<span>{_dot(entry)}{image.visible[entry.name]} <small>({image.in_frame[entry.name]})</small></span>"
        for entry in countable
    )
    scale = f"red cell {image.red_cell_px:.0f} px, {escape(image.scale_source.replace('_', ' '))}"
    note = f"<br>{escape(image.note)}" if image.note else ""
    return (
        f'<figure><a href="overlays/{name}.jpg"><img loading="lazy" src="thumbnails/{name}.jpg" '
        f'alt="{escape(image.image)} with its mask"></a><figcaption><strong>{escape(image.image)}</strong>'
        f'<div class="counts">{counts}</div><small>{scale} · <a href="masks/{name}.png">mask</a>{note}</small>'
        "</figcaption></figure>"
    )


def _failures(failures: Sequence[Failure]) -> str:
    if not failures:
        return ""
    title = f"{len(failures)} {'picture' if len(failures) == 1 else 'pictures'} failed"
    rows = "".join(f"<p><b>{escape(item.image)}</b>: {escape(item.error)}</p>" for item in failures)
    shown = " open" if len(failures) <= _FAILURES_SHOWN else ""
    return f'<details class="failed"{shown}><summary>{title}</summary>{rows}</details>'
