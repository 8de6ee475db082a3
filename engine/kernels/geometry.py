"""Where the windows of a convolution lie."""

from __future__ import annotations

from dataclasses import dataclass

Pair = tuple[int, int]


@dataclass(frozen=True)
class Geometry:
    """Kernel, stride, zeros ((top, bottom), (left, right)), dilation and groups of a convolution."""

    kernel: Pair
    stride: Pair = (1, 1)
    pads: tuple[Pair, Pair] = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    groups: int = 1

    def reach(self, axis: int) -> int:
        """Cells from the first to the last of a window, less one."""
        return self.dilation[axis] * (self.kernel[axis] - 1)

    def out(self, axis: int, size: int) -> int:
        """Output size along an axis."""
        return (size + sum(self.pads[axis]) - self.reach(axis) - 1) // self.stride[axis] + 1

    def span(self, axis: int, k: int, size: int) -> tuple[int, int]:
        """The outputs [first, last) whose cell under kernel position ``k`` lies inside an input of this size."""
        offset = k * self.dilation[axis] - self.pads[axis][0]
        stride, out = self.stride[axis], self.out(axis, size)
        first = min(out, max(0, -(offset // stride)))
        return first, max(first, min(out, (size - 1 - offset) // stride + 1))
