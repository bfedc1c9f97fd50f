"""Where meetings and what hangs on them are found, below /api/v1."""

from __future__ import annotations

from django.urls import path

from meetings.api import action_items, exports, meetings, minutes, multipart, participants, recordings, transcripts, tus

urlpatterns = [
    path("meetings", meetings.MeetingsView.as_view(), name="meetings"),
    path("meetings/<uuid:meeting_id>", meetings.MeetingView.as_view(), name="meeting"),
    path("meetings/<uuid:meeting_id>/start", meetings.MeetingStartView.as_view(), name="meeting-start"),
    path("meetings/<uuid:meeting_id>/end", meetings.MeetingEndView.as_view(), name="meeting-end"),
    path("meetings/<uuid:meeting_id>/cancel", meetings.MeetingCancelView.as_view(), name="meeting-cancel"),
    path("meetings/<uuid:meeting_id>/restore", meetings.MeetingRestoreView.as_view(), name="meeting-restore"),
    path("meetings/<uuid:meeting_id>/participants", participants.ParticipantsView.as_view(), name="participants"),
    path("meetings/<uuid:meeting_id>/recordings", recordings.RecordingsView.as_view(), name="recordings"),
    path("meetings/<uuid:meeting_id>/transcripts", transcripts.TranscriptsView.as_view(), name="transcripts"),
    path("meetings/<uuid:meeting_id>/minutes", minutes.MinutesListView.as_view(), name="minutes-list"),
    path("meetings/<uuid:meeting_id>/exports", exports.MeetingExportsView.as_view(), name="exports"),
    path("participants/<uuid:participant_id>", participants.ParticipantView.as_view(), name="participant"),
    path("recordings/<uuid:recording_id>", recordings.RecordingView.as_view(), name="recording"),
    path("recordings/<uuid:recording_id>/restore", recordings.RecordingRestoreView.as_view(), name="recording-restore"),
    path("recordings/<uuid:recording_id>/retry", recordings.RecordingRetryView.as_view(), name="recording-retry"),
    path("recordings/<uuid:recording_id>/cancel", recordings.RecordingCancelView.as_view(), name="recording-cancel"),
    path("recordings/<uuid:recording_id>/content", recordings.RecordingContentView.as_view(), name="recording-content"),
    path("transcripts/<uuid:transcript_id>", transcripts.TranscriptView.as_view(), name="transcript"),
    path("transcripts/<uuid:transcript_id>/segments", transcripts.SegmentsView.as_view(), name="segments"),
    path(
        "transcripts/<uuid:transcript_id>/content",
        transcripts.TranscriptContentView.as_view(),
        name="transcript-content",
    ),
    path(
        "transcripts/<uuid:transcript_id>/exports", exports.TranscriptExportsView.as_view(), name="transcript-exports"
    ),
    path("minutes/<uuid:minutes_id>", minutes.MinutesView.as_view(), name="minutes"),
    path("minutes/<uuid:minutes_id>/exports", exports.MinutesExportsView.as_view(), name="minutes-exports"),
    path("action-items", action_items.ActionItemsView.as_view(), name="action-items"),
    path("action-items/<uuid:item_id>", action_items.ActionItemView.as_view(), name="action-item"),
    path("exports/<uuid:export_id>", exports.ExportView.as_view(), name="export"),
    path("exports/<uuid:export_id>/content", exports.ExportContentView.as_view(), name="export-content"),
    path("uploads", tus.UploadsView.as_view(), name="uploads"),
    path("uploads/<uuid:upload_id>", tus.UploadView.as_view(), name="upload"),
    path("s3/params", multipart.SingleUploadView.as_view(), name="single-upload"),
    path("s3/multipart", multipart.MultipartsView.as_view(), name="multiparts"),
    path("s3/multipart/<uuid:upload_id>", multipart.MultipartView.as_view(), name="multipart"),
    path("s3/multipart/<uuid:upload_id>/batch", multipart.MultipartBatchView.as_view(), name="multipart-batch"),
    path(
        "s3/multipart/<uuid:upload_id>/complete", multipart.MultipartCompleteView.as_view(), name="multipart-complete"
    ),
    path("s3/multipart/<uuid:upload_id>/<int:number>", multipart.MultipartPartView.as_view(), name="multipart-part"),
]
