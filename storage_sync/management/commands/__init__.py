"""What `manage.py` can do with files."""
