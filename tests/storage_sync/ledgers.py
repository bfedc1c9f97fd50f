"""Large ledgers made by the database itself: rows alone, without bytes on any side."""

from __future__ import annotations

from django.db import connection


def fill(*, files: int, node: str) -> None:
    """So many stored recordings with a present copy in the Space and one on a node."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO storage_sync_storedfile (id, created_at, updated_at, category, name, key, other_key, extension,
                content_type, size, md5, composite_md5, state, is_confidential, seal_key_id, has_legal_hold, stored_at)
            SELECT gen_random_uuid(), now(), now(), (ARRAY['recordings', 'minutes', 'exports'])[1 + n %% 3], 'x',
                (ARRAY['recordings', 'minutes', 'exports'])[1 + n %% 3] || '/2026/11/' || gen_random_uuid() || '/'
                || md5(n::text), '', '', 'audio/flac', n, '', '', 'stored', false, '', false, now()
            FROM generate_series(1, %s) n
            """,
            [files],
        )
        cursor.execute(
            """
            INSERT INTO storage_sync_copy (id, created_at, updated_at, side, node, state, verified_at, attempts, error,
                file_id)
            SELECT gen_random_uuid(), now(), now(), side, node, 'present', now() - random() * interval '30 days', 0, '',
                f.id
            FROM storage_sync_storedfile f, (VALUES ('cloud', ''), ('local', %s)) AS places(side, node)
            """,
            [node],
        )
        cursor.execute("ANALYZE storage_sync_storedfile, storage_sync_copy")
