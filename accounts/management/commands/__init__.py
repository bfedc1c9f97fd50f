"""What `manage.py` can do with people."""
