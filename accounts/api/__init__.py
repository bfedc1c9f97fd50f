"""The HTTP face of accounts, one file per resource."""
