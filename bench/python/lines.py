"""Directional lines counted by supervision's LineZone, in its usual settings.

"Forward" is the direction of all Outis tools: from the left to the right of the
segment when looking from point 1 to point 2, that is from d < 0 to d > 0 with
d = (x2 - x1)(y - y1) - (y2 - y1)(x - x1) and y pointing down. LineZone calls
that "out"; test_lines.py checks it with a walk in each direction.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass

import supervision as sv

FOUR_CORNERS = (
    sv.Position.TOP_LEFT,
    sv.Position.TOP_RIGHT,
    sv.Position.BOTTOM_LEFT,
    sv.Position.BOTTOM_RIGHT,
)
FOOT = (sv.Position.BOTTOM_CENTER,)


@dataclass(frozen=True)
class CounterSettings:
    """Which points of a box have to cross, and for how many frames in a row."""

    anchors: tuple[sv.Position, ...]
    threshold_frames: int


COUNTERS = {
    "line_zone_default": CounterSettings(FOUR_CORNERS, 1),
    "bottom_centre_1": CounterSettings(FOOT, 1),
    "bottom_centre_3": CounterSettings(FOOT, 3),
}


@dataclass(frozen=True)
class Line:
    name: str
    x1: float
    y1: float
    x2: float
    y2: float

    @classmethod
    def parse(cls, text: str) -> Line:
        """Reads NAME:X1,Y1,X2,Y2."""
        name, _, numbers = text.rpartition(":")
        try:
            x1, y1, x2, y2 = map(float, numbers.split(","))
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not NAME:X1,Y1,X2,Y2") from None
        if not name:
            raise argparse.ArgumentTypeError(f"{text!r} has no name before the colon")
        return cls(name, x1, y1, x2, y2)


class LineCounters:
    """Several lines under one of the settings in COUNTERS."""

    def __init__(self, lines: Iterable[Line], settings: CounterSettings):
        self._zones = [
            (
                line.name,
                sv.LineZone(
                    start=sv.Point(line.x1, line.y1),
                    end=sv.Point(line.x2, line.y2),
                    triggering_anchors=settings.anchors,
                    minimum_crossing_threshold=settings.threshold_frames,
                ),
            )
            for line in lines
        ]

    def trigger(self, tracked: sv.Detections) -> None:
        for _, zone in self._zones:
            zone.trigger(tracked)

    def counts(self) -> list[dict]:
        return [{"name": name, "forward": zone.out_count, "backward": zone.in_count} for name, zone in self._zones]


def count(lines: list[Line], settings: CounterSettings, frames: Iterable[tuple[int, sv.Detections]]) -> list[dict]:
    """The counts of a whole recording of tracks."""
    counters = LineCounters(lines, settings)
    for _, tracked in frames:
        counters.trigger(tracked)
    return counters.counts()
