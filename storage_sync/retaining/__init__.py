"""How long files are kept: policies, holds, what is due by them, and removing files for good."""
