"""Bringing the ledger and the sides into agreement: survey, guards, then one suspicion after the other.

An inspection that a guard stops has changed nothing, and says why.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass, field

import structlog

from chatvista.foundation.problems import WorkError
from storage_sync.inspecting import canary, guards, mending, recording, strangers
from storage_sync.inspecting.guards import GuardError
from storage_sync.inspecting.places import Place, reachable
from storage_sync.inspecting.surveying import Progress, Survey, survey, unheard
from storage_sync.inspecting.verdicts import Suspicion, Verdict
from storage_sync.models import Inspection, InspectionKind
from storage_sync.vocabulary import SideName

logger = structlog.get_logger(__name__)

# The first of each, so that an operator sees which; all of them are in the log and the audit.
EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be reconciled, and how."""

    sides: Collection[SideName] | None = None
    categories: Collection[str] | None = None
    is_dry_run: bool = False
    forced: Collection[str] = field(default_factory=tuple)


@dataclass(slots=True)
class Outcome:
    """The inspection as it was written down, and the first keys of each difference for whoever asked."""

    inspection: Inspection
    examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def differences(self) -> int:
        """How often ledger and sides contradicted each other."""
        return recording.differences_in(self.inspection.verdicts)


def reconcile(
    order: Order | None = None, *, inspection_id: uuid.UUID | None = None, progress: Progress = unheard
) -> Outcome:
    """Compare, and mend unless it is a dry run. Never raises for what is wrong with a side: the inspection says it."""
    order = order or Order()
    inspection = recording.begin(
        kind=InspectionKind.RECONCILIATION,
        is_dry_run=order.is_dry_run,
        is_partial=order.categories is not None,
        inspection_id=inspection_id,
    )
    outcome = Outcome(inspection)
    try:
        _reconcile(order, outcome, progress)
    except GuardError as error:
        logger.error("reconciliation_aborted", guard=error.name, reason=str(error))  # noqa: TRY400  it says it all
        recording.finish(inspection, aborted=str(error))
    except (WorkError, OSError) as error:
        logger.error("reconciliation_aborted", guard="listing", reason=str(error))  # noqa: TRY400  it says it all
        recording.finish(inspection, aborted=f"listing: {error}")
    except BaseException as error:
        recording.finish(inspection, aborted=f"interrupted: {type(error).__name__}")
        raise
    else:
        recording.finish(inspection)
        logger.info("reconciled", differences=outcome.differences, verdicts=inspection.verdicts)
    return outcome


def _reconcile(order: Order, outcome: Outcome, progress: Progress) -> None:
    inspection = outcome.inspection
    with ExitStack() as open_surveys:
        surveys, unmarked = [], []
        for place in reachable(order.sides):
            if not _sings(place, order):
                unmarked.append(place)
            found = survey(place=place, categories=order.categories, progress=progress)
            open_surveys.callback(found.close)
            surveys.append(found)
            inspection.files += found.keys
            guards.check(place=str(place), tallies=found.tallies.values(), harm=found.harm, forced=order.forced)
        # Every list has been read and believed: from here on something may be changed.
        if not order.is_dry_run:
            for place in unmarked:
                canary.plant(place)
        for found in surveys:
            counts = found.verdicts + _act(found, order, outcome)
            inspection.verdicts[found.place.name.value] = recording.written(counts)


def _sings(place: Place, order: Order) -> bool:
    try:
        return canary.is_singing(place)
    except GuardError:
        if guards.CANARY not in order.forced:
            raise
        return False


def _act(found: Survey, order: Order, outcome: Outcome) -> Counter[str]:
    counts: Counter[str] = Counter()
    for suspect in found.suspects():
        try:
            if suspect.file_id is None or suspect.suspicion == Suspicion.UNKNOWN:
                verdict = strangers.meet(
                    place=found.place, key=suspect.key, size=suspect.size, is_dry_run=order.is_dry_run
                )
            else:
                verdict = mending.settle(place=found.place, file_id=suspect.file_id, is_dry_run=order.is_dry_run)
        except (WorkError, OSError) as error:
            # One that cannot be settled now keeps nobody waiting; the next run finds it again.
            logger.warning("suspicion_not_settled", key=suspect.key, error=str(error))
            verdict = Verdict.FAILED
        counts[verdict] += 1
        if verdict.is_difference or verdict == Verdict.UNKNOWN:
            examples = outcome.examples.setdefault(str(verdict), [])
            if len(examples) < EXAMPLES:
                examples.append(suspect.key)
    if not order.is_dry_run:
        if order.categories is None:
            strangers.forget_vanished(place=found.place, since=outcome.inspection.updated_at)
        recording.wake_engine_after(counts)
    return counts
