"""Readers and writers of files; each imports its library only when it is used."""
