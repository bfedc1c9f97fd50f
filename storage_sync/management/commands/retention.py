"""`manage.py retention`: the policies, what they would do, doing it, and an operator's purge of single files."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from chatvista.foundation.problems import Problem
from storage_sync.models import RetentionPolicy
from storage_sync.retaining import applying, planning, policies, purging, selecting
from storage_sync.retaining.shapes import PlanSerializer, RetentionPolicySerializer
from storage_sync.vocabulary import Category

_NEVER = "never"


class Command(BaseCommand):
    """Prints sentences, or with --json JSON alone; a problem ends it with exit code 1."""

    help = "Set how long files are kept, see what that would do, and do it."

    def add_arguments(self, parser: CommandParser) -> None:
        """One subcommand for each deed."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        whose = CommandParser(add_help=False)
        whose.add_argument("--tenant", type=uuid.UUID, help="organization; without it everybody")
        whose.add_argument("--category", choices=Category.values)
        told = CommandParser(add_help=False)
        told.add_argument("--json", action="store_true", help="print JSON alone")
        deeds.add_parser("list", parents=[whose, told], help="the policies there are")
        setting = deeds.add_parser("set", parents=[told], help="make or change a policy")
        setting.add_argument("category", choices=Category.values)
        setting.add_argument("--tenant", type=uuid.UUID, help="organization; without it the policy for everybody")
        setting.add_argument("--archive-after", type=_days, metavar="DAYS", help="days since stored, or never")
        setting.add_argument("--purge-after", type=_days, metavar="DAYS", help="days since archived, or never")
        removing = deeds.add_parser("remove", parents=[told], help="remove a policy")
        removing.add_argument("policy", type=uuid.UUID)
        preview = deeds.add_parser("preview", parents=[whose, told], help="what would be done; changes nothing")
        preview.add_argument("--days", type=int, default=30, help="days to look ahead (30)")
        run = deeds.add_parser("run", parents=[whose, told], help="archive and begin to purge what is due")
        run.add_argument("--dry-run", action="store_true", help="only say what would be done now")
        run.add_argument("--max", type=int, default=applying.MOST_PURGES, help="begin no more purges than this (1000)")
        run.add_argument("--seconds", type=float, default=3600.0, help="end after this long (3600)")
        purge = deeds.add_parser("purge", parents=[told], help="remove single archived files for good")
        purge.add_argument("file", type=uuid.UUID, nargs="+")
        purge.add_argument("--reason", required=True, help="for the deletion log")
        purge.add_argument("--yes", action="store_true", help="yes, irrevocably")

    def handle(self, *, deed: str, **options: Any) -> None:
        """Do the one that was asked for."""
        deeds: dict[str, Callable[[dict[str, Any]], tuple[Any, str]]] = {
            "list": self._list, "set": self._set, "remove": self._remove, "preview": self._preview, "run": self._run,
            "purge": self._purge,
        }  # fmt: skip
        try:
            data, sentence = deeds[deed](options)
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        self.stdout.write(json.dumps(data, cls=DjangoJSONEncoder, indent=2) if options["json"] else sentence)

    def _list(self, options: dict[str, Any]) -> tuple[Any, str]:
        found = selecting.policies_for(tenant_id=options["tenant"], category=options["category"])
        lines = [_sentence(policy) for policy in found] or ["There are no policies: everything is kept."]
        return _data(RetentionPolicySerializer(found, many=True)), "\n".join(lines)

    def _set(self, options: dict[str, Any]) -> tuple[Any, str]:
        wanted = {"archive_after_days": options["archive_after"], "purge_after_days": options["purge_after"]}
        days = {name: None if value == _NEVER else value for name, value in wanted.items() if value is not None}
        tenant, category = options["tenant"], options["category"]
        there = RetentionPolicy.objects.filter(tenant_id=tenant, category=category).first()
        if there is None:
            policy = policies.set_policy(tenant_id=tenant, category=category, days=days)
        else:
            policy = policies.change_policy(policy_id=there.pk, days=days)
        return _data(RetentionPolicySerializer(policy)), _sentence(policy)

    def _remove(self, options: dict[str, Any]) -> tuple[Any, str]:
        policies.remove_policy(policy_id=options["policy"])
        return {"removed": str(options["policy"])}, f"Removed {options['policy']}."

    def _preview(self, options: dict[str, Any]) -> tuple[Any, str]:
        if not 0 <= options["days"] <= planning.LONGEST_LOOK_DAYS:
            raise CommandError(f"--days takes 0 to {planning.LONGEST_LOOK_DAYS}")
        made = planning.plan(days=options["days"], tenant_id=options["tenant"], category=options["category"])
        return _data(PlanSerializer(made)), _told(made)

    def _run(self, options: dict[str, Any]) -> tuple[Any, str]:
        if options["dry_run"]:
            return self._preview({**options, "days": 0})
        if options["max"] < 0:
            raise CommandError("--max takes 0 or more")
        done = applying.apply(
            tenant_id=options["tenant"],
            category=options["category"],
            most_purges=options["max"],
            seconds=options["seconds"],
        )
        data = {"archived": done["archived"], "purging": done["purging"]}
        return data, f"{done['archived']} files archived; the purge of {done['purging']} files has begun."

    def _purge(self, options: dict[str, Any]) -> tuple[Any, str]:
        files = options["file"]
        if not options["yes"]:
            raise CommandError(f"This removes {len(files)} files for good, and nothing brings them back: add --yes.")
        begun: list[str] = []
        for file_id in files:
            try:
                purging.order(file_id=file_id, reason=options["reason"])
            except Problem as problem:
                gone = f" The purge of {', '.join(begun)} has begun." if begun else ""
                raise CommandError(f"{file_id}: {problem.detail}{gone}") from problem
            begun.append(str(file_id))
        return {"purging": begun}, f"The purge of {len(begun)} files has begun."


def _days(written: str) -> int | str:
    return _NEVER if written == _NEVER else int(written)


def _data(shape: Any) -> Any:
    return shape.data


def _sentence(policy: RetentionPolicy) -> str:
    whose = f"organization {policy.tenant_id}" if policy.tenant_id else "everybody without an own policy"
    archive, purge = policy.archive_after_days, policy.purge_after_days
    archived = "never archived" if archive is None else f"archived after {archive} days"
    purged = "never purged" if purge is None else f"purged {purge} days after that"
    return f"{policy.pk}  {policy.category} of {whose}: {archived}, {purged}"


def _told(made: planning.Plan) -> str:
    lines = [f"As of {made.as_of:%Y-%m-%d %H:%M:%S} UTC"]
    for name, upcoming in (("archived", made.archive), ("purged", made.purge)):
        lines.append(f"To be {name} now: {upcoming.now.files} files, {upcoming.now.bytes} bytes")
        if made.days:
            lines.append(
                f"To be {name} within {made.days} days: {upcoming.later.files} files, {upcoming.later.bytes} bytes"
            )
        lines += [f"  {item.due_at:%Y-%m-%d %H:%M}  {item.file.pk}  {item.file.size}" for item in upcoming.first]
    if made.held.files:
        lines.append(f"Kept by legal hold: {made.held.files} files, {made.held.bytes} bytes")
    return "\n".join(lines)
