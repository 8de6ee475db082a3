"""Fast numeric kernels behind small interfaces, chosen by shape; the mathematics stands in the layers."""
