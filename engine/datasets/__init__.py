"""Pictures to train on: generated here, or read from the user's disk. Pillow is imported where it is used."""
