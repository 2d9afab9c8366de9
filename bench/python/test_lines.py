"""Which way LineZone's "in" and "out" go in our words.

"$(bench/python/setup)" -m unittest discover bench/python
"""

import unittest

import numpy as np
import supervision as sv

from lines import COUNTERS, Line, count


def walk(start: tuple[float, float], end: tuple[float, float], frames: int = 20):
    """One person, 40 x 100 px, whose foot goes straight from start to end."""
    for frame, (x, y) in enumerate(np.linspace(start, end, frames), start=1):
        box = np.array([[x - 20, y - 100, x + 20, y]])
        yield (
            frame,
            sv.Detections(xyxy=box, confidence=np.array([0.9]), class_id=np.array([0]), tracker_id=np.array([7])),
        )


# Line, start and end of the walk, forward and backward counts.
CASES = {
    "level line, walking down the picture": (Line("A", 0, 300, 600, 300), (300, 150), (300, 550), (1, 0)),
    "level line, walking up the picture": (Line("A", 0, 300, 600, 300), (300, 550), (300, 150), (0, 1)),
    "level line drawn the other way, walking down": (Line("A", 600, 300, 0, 300), (300, 150), (300, 550), (0, 1)),
    "upright line drawn downwards, walking right": (Line("A", 300, 0, 300, 600), (150, 350), (450, 350), (0, 1)),
    "upright line drawn downwards, walking left": (Line("A", 300, 0, 300, 600), (450, 350), (150, 350), (1, 0)),
    "walking past the end of the line": (Line("A", 0, 300, 200, 300), (400, 150), (400, 550), (0, 0)),
}


def side(line: Line, point: tuple[float, float]) -> float:
    x, y = point
    return (line.x2 - line.x1) * (y - line.y1) - (line.y2 - line.y1) * (x - line.x1)


class ForwardIsFromNegativeToPositive(unittest.TestCase):
    def test_every_counter(self):
        for name, (line, start, end, (forward, backward)) in CASES.items():
            for counter, settings in COUNTERS.items():
                with self.subTest(name, counter=counter):
                    found = count([line], settings, walk(start, end))
                    self.assertEqual(found, [{"name": "A", "forward": forward, "backward": backward}])

    def test_the_cases_follow_the_definition(self):
        for name, (line, start, end, counts) in CASES.items():
            with self.subTest(name):
                forward, backward = side(line, start) < 0 < side(line, end), side(line, end) < 0 < side(line, start)
                self.assertTrue(counts == (0, 0) or counts == (forward, backward))


if __name__ == "__main__":
    unittest.main()
