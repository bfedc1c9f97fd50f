"""The files on this disk: found, verified, fetched from the Space, and evicted when the disk is too full."""
