"""Bytes on their way out: read where they are best read, verified, in whole or in part, by us or by a link."""
