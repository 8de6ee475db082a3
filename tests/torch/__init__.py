"""Comparisons with PyTorch, which `make test` does without; see `make test-torch`."""
