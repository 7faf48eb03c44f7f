"""Films with known faces, made from public-domain photographs that packages carry.

`room`: a dim room (Middlebury's garage), seven people, a lamp that is switched on. Unlike in `comp.mp4` somebody sits
there before the camera starts, one person is in profile, and the light changes.
`terrace`: daylight before a brick wall, clouds, eight people who walk past and behind each other, stop, turn away, and
come back. It was drawn after all numbers of the policy were chosen, and none was changed for it.

The truth is each face's ellipse under the same motion, minus whatever is in front of it, at half the film's size.
"""

import subprocess
import sys
import tarfile
import zipfile
from math import cos, pi, sin
from pathlib import Path

import cv2
import numpy

WIDTH, HEIGHT, RATE = 1280, 720, 25
# Frames: the room with whoever sits there already, then everybody.
WARM, FRAMES = 50, 400
FACE_HEIGHT = 240
LAMP_ON = 250
# Photograph, and its face: drawn around by eye.
FACES = {
    "astronaut": ("astronaut.png", (181, 58, 269, 177)),
    "older": ("biden.jpg", (427, 165, 722, 567)),
    "profile": ("camera.png", (192, 122, 257, 198)),
    "smiling": ("obama.jpg", (360, 60, 622, 443)),
    "speaking": ("obama2.jpg", (196, 220, 478, 646)),
    "serious": ("obama3.jpg", (640, 253, 916, 620)),
}


def photographs(packages, folder):
    """Takes the photographs out of scikit-image's wheel and face_recognition's source archive."""
    wheel = next(Path(packages).glob("scikit_image-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        for name in (
            "astronaut.png",
            "camera.png",
            *{film["background"] for film in FILMS.values()},
        ):
            (folder / name).write_bytes(archive.read(f"skimage/data/{name}"))
    source = next(Path(packages).glob("face_recognition-*.tar.gz"))
    with tarfile.open(source) as archive:
        for member in archive.getmembers():
            name = Path(member.name).name
            if "/tests/test_images/" in member.name and name in {
                file for file, _ in FACES.values()
            }:
                photograph = archive.extractfile(member)
                assert photograph, f"{member.name} is no file"
                (folder / name).write_bytes(photograph.read())


def cut_out(picture, box):
    """Head and shoulders at a face height of 240: colours, how opaque, where the face is, its centre."""
    scale = FACE_HEIGHT / (box[3] - box[1])
    picture = cv2.resize(
        picture,
        None,
        fx=scale,
        fy=scale,
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
    )
    left, top, right, bottom = (int(side * scale) for side in box)
    width, height = right - left, bottom - top
    x, y = max(0, left - width), max(0, top - height // 2)
    picture = picture[y : bottom + int(1.3 * height), x : right + width]
    left, right, top, bottom = left - x, right - x, top - y, bottom - y
    centre = ((left + right) // 2, (top + bottom) // 2)
    head = numpy.full(picture.shape[:2], cv2.GC_BGD, numpy.uint8)
    cv2.ellipse(
        head,
        (centre[0], centre[1] - height // 10),
        (int(width * 0.8), int(height * 0.72)),
        0,
        0,
        360,
        cv2.GC_PR_FGD,
        -1,
    )
    cv2.rectangle(head, (0, bottom), (picture.shape[1], picture.shape[0]), cv2.GC_PR_FGD, -1)
    cv2.rectangle(head, (left, bottom - 10), (right, picture.shape[0]), cv2.GC_FGD, -1)
    cv2.ellipse(head, centre, (width // 2, height // 2), 0, 0, 360, cv2.GC_FGD, -1)
    model = numpy.zeros((1, 65)), numpy.zeros((1, 65))
    cv2.grabCut(picture, head, None, *model, 4, cv2.GC_INIT_WITH_MASK)
    opaque = numpy.where((head == cv2.GC_FGD) | (head == cv2.GC_PR_FGD), 255, 0).astype(numpy.uint8)
    opaque = cv2.GaussianBlur(opaque, (7, 7), 0)
    face = numpy.zeros_like(opaque)
    cv2.ellipse(face, centre, (int(width * 0.52), int(height * 0.52)), 0, 0, 360, 255, -1)
    return picture, opaque, face, centre


def in_the_room(frame):
    """(name, photograph, x, y, height of the face, roll, squeeze, gain, blur, hidden by a mask) of everybody in a frame."""
    now = frame / FRAMES
    seated = (
        "seated",
        "older",
        380 + 2 * sin(frame * 0.07),
        300 + 1.5 * sin(frame * 0.11),
        92,
        4 * sin(frame * 0.03),
        1,
        0.8,
        0,
        False,
    )
    if frame < 0:
        return [seated]
    return [
        ("far", "serious", 40 + 1250 * now, 205, 26, 3 * sin(frame * 0.2), 1, 0.75, 0, False),
        (
            "arriving",
            "astronaut",
            min(1010, 1400 - 9 * frame),
            330 + 1.2 * sin(frame * 0.05),
            62,
            5 * sin(frame * 0.04),
            -1,
            0.8,
            0,
            False,
        ),
        seated,
        (
            "profile",
            "profile",
            1340 - 1500 * ((now * 1.3) % 1),
            350 + 6 * sin(frame * 0.4),
            84,
            4 * sin(frame * 0.2),
            1,
            0.9,
            2,
            False,
        ),
        (
            "turning",
            "speaking",
            720 + 25 * sin(frame * 0.06),
            420,
            110,
            40 * sin(2 * pi * now * 3),
            0.45 + 0.55 * abs(cos(2 * pi * now * 2)),
            0.85,
            0,
            (frame // 50) % 2 == 0,
        ),
        (
            "runner",
            "speaking",
            -120 + 1560 * ((now * 7) % 1),
            470 + 25 * sin(frame * 0.5),
            90,
            9 * sin(frame * 0.6),
            -1,
            0.9,
            23,
            False,
        ),
        (
            "near",
            "smiling",
            1110 + 40 * sin(frame * 0.02),
            760 - 330 * min(1, now * 2.2),
            200,
            12 * sin(frame * 0.05),
            1,
            0.7,
            0,
            False,
        ),
    ]


def on_the_terrace(frame):
    """As `in_the_room`. Whoever walks fast is smeared; whoever comes nearer grows."""
    now = max(0, frame) / FRAMES
    there_and_back = abs(((now * 1.6) % 2) - 1)
    stops = min(1.0, now * 3) if now < 0.7 else 1.0 - (now - 0.7) * 2.5
    everybody = [
        ("across", "smiling", -60 + 1400 * now, 180, 34, 4 * sin(frame * 0.25), 1, 0.95, 5, False),
        ("against", "astronaut", 1330 - 1500 * now, 230, 44, 4 * sin(frame * 0.21), 1, 1, 5, False),
        (
            "pacing",
            "older",
            150 + 900 * there_and_back,
            330,
            70,
            5 * sin(frame * 0.3),
            1 if (now * 1.6) % 2 < 1 else -1,
            0.9,
            7,
            False,
        ),
        (
            "stopping",
            "serious",
            -80 + 760 * stops,
            380,
            84,
            3 * sin(frame * 0.09),
            1,
            0.95,
            0,
            False,
        ),
        (
            "turning away",
            "smiling",
            980 + 8 * sin(frame * 0.1),
            360,
            96,
            6 * sin(frame * 0.06),
            max(0.2, abs(cos(2 * pi * now * 1.5))),
            0.9,
            0,
            False,
        ),
        (
            "masked",
            "speaking",
            1400 - 900 * min(1, now * 1.8),
            450,
            104,
            8 * sin(frame * 0.13),
            1,
            0.9,
            3,
            True,
        ),
        (
            "running",
            "astronaut",
            1400 - 1700 * ((now * 6) % 1),
            520 + 18 * sin(frame * 0.6),
            88,
            10 * sin(frame * 0.5),
            1,
            1,
            19,
            False,
        ),
        (
            "coming",
            "speaking",
            420 + 60 * sin(frame * 0.02),
            330 + 260 * now,
            30 + 130 * now,
            7 * sin(frame * 0.05),
            1,
            0.95,
            0,
            False,
        ),
    ]
    return [] if frame < 0 else everybody


def draw(picture, labels, number, person, cut_outs):
    _, photograph, x, y, height, roll, squeeze, gain, blur, masked = person
    colours, opaque, face, centre = cut_outs[photograph]
    if masked:
        colours = colours.copy()
        lower = (centre[0] - 80, centre[1] + 12), (centre[0] + 80, centre[1] + FACE_HEIGHT // 2)
        cv2.rectangle(colours, *lower, (170, 160, 120), -1)
    scale = height / FACE_HEIGHT
    if scale < 0.5:
        side = int(0.6 / scale) | 1
        colours, opaque = (
            cv2.GaussianBlur(colours, (side, side), 0),
            cv2.GaussianBlur(opaque, (side, side), 0),
        )
    turn = cv2.getRotationMatrix2D((0, 0), roll, scale)[:, :2] @ numpy.diag([squeeze, 1.0])
    move = numpy.array([x, y]) - turn @ numpy.array(centre)
    matrix = numpy.hstack([turn, move[:, None]])

    def warp(image, how):
        return cv2.warpAffine(image, matrix, (WIDTH, HEIGHT), flags=how).astype(numpy.float32)

    cover = warp(opaque, cv2.INTER_LINEAR)[..., None] / 255
    layer = warp(colours, cv2.INTER_LINEAR) * gain * cover
    where = warp(face, cv2.INTER_NEAREST) > 0
    if blur:
        kernel = numpy.full((1, blur), 1 / blur, numpy.float32)
        layer, cover = cv2.filter2D(layer, -1, kernel), cv2.filter2D(cover, -1, kernel)[..., None]
    picture[:] = picture * (1 - cover) + layer
    solid = cover[..., 0] > 0.5
    labels[solid] = 0
    labels[where & solid] = number


def lamp(frame):
    """Blue, green, red: warm and dim, slowly drifting; then a lamp."""
    drift = 1 + 0.04 * sin(frame * 0.02)
    on = 1.0 if frame < LAMP_ON else 1.75
    return numpy.array([0.42, 0.5, 0.58], numpy.float32) * drift * on


def clouds(frame):
    """Cool daylight that dims for some seconds."""
    return numpy.array([1.02, 0.98, 0.94], numpy.float32) * (
        0.95 - 0.18 * max(0, sin(frame * 0.025))
    )


FILMS = {
    "room": {
        "background": "motorcycle_left.png",
        "people": in_the_room,
        "light": lamp,
        "grain": 4.5,
        "seed": 11,
    },
    "terrace": {
        "background": "brick.png",
        "people": on_the_terrace,
        "light": clouds,
        "grain": 2.5,
        "seed": 12,
    },
}


def make(packages, folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    photographs(packages, folder)
    cut_outs = {
        name: cut_out(cv2.imread(str(folder / file)), box) for name, (file, box) in FACES.items()
    }
    for name, film in FILMS.items():
        make_film(folder, name, film, cut_outs)


def make_film(folder, name, how, cut_outs):
    people, light = how["people"], how["light"]
    room = cv2.imread(str(folder / how["background"]))
    room = cv2.resize(
        room, (WIDTH, int(room.shape[0] * WIDTH / room.shape[1])), interpolation=cv2.INTER_CUBIC
    )[90 : 90 + HEIGHT]
    noise = numpy.random.default_rng(how["seed"])
    grain = [
        noise.normal(0, how["grain"], (HEIGHT, WIDTH, 3)).astype(numpy.float32) for _ in range(9)
    ]
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
        f"{WIDTH}x{HEIGHT}",
        "-r",
        str(RATE),
        "-i",
        "-",
        "-c:v",
        "libx264",
        "-preset",
        "fast",
        "-crf",
        "22",
        "-pix_fmt",
        "yuv420p",
        str(folder / f"{name}.mp4"),
    ]
    film = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert film.stdin
    truth, names = [], [person[0] for person in people(0)]
    for frame in range(-WARM, FRAMES):
        picture, labels = room.astype(numpy.float32), numpy.zeros((HEIGHT, WIDTH), numpy.uint8)
        for person in people(frame):
            draw(picture, labels, names.index(person[0]) + 1, person, cut_outs)
        picture = picture * light(frame) + grain[frame % len(grain)]
        film.stdin.write(numpy.clip(picture, 0, 255).astype(numpy.uint8).tobytes())
        truth.append(labels[::2, ::2])
    film.stdin.close()
    if film.wait():
        sys.exit("ffmpeg failed")
    numpy.savez_compressed(
        folder / f"{name}_truth.npz", lab=numpy.stack(truth), names=names, warm=WARM
    )


if __name__ == "__main__":
    make(*sys.argv[1:])
