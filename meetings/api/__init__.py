"""The HTTP face of meetings, one file per resource; what each resource looks like is in `shapes`."""
