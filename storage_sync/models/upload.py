"""An upload that takes more than one request: through us in chunks (tus), or past us in parts (the Space's own)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from chatvista.foundation.records import Record
from storage_sync.models.stored_file import StoredFile
from storage_sync.vocabulary import Category


class UploadKind(models.TextChoices):
    """How the bytes come."""

    CHUNKS = "chunks"
    DIRECT = "direct"


class UploadState(models.TextChoices):
    """`finishing` is held by a lease; whoever finds it expired finishes it instead."""

    OPEN = "open"
    FINISHING = "finishing"
    FINISHED = "finished"
    TERMINATED = "terminated"
    FAILED = "failed"


class Upload(Record):
    """Everything any instance needs to take the next chunk: no state of an upload is on one machine alone.

    `parts` lists what the Space has acknowledged: `{"number", "size", "etag", "md5"}`. Part n begins at n - 1 times 16
    MiB whatever the chunks were: one that is sent again has the same bytes under the same number. Bytes too few for a
    part wait in an object of their own at `tail_key` (`tail_size` of them). Without a Space the bytes are in a file of
    temp/.
    `purpose` names who finishes it (see `uploading.purposes`), `params` is what that needs to know.
    """

    kind = models.CharField(max_length=6, choices=UploadKind)
    state = models.CharField(max_length=10, choices=UploadState, default=UploadState.OPEN)
    purpose = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    category = models.CharField(max_length=20, choices=Category)
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    tenant_id = models.UUIDField(null=True, blank=True)
    owner_id = models.UUIDField(help_text="Who began it, and alone may go on with it.")
    size = models.PositiveBigIntegerField(help_text="Bytes announced; 0 until a direct upload is completed.")
    offset = models.PositiveBigIntegerField(default=0)
    declared_sha256 = models.CharField(max_length=64, blank=True)
    key = models.CharField(max_length=255, unique=True)
    multipart_id = models.CharField(max_length=1024, blank=True)
    parts = models.JSONField(default=list)
    tail_key = models.CharField(max_length=255, blank=True)
    tail_size = models.PositiveIntegerField(default=0)
    is_confidential = models.BooleanField(default=False)
    sealed_key = models.BinaryField(null=True, blank=True)
    seal_key_id = models.CharField(max_length=16, blank=True)
    expires_at = models.DateTimeField()
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    file = models.ForeignKey(StoredFile, on_delete=models.SET_NULL, null=True, blank=True, related_name="uploads")
    problem = models.JSONField(default=dict, blank=True, help_text="Why it failed: code and detail.")

    class Meta:
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state__in=["open", "finishing"]), name="open_uploads"),
            models.Index(
                fields=["tenant_id"], condition=Q(state__in=["open", "finishing"]), name="uploads_of_a_tenant"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="direct") | Q(offset__lte=models.F("size")),
                name="an_upload_takes_no_more_than_announced",
            ),
            models.CheckConstraint(
                condition=~Q(state="finished") | Q(file__isnull=False), name="a_finished_upload_has_a_file"
            ),
            models.CheckConstraint(
                condition=~Q(state="finishing") | Q(lease_token__isnull=False, lease_until__isnull=False),
                name="an_upload_being_finished_has_a_lease",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.offset} of {self.size} bytes"

    @property
    def is_expired(self) -> bool:
        """Whether its time has passed while it was still open."""
        return self.state == UploadState.OPEN and self.expires_at <= timezone.now()
