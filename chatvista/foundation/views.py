"""GET /jobs/{id}, and stopping or repeating one. Who may see a job is asked of the app whose work it is."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Literal

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chatvista.foundation import working
from chatvista.foundation.models import Job
from chatvista.foundation.problems import Problem
from chatvista.foundation.serializers import JobSerializer

Access = Literal["none", "read", "write"]
Resolver = Callable[[Any, Job], Access]
_resolvers: dict[str, Resolver] = {}


def register_access(*, kind: str, resolver: Resolver) -> None:
    """Say who may see and who may steer jobs of a kind; called once per kind, by the app whose work it is."""
    _resolvers[kind] = resolver


def _job_for(request: Request, job_id: uuid.UUID, *, wanted: Access) -> Job:
    job = Job.objects.filter(pk=job_id).first()
    resolver = _resolvers.get(job.kind) if job else None
    access = resolver(request.user, job) if job and resolver else "none"
    if job is None or access == "none":
        raise Http404
    if wanted == "write" and access != "write":
        raise Problem("permission_denied", "You may follow this job, but not steer it.", status=403)
    return job


class JobView(APIView):
    """One job."""

    @extend_schema(responses=JobSerializer, operation_id="job_read")
    def get(self, request: Request, job_id: uuid.UUID) -> Response:
        """State, step and progress of a job; poll it until its state is completed, failed or cancelled."""
        return Response(JobSerializer(_job_for(request, job_id, wanted="read")).data)


class JobCancelView(APIView):
    """Stopping a job."""

    @extend_schema(request=None, responses=JobSerializer, operation_id="job_cancel")
    def post(self, request: Request, job_id: uuid.UUID) -> Response:
        """Cancel a job in whatever state it is; one that has ended stays as it ended."""
        job = _job_for(request, job_id, wanted="write")
        return Response(JobSerializer(working.cancel_job(job_id=job.pk)).data)


class JobRetryView(APIView):
    """Repeating a job."""

    @extend_schema(request=None, responses=JobSerializer, operation_id="job_retry")
    def post(self, request: Request, job_id: uuid.UUID) -> Response:
        """Queue a failed or cancelled job again with the same options; any other is left as it is."""
        job = _job_for(request, job_id, wanted="write")
        return Response(JobSerializer(working.retry_job(job_id=job.pk)).data)
