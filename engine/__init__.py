"""Convoscope's engine: a NumPy CNN of which every scalar step can be looked at.

>>> import engine
>>> scenario = engine.Scenario.from_dict({
...     "input": {"values": [[[[1, 2], [3, 4]]]]},
...     "network": [{"name": "pool1", "kind": "maxpool2d", "kernel_size": 2}],
... })
>>> trace = engine.run(scenario)
>>> trace[0].result
4.0
"""

from engine.compute import run
from engine.errors import BlobError, Diverged, EngineError, FormatError, RangeError, ScenarioError
from engine.scenario import Limits, Scenario
from engine.steps import Block, Step, Window
from engine.trace import Trace

__all__ = [
    "BlobError",
    "Block",
    "Diverged",
    "EngineError",
    "FormatError",
    "Limits",
    "RangeError",
    "Scenario",
    "ScenarioError",
    "Step",
    "Trace",
    "Window",
    "run",
]
