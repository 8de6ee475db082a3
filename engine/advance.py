"""A scenario some iterations later: the same picture and target over and over, as a pure function.

What comes out is a scenario again. Its weights and its optimiser's state are blobs named by their content, so that
the same request gives the same names again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.checkpoint import digest
from engine.compute import load_input, load_params, load_state
from engine.document import finite, refuse
from engine.kernels.work import Workspace
from engine.nudging import no_cell, one_cell
from engine.scenario import Scenario
from engine.train import State, Tensors, iterate

#: a parameter's cell that is watched: its full name, and where
Watched = tuple[str, Sequence[int]]


@dataclass(frozen=True)
class Advanced:
    """``scenario`` is the next iteration, ``blobs`` what it needs: dictionaries of arrays by ``sha256:…``.

    ``losses`` are those of the iterations that were run. ``series`` has per watched cell ``tensor``, ``cell``, ``w``
    (the weight that an iteration began with), ``g`` (its gradient) and each state of the optimiser after it; None
    stands for a number that is not finite.
    """

    scenario: Scenario
    blobs: dict[str, dict[str, np.ndarray]]
    losses: list[float]
    series: list[dict[str, Any]]


class Walk:
    """Iterations of a scenario, a few at a time.

    Raises ScenarioError without a target, RangeError for a watched cell that is none.

    ``go`` may be called from any thread, one call at a time.
    """

    def __init__(
        self, scenario: Scenario, blobs: Mapping[str, Any] | None = None, watch: Sequence[Watched] = ()
    ) -> None:
        goal = scenario.objective
        if goal is None:
            raise refuse("target", "missing_field", None, "a target", "choose a target: without one nothing moves")
        self._x, _ = load_input(scenario, blobs or {})
        self._target = np.array(goal.target, scenario.dtype)
        weights, state = load_params(scenario, blobs or {}), load_state(scenario, blobs or {})
        self._state = State(scenario, weights, state, scenario.iteration)
        self._work = Workspace()
        self._losses: list[float] = []
        self._series: list[dict[str, Any]] = []
        for tensor, cell in watch:
            if tensor not in goal.backprop.params:
                raise no_cell(tensor, cell, list(goal.backprop.params))
            one_cell(goal.backprop.params[tensor], cell, tensor)
            states: dict[str, Any] = {name: [] for name in goal.optimizer.states()}
            self._series.append({"tensor": tensor, "cell": list(cell), "w": [], "g": []} | states)

    def go(self, n: int) -> None:
        """``n`` iterations further; raises Diverged where a number is not finite, naming iteration and tensor."""
        for _ in range(n):
            before, seen = self._state.weights, {}
            self._state, event = iterate(self._state, self._x, self._target, self._work, seen)
            self._losses.append(event.loss)
            for one in self._series:
                name, at = one["tensor"], tuple(one["cell"])
                one["w"].append(finite(float(before[name][at])))
                one["g"].append(finite(float(seen[f"{name}.grad"][at])))
                for key in self._state.objective.optimizer.states():
                    one[key].append(finite(float(seen[f"{name}.{key}"][at])))

    def end(self) -> Advanced:
        """The scenario of the next iteration, and what was seen on the way."""
        state = self._state
        document = state.scenario.to_dict()
        edits = [edit for edit in document["params"]["edits"] if edit["tensor"] == "input"]
        blobs = dict.fromkeys(self._named(state.weights), state.weights)
        document["params"] |= {"weights": next(iter(blobs), None), "values": {}, "edits": edits}
        document["iteration"] = state.iteration
        document["optimizer"]["state"] = None
        for name in self._named(state.optimizer):
            document["optimizer"]["state"] = name
            blobs[name] = state.optimizer or {}
        return Advanced(Scenario.from_dict(document), blobs, list(self._losses), self._series)

    @staticmethod
    def _named(tensors: Tensors | None) -> list[str]:
        """The name of a blob; none for no tensors."""
        return [digest(tensors)] if tensors else []


def advance(
    scenario: Scenario, n: int, blobs: Mapping[str, Any] | None = None, watch: Sequence[Watched] = ()
) -> Advanced:
    """``n`` ≥ 1 iterations of a scenario on its own input and target, with running statistics and optimiser state.

    ``engine.run(found.scenario, found.blobs)`` gives the numbers of the next iteration, bit for bit. Raises
    ScenarioError without a target, RangeError for a watched cell that is none, Diverged.
    """
    if not 1 <= n < math.inf:
        raise refuse("iterations", "bad_value", n, "a whole number ≥ 1", "use at least 1")
    walk = Walk(scenario, blobs, watch)
    walk.go(n)
    return walk.end()
