"""Documents people send: minutes and transcripts as PDF, DOCX, web page, Markdown, text, captions and JSON.

Pure functions from the plain values in `contracts` to bytes; no database, no settings, no network.
"""
