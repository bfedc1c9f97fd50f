"""One immutable version of some bytes. Who owns it points down at it; it knows no user, only an opaque tenant."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from chatvista.foundation.records import Record
from storage_sync.querysets import StoredFileQuerySet
from storage_sync.vocabulary import Category, CopyState, FileState, SideName


class StoredFile(Record):
    """A file: what it is, how it is recognised, and where in its life it stands.

    `key` names the bytes on every side, `other_key` a second key that also holds them (or may) while they move to the
    archive or back; it is settled when `other_key_until` has passed. `md5` and `composite_md5` are the ETags an object
    store may report (put whole, or put in parts of 16 MiB); the sha256 is what is trusted, and None until the bytes of
    an upload that went past us have been read once.

    `size` and `sha256` are those of what people uploaded. A confidential file lies sealed on every side: what lies
    there has `sealed_size` and `sealed_sha256`, its MD5s are those of the sealed bytes, and `sealed_key` is the key of
    this one file, wrapped by the master key that `seal_key_id` names.
    """

    category = models.CharField(max_length=20, choices=Category)
    name = models.CharField(max_length=255, help_text="The name people gave it; only ever shown, never a path.")
    key = models.CharField(max_length=255, unique=True)
    other_key = models.CharField(max_length=255, blank=True)
    other_key_until = models.DateTimeField(null=True, blank=True)
    extension = models.CharField(max_length=10, blank=True)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001  unknown is not the same as empty
    md5 = models.CharField(max_length=32, blank=True)
    composite_md5 = models.CharField(max_length=40, blank=True)
    tenant_id = models.UUIDField(null=True, blank=True)
    state = models.CharField(max_length=11, choices=FileState, default=FileState.RESERVED)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    is_confidential = models.BooleanField(default=False)
    sealed_key = models.BinaryField(null=True, blank=True)
    seal_key_id = models.CharField(max_length=16, blank=True)
    sealed_size = models.PositiveBigIntegerField(null=True, blank=True)
    sealed_sha256 = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001  unknown is not empty
    has_legal_hold = models.BooleanField(default=False)
    stored_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    restored_at = models.DateTimeField(null=True, blank=True)
    purged_at = models.DateTimeField(null=True, blank=True)

    objects = StoredFileQuerySet.as_manager()

    class Meta:
        verbose_name = "file"
        indexes = [
            models.Index(fields=["lease_until"], condition=Q(state="reserved"), name="open_reservations"),
            models.Index(fields=["other_key_until"], condition=~Q(other_key=""), name="files_on_their_way"),
            models.Index(fields=["tenant_id", "state"], include=["size"], name="bytes_of_a_tenant"),
            models.Index(fields=["category", "stored_at"], condition=Q(state="stored"), name="files_by_age"),
            models.Index(
                fields=["category", "archived_at"], condition=Q(state="archived"), name="archived_files_by_age"
            ),
            models.Index(fields=["id"], condition=Q(state="purging"), name="files_being_purged"),
            models.Index(fields=["seal_key_id"], condition=~Q(seal_key_id=""), name="sealed_files_by_master_key"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(sha256__isnull=True) | Q(sha256__regex=r"^[0-9a-f]{64}$"), name="a_sha256_is_64_hex_digits"
            ),
            models.CheckConstraint(
                condition=~Q(state="reserved") | Q(lease_token__isnull=False, lease_until__isnull=False),
                name="a_reservation_has_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["reserved", "abandoned"]) | Q(stored_at__isnull=False),
                name="a_file_says_since_when_it_is_stored",
            ),
            models.CheckConstraint(
                condition=~Q(state="archived") | Q(archived_at__isnull=False),
                name="an_archived_file_says_since_when",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["purging", "purged"], has_legal_hold=True),
                name="a_legal_hold_forbids_purging",
            ),
            models.CheckConstraint(
                condition=Q(other_key="", other_key_until__isnull=True)
                | (~Q(other_key="") & Q(other_key_until__isnull=False)),
                name="a_second_key_has_a_term",
            ),
            models.CheckConstraint(condition=~Q(other_key=models.F("key")), name="a_second_key_is_another_key"),
            models.CheckConstraint(
                condition=Q(
                    sealed_key__isnull=True, seal_key_id="", sealed_size__isnull=True, sealed_sha256__isnull=True
                )
                | (Q(sealed_key__isnull=False, sealed_size__isnull=False) & ~Q(seal_key_id="")),
                name="a_sealed_file_is_sealed_entirely",
            ),
            models.CheckConstraint(
                condition=Q(is_confidential=False)
                | Q(sealed_key__isnull=False)
                | Q(state__in=["reserved", "abandoned", "quarantined", "purged"]),
                name="a_confidential_file_is_sealed",
            ),
            models.CheckConstraint(
                condition=~Q(state="purged") | Q(purged_at__isnull=False), name="a_purged_file_says_since_when"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category}: {self.name}"

    @property
    def durability(self) -> str:
        """Where verified copies lie: `both`, `cloud`, `local`, or `none` when there is none to vouch for."""
        sides = {copy.side for copy in self.copies.all() if copy.state == CopyState.PRESENT}
        if {SideName.LOCAL, SideName.CLOUD} <= sides:
            return "both"
        return next((str(side) for side in (SideName.CLOUD, SideName.LOCAL) if side in sides), "none")

    @property
    def is_verified(self) -> bool:
        """Whether all its bytes were read since it came; False while a job still does so."""
        return self.sha256 is not None and self.state != FileState.QUARANTINED

    @property
    def held_size(self) -> int:
        """Bytes that lie on each side; more than `size` where they are sealed."""
        return self.size if self.sealed_size is None else self.sealed_size

    @property
    def held_sha256(self) -> str | None:
        """The sha256 of what lies on each side; None while nobody has read it."""
        return self.sha256 if self.sealed_size is None else self.sealed_sha256

    @property
    def etags(self) -> frozenset[str]:
        """The ETags under which an object store may know these bytes; empty when we never computed them."""
        return frozenset(tag for tag in (self.md5, self.composite_md5) if tag)
