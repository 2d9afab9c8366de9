"""What a Python user would run instead of Outis, measured.

OpenCV decodes, ONNX Runtime detects, ByteTrack of the package `trackers` links,
LineZone of `supervision` counts: the same network and the same library release
as Outis, on the same number of threads.

    python baseline.py --video vtest.avi --model nanodet-g.onnx --decoding nanodet \\
        --every 2 --line A:100,400,500,300

Prints a summary, or with --json one object; CPU times are those of the whole
process, per frame of the video whether the detector ran on it or not. Start-up
is in `process_cpu_s` alone.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import supervision as sv
import trackers

import mot
from detectors import COCO_CLASSES, DECODINGS
from lines import COUNTERS, Line, LineCounters, count


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="ONNX file")
    parser.add_argument("--decoding", choices=DECODINGS, required=True, help="how its outputs are read")
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="detect on frames 1, 1+N, 1+2N ... (default 1)"
    )
    parser.add_argument("--frames", type=int, metavar="N", help="stop after N frames of the video")
    parser.add_argument("--threads", type=int, default=1, help="for decoding and for the network (default 1)")
    parser.add_argument("--fps", type=float, help="frame rate of the video, when its header is wrong")
    parser.add_argument("--classes", default=",".join(COCO_CLASSES), help="what to count (default: all six)")
    parser.add_argument("--score-min", type=float, default=0.1, help="default 0.1, ByteTrack's lower bound")
    parser.add_argument(
        "--line", "--lines", type=Line.parse, nargs="+", action="extend", default=[], metavar="NAME:X1,Y1,X2,Y2"
    )
    parser.add_argument("--detections-out", type=Path, metavar="FILE", help="write detections as MOT text")
    parser.add_argument("--tracks-out", type=Path, metavar="FILE", help="write tracks as MOT text")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


class StageClock:
    """CPU time of the process, split by stage of the pipeline."""

    STAGES = ("decode", "prepare", "infer", "boxes", "track", "count")

    def __init__(self) -> None:
        self.cpu_s = dict.fromkeys(self.STAGES, 0.0)
        self._wall_start = time.perf_counter()
        self._last = time.process_time()
        self.wall_s = 0.0
        self.process_cpu_s = 0.0

    def ends(self, stage: str) -> None:
        """Books everything since the last call on `stage`."""
        now = time.process_time()
        self.cpu_s[stage] += now - self._last
        self._last = now
        self.wall_s = time.perf_counter() - self._wall_start
        # Since the interpreter started: with the packages and the model.
        self.process_cpu_s = now

    def skip(self) -> None:
        """Leaves out what happened since the last call: it is not the pipeline's work."""
        self._last = time.process_time()


class Video:
    """The frames of a file that the detector is to see."""

    def __init__(self, path: Path, threads: int):
        self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, threads])
        if not self._capture.isOpened():
            raise SystemExit(f"baseline.py: {path} cannot be opened as a video")
        self.fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.frames_read = 0

    def every(self, step: int, last: int | None) -> Iterator[tuple[int, np.ndarray]]:
        """Frame number and picture of frames 1, 1+step ... ; the others are decoded, not converted."""
        while last is None or self.frames_read < last:
            if not self._capture.grab():
                return
            self.frames_read += 1
            if (self.frames_read - 1) % step == 0:
                yield self.frames_read, self._capture.retrieve()[1]


def run(arguments: argparse.Namespace) -> dict:
    cv2.setNumThreads(arguments.threads)
    detector = DECODINGS[arguments.decoding](arguments.model, arguments.threads, arguments.classes.split(","))
    video = Video(arguments.video, arguments.threads)
    fps = arguments.fps or video.fps
    tracker = trackers.ByteTrackTracker(frame_rate=fps / arguments.every)
    counters = LineCounters(arguments.line, COUNTERS["line_zone_default"])
    detections_out = arguments.detections_out.open("w") if arguments.detections_out else None

    history = []
    clock = StageClock()
    for frame, picture in video.every(arguments.every, arguments.frames):
        clock.ends("decode")
        planes, scale = detector.prepare(picture)
        clock.ends("prepare")
        outputs = detector.infer(planes)
        clock.ends("infer")
        detections = detector.detections(outputs, scale, picture, arguments.score_min)
        clock.ends("boxes")
        tracked = tracker.update(detections)
        tracked = tracked[tracked.tracker_id >= 0]
        clock.ends("track")
        counters.trigger(tracked)
        clock.ends("count")
        history.append((frame, tracked))
        if detections_out:
            mot.write_detections(detections_out, frame, detections)
        clock.skip()
    clock.ends("decode")

    if detections_out:
        detections_out.close()
    if arguments.tracks_out:
        with arguments.tracks_out.open("w") as file:
            mot.write_tracks(file, history)
    counts = {name: count(arguments.line, settings, history) for name, settings in COUNTERS.items()}
    # The pipeline above counted as it went, which has to give the same.
    assert counts["line_zone_default"] == counters.counts()
    return summary(arguments, fps, video.frames_read, clock, history, counts)


def summary(
    arguments: argparse.Namespace,
    fps: float,
    frames: int,
    clock: StageClock,
    history: list[tuple[int, sv.Detections]],
    counts: dict[str, list[dict]],
) -> dict:
    if frames == 0:
        raise SystemExit(f"baseline.py: {arguments.video} holds no frame that OpenCV can decode")
    cpu_s = sum(clock.cpu_s.values())
    tracks = {int(track) for _, tracked in history for track in tracked.tracker_id}
    packages = ("numpy", "onnxruntime", "opencv-python-headless", "supervision", "trackers")
    return {
        "video": arguments.video.name,
        "model": arguments.model.name,
        "threads": arguments.threads,
        "every": arguments.every,
        "fps": fps,
        "frames": frames,
        "detected_frames": len(history),
        "wall_s": round(clock.wall_s, 3),
        "cpu_s": round(cpu_s, 3),
        "process_cpu_s": round(clock.process_cpu_s, 3),
        "cpu_s_per_1000_frames": round(1000 * cpu_s / frames, 3),
        "stage_ms_per_frame": {stage: round(1000 * spent / frames, 3) for stage, spent in clock.cpu_s.items()},
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "tracks": len(tracks),
        "mean_occupancy": round(sum(len(tracked) for _, tracked in history) / len(history), 3),
        "counters": {name: {"lines": lines} for name, lines in counts.items()},
        "versions": {package: importlib.metadata.version(package) for package in packages},
    }


def print_table(result: dict) -> None:
    print(
        f"{result['frames']} frames, detector on {result['detected_frames']}: {result['wall_s']} s, "
        f"{result['cpu_s']} CPU-s ({result['cpu_s_per_1000_frames']} per 1000 frames), {result['peak_rss_mb']} MB"
    )
    print("ms per frame:", ", ".join(f"{stage} {spent}" for stage, spent in result["stage_ms_per_frame"].items()))
    for counter, counted in result["counters"].items():
        for line in counted["lines"]:
            print(f"{counter:>18}  {line['name']}: {line['forward']} forward, {line['backward']} backward")


def main() -> None:
    arguments = parse_arguments()
    result = run(arguments)
    if arguments.json:
        json.dump(result, sys.stdout, indent=2)
        print()
    else:
        print_table(result)


if __name__ == "__main__":
    main()
