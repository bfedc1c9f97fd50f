"""Sound as numbers: what a media file holds, its samples, where to cut it, a small copy of a part."""
