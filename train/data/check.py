"""Checks a data set before training: every picture and label is read, and the splits are searched for leaks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemonode.device.pictures import read_picture
from hemonode.errors import DatasetError, PictureError
from hemonode.train.data.dataset import Dataset, Entry
from hemonode.train.data.duplicates import overlapping_views, pixel_hash, thumbnail
from hemonode.train.data.findings import Finding, Report
from hemonode.train.data.labels import Labels
from hemonode.train.data.splits import parted_groups


@dataclass(frozen=True)
class _Seen:
    """What remains of a picture that was read."""

    entry: Entry
    pixel_hash: str
    thumbnail: npt.NDArray[np.float32]


def check_dataset(
    dataset: Dataset, watch: Callable[[Sequence[Entry]], Iterable[Entry]] = lambda entries: entries
) -> Report:
    """Read everything once and report what is wrong.

    Args:
        dataset: the data set.
        watch: passes the entries on; a progress bar, for instance.
    """
    findings: list[Finding] = []
    seen: list[_Seen] = []
    boxes: Counter[int] = Counter()
    masks = 0
    for entry in watch(dataset.entries()):
        try:
            pixels = read_picture(entry.path)
        except PictureError as error:
            findings.append(_finding("error", "unreadable_picture", [entry.name], str(error)))
            continue
        seen.append(_Seen(entry, pixel_hash(pixels), thumbnail(pixels)))
        try:
            labels = dataset.read_labels(entry, *pixels.shape[:2])
        except DatasetError as error:
            findings.append(_finding("error", "labels", [entry.name], str(error)))
            continue
        boxes.update(box.class_id for box in labels.boxes or ())
        masks += labels.mask is not None
        findings.extend(_about_labels(entry, labels))
    findings.extend(_unpaired_labels(dataset))
    findings.extend(_parted_groups(dataset))
    findings.extend(_same_pixels(seen))
    findings.extend(_near_duplicates(seen))
    return Report(
        name=dataset.name,
        licence=dataset.licence,
        pictures=dict(sorted(Counter(entry.split for entry in dataset.entries()).items())),
        boxes={entry.name: boxes[entry.id] for entry in dataset.classes if boxes[entry.id]},
        masks=masks,
        findings=tuple(sorted(findings, key=lambda finding: (finding.level, finding.kind, finding.pictures))),
    )


def _finding(level: str, kind: str, pictures: Sequence[str], text: str) -> Finding:
    return Finding.model_validate({"level": level, "kind": kind, "pictures": tuple(pictures), "text": text})


def _about_labels(entry: Entry, labels: Labels) -> Iterator[Finding]:
    for problem in labels.problems:
        yield _finding("warning", "label_dropped", [entry.name], problem)
    if labels.boxes is not None and not labels.boxes:
        yield _finding("warning", "no_cells", [entry.name], f"{entry.name} has a label file without any cell.")


def _unpaired_labels(dataset: Dataset) -> Iterator[Finding]:
    names = {path.stem for path in dataset.picture_paths()}
    for reader in dataset.description.labels:
        for name in sorted(reader.names(dataset.root) - names):
            text = f"{reader.path} has labels for {name}, but there is no such picture."
            yield _finding("warning", "label_without_picture", [name], text)


def _parted_groups(dataset: Dataset) -> Iterator[Finding]:
    members: defaultdict[str, list[str]] = defaultdict(list)
    for entry in dataset.entries():
        members[entry.group].append(entry.name)
    splits = {entry.name: entry.split for entry in dataset.entries()}
    groups = {entry.name: entry.group for entry in dataset.entries()}
    for group, parts in sorted(parted_groups(groups, splits).items()):
        text = f"group {group} lies in the splits {', '.join(sorted(parts))}; keep it in one."
        yield _finding("error", "parted_group", members[group], text)


def _same_pixels(seen: Sequence[_Seen]) -> Iterator[Finding]:
    alike: defaultdict[str, list[Entry]] = defaultdict(list)
    for picture in seen:
        alike[picture.pixel_hash].append(picture.entry)
    for entries in alike.values():
        if len(entries) < 2:
            continue
        splits = sorted({entry.split for entry in entries})
        names = [entry.name for entry in entries]
        where = f"lie in the splits {', '.join(splits)}; keep one of them" if len(splits) > 1 else "are one picture"
        level = "error" if len(splits) > 1 else "warning"
        yield _finding(level, "same_pixels", names, f"{', '.join(names)} have the same pixels and {where}.")


def _near_duplicates(seen: Sequence[_Seen]) -> Iterator[Finding]:
    if not seen:
        return
    splits = np.array([picture.entry.split for picture in seen])
    hashes = np.array([picture.pixel_hash for picture in seen])
    apart = (splits[:, None] != splits[None, :]) & (hashes[:, None] != hashes[None, :])
    for first, second, score in overlapping_views(np.stack([picture.thumbnail for picture in seen]), apart):
        entries = seen[first].entry, seen[second].entry
        text = (
            f"{entries[0].name} ({entries[0].split}) and {entries[1].name} ({entries[1].split}) seem to show the same "
            f"field (correlation {score:.2f}); if they do, list them in groups.together."
        )
        yield _finding("warning", "near_duplicate", [entry.name for entry in entries], text)
