"""THE VAULT: backups of files and database, and their way back."""
