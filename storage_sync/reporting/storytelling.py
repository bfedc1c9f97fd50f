"""What the storeroom's commands say to a person, in lines; pure text of what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.template.defaultfilters import filesizeformat

MINUTE, HOUR, DAY = 60, 3_600, 86_400


def of_reconciliation(told: Mapping[str, Any]) -> str:
    """Verdicts by side, the first keys of each difference, and the sum of it."""
    lines = _of_verdicts(told["verdicts"])
    for verdict, keys in told["examples"].items():
        lines += [f"{verdict}:", *(f"  {key}" for key in keys)]
    if told["aborted"]:
        return "\n".join([*lines, f"Stopped, and nothing was changed. {told['aborted']}"])
    would = " (dry run: nothing was changed)" if told["dry_run"] else ""
    lines.append(f"{told['files']} keys compared, {told['differences']} differences{would}.")
    if told["lost"]:
        lines.append(f"{told['lost']} files are lost: no side has right bytes of them.")
    return "\n".join(lines)


def of_scrub(told: Mapping[str, Any]) -> str:
    """Verdicts by side and how much was read."""
    read = filesizeformat(told["bytes_read"]).replace("\xa0", " ")
    sentence = f"{told['files']} copies, {read} read; {told['differences']} differences."
    return "\n".join([*_of_verdicts(told["verdicts"]), sentence])


def of_sweep(told: Mapping[str, Mapping[str, int]]) -> str:
    """What was settled or removed, place by place."""
    parts = [
        f"{place}: " + (", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing to do")
        for place, counts in told.items()
    ]
    return "\n".join(parts)


def of_rewrapping(told: Mapping[str, Any]) -> str:
    """What became of the keys of sealed files."""
    sentences = [f"{told['rewrapped']} keys wrapped again, {told['left']} left."]
    if told["unknown_keys"]:
        listed = ", ".join(told["unknown_keys"])
        sentences.append(f"Not given to this process: {listed}; see ENCRYPTION_KEY_PREVIOUS.")
    elif not told["left"]:
        sentences.append("No file or upload needs ENCRYPTION_KEY_PREVIOUS any more.")
    return "\n".join(sentences)


def of_status(told: Mapping[str, Any]) -> str:
    """The status on one screen."""
    lines = [f"local {told['local']}, cloud {told['cloud']}"]
    lines.append("files: " + (", ".join(f"{count} {state}" for state, count in told["files"].items()) or "none"))
    for side in told["sides"]:
        lines.append(_of_side(side))
        lines += [f"  {_of_counts(line['category'], line)}" for line in side["categories"]]
    lines.append(f"uploads: {told['uploads']['open']} open")
    unknown = told["unknown_objects"]
    lines.append(f"unknown objects: {unknown['waiting']} waiting, {unknown['quarantined']} put aside")
    for inspection in told["inspections"]:
        lines.append(_of_inspection(inspection))
    lines += [f"{row['copies']} copies not made: {row['error']}" for row in told["errors"]]
    return "\n".join([*lines, of_nodes(told["nodes"])])


def of_nodes(nodes: Sequence[Mapping[str, Any]]) -> str:
    """One line for each machine."""
    if not nodes:
        return "No node has given a sign of life."
    return "\n".join(
        f"node {node['node']}: {'alive' if node['alive'] else 'dead'}, last heard of "
        f"{age(node['heartbeat_seconds'])} ago, {'durable' if node['durable'] else 'a cache'}, "
        f"{_size(node['free_bytes'])} of {_size(node['total_bytes'])} free"
        for node in nodes
    )


def age(seconds: float | None) -> str:
    """How long, roughly."""
    if seconds is None:
        return "nothing"
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"


def _of_side(side: Mapping[str, Any]) -> str:
    pending, unverified = age(side["oldest_pending_seconds"]), age(side["oldest_unverified_seconds"])
    return f"{_of_counts(side['side'], side)}; oldest pending {pending}, oldest unverified {unverified}"


def _of_counts(name: str, counts: Mapping[str, Any]) -> str:
    others = [f"{counts[state]} {state}" for state in ("pending", "missing", "corrupt") if counts[state]]
    waiting = [f"{counts['to_be_made']} to be made"] if counts["to_be_made"] else []
    return ", ".join([f"{name}: {counts['files']} files, {_size(counts['bytes'])}", *others, *waiting])


def _of_inspection(inspection: Mapping[str, Any]) -> str:
    when = f"{inspection['began_at']:%Y-%m-%d %H:%M}"
    outcome = f"stopped: {inspection['aborted']}" if inspection["aborted"] else f"{inspection['files']} looked at"
    if inspection["finished_at"] is None:
        outcome = "not finished"
    return f"{inspection['kind']} of {when} on {inspection['node']}: {outcome}"


def _of_verdicts(verdicts: Mapping[str, Mapping[str, int]]) -> list[str]:
    return [
        f"{side}: " + (", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing there")
        for side, counts in verdicts.items()
    ]


def _size(number: int) -> str:
    return filesizeformat(number).replace("\xa0", " ")
