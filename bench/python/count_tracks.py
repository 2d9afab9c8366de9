"""What the Python packages make of given detections: trackers x line counters.

    python count_tracks.py --detections vtest.txt --fps 10 --every 2 \\
        --line A:100,400,500,300 --tracker bytetrack --tracker sort

The file holds MOT rows (frame,-1,x,y,w,h,score,class,...), frames from 1. The
tracker `given` takes the ids of the file as they are: what would LineZone count
on the very tracks of another program? Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import supervision as sv
import trackers

import mot
from detectors import COCO_CLASSES
from lines import COUNTERS, Line, count

Frames = list[tuple[int, sv.Detections]]
Track = Callable[[sv.Detections], sv.Detections]

# Each with its own defaults, told only the rate at which it will be called.
# Camera motion is switched off: the cameras stand still, and there is no picture.
TRACKERS: dict[str, Callable[[float], Track]] = {
    "bytetrack": lambda fps: trackers.ByteTrackTracker(frame_rate=fps).update,
    "sort": lambda fps: trackers.SORTTracker(frame_rate=fps).update,
    "ocsort": lambda fps: trackers.OCSORTTracker(frame_rate=fps).update,
    "cbiou": lambda fps: trackers.CBIoUTracker(frame_rate=fps).update,
    "botsort": lambda fps: trackers.BoTSORTTracker(frame_rate=fps, enable_cmc=False).update,
    "given": lambda fps: lambda detections: detections,
}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detections", type=Path, required=True, metavar="FILE")
    parser.add_argument("--fps", type=float, required=True, help="rate of the file's frame numbers")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="keep frames 1, 1+N, 1+2N ... (default 1)")
    parser.add_argument("--frames", type=int, metavar="N", help="last frame (default: the last one in the file)")
    parser.add_argument("--classes", default=",".join(COCO_CLASSES), help="default: all six; class -1 always counts")
    parser.add_argument("--score-min", type=float, default=0.1, help="default 0.1, ByteTrack's lower bound")
    parser.add_argument(
        "--tracker", choices=TRACKERS, action="append", help="may be repeated (default: all but `given`)"
    )
    parser.add_argument(
        "--line", "--lines", type=Line.parse, nargs="+", action="extend", default=[], metavar="NAME:X1,Y1,X2,Y2"
    )
    parser.add_argument("--tracks-out", type=Path, metavar="FOLDER", help="write FOLDER/<tracker>.txt as MOT text")
    return parser.parse_args()


def frames_of(arguments: argparse.Namespace) -> Frames:
    """Every frame that the tracker has to see, also those in which nothing was found."""
    rows = mot.read(arguments.detections)
    classes = [-1, *(COCO_CLASSES[name] for name in arguments.classes.split(","))]
    last = arguments.frames or max(rows, default=0)
    frames = []
    for frame in range(1, last + 1, arguments.every):
        found = rows.get(frame, sv.Detections.empty())
        if len(found):
            found = found[(found.confidence >= arguments.score_min) & np.isin(found.class_id, classes)]
        frames.append((frame, found))
    return frames


def track(name: str, fps: float, frames: Frames) -> tuple[Frames, float]:
    """The confirmed tracks of each frame, and the CPU seconds it took."""
    update = TRACKERS[name](fps)
    tracked_frames = []
    start = time.process_time()
    for frame, found in frames:
        tracked = update(found)
        if len(tracked):
            tracked = tracked[tracked.tracker_id >= 0]
        tracked_frames.append((frame, tracked))
    return tracked_frames, time.process_time() - start


def result_of(name: str, arguments: argparse.Namespace, frames: Frames) -> dict:
    tracked_frames, cpu_s = track(name, arguments.fps / arguments.every, frames)
    if arguments.tracks_out:
        arguments.tracks_out.mkdir(parents=True, exist_ok=True)
        with (arguments.tracks_out / f"{name}.txt").open("w") as file:
            mot.write_tracks(file, tracked_frames)
    ids = {int(track) for _, tracked in tracked_frames if len(tracked) for track in tracked.tracker_id}
    return {
        "tracks": len(ids),
        "tracker_ms_per_frame": round(1000 * cpu_s / max(1, len(frames)), 3),
        "counters": {
            counter: {"lines": count(arguments.line, settings, tracked_frames)}
            for counter, settings in COUNTERS.items()
        },
    }


def main() -> None:
    arguments = parse_arguments()
    frames = frames_of(arguments)
    names = arguments.tracker or [name for name in TRACKERS if name != "given"]
    json.dump({"trackers": {name: result_of(name, arguments, frames) for name in names}}, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
