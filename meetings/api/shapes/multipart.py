"""What Uppy's S3 client (and Companion) sends and reads: its names are not ours."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class BeginMultipartSerializer(serializers.Serializer[Any]):
    """`metadata` holds meeting (required), participant, transcribe, sha256 and size; other members are ignored."""

    filename = serializers.CharField(max_length=1000, allow_blank=True, default="", trim_whitespace=False)
    type = serializers.CharField(max_length=255, allow_blank=True, allow_null=True, default="")
    metadata = serializers.DictField(child=serializers.JSONField(), default=dict)


class BegunMultipartSerializer(serializers.Serializer[Any]):
    """Both name the upload in whatever follows."""

    key = serializers.CharField()
    uploadId = serializers.UUIDField()  # noqa: N815  the client's name


class SentPartSerializer(serializers.Serializer[Any]):
    """One part the Space has."""

    PartNumber = serializers.IntegerField(source="number")
    Size = serializers.IntegerField(source="size")
    ETag = serializers.CharField(source="etag")


class SignedPartSerializer(serializers.Serializer[Any]):
    """Where to PUT one part, and for how many seconds."""

    method = serializers.ChoiceField(choices=["PUT"])
    url = serializers.CharField()
    expires = serializers.IntegerField()


class SignedPartsSerializer(serializers.Serializer[Any]):
    """The same for several, by number."""

    presignedUrls = serializers.DictField(child=serializers.CharField())  # noqa: N815  the client's name
    expires = serializers.IntegerField()


class ClaimedPartSerializer(serializers.Serializer[Any]):
    """One part the client has sent."""

    PartNumber = serializers.IntegerField(min_value=1, max_value=10_000)
    ETag = serializers.CharField(max_length=100)


class CompleteMultipartSerializer(serializers.Serializer[Any]):
    """All parts, in any order."""

    parts = serializers.ListField(child=ClaimedPartSerializer(), max_length=10_000)


class CompletedMultipartSerializer(serializers.Serializer[Any]):
    """What came of it. `verified` is false while a job still reads it."""

    location = serializers.CharField()
    key = serializers.CharField()
    recording = serializers.UUIDField()
    verified = serializers.BooleanField()
