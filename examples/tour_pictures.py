"""The pictures of the example video, drawn with Pillow: one function a shot, time in, image out.

Knows nothing of the speech, the length of a shot or the video file.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import cache

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, SCALE = 640, 360, 2  # drawn at twice the size, then shrunk: smooth edges

NIGHT, HILL, PAPER, INK = "#10203f", "#0a1426", "#f4ead2", "#2b2118"
CREAM, AMBER, GREY, STEEL, WOOD = "#f7f1e1", "#ffc65c", "#8d9bb5", "#b9c4d6", "#7a5230"


class Canvas:
    """Drawing in the video's own coordinates (640 x 360); `picture()` gives the shrunk image."""

    def __init__(self, background: str) -> None:
        self.image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), background)
        self.pen = ImageDraw.Draw(self.image)

    def box(self, left: float, top: float, right: float, bottom: float, fill: str) -> None:
        self.pen.rectangle(_scaled((left, top, right, bottom)), fill)

    def oval(self, x: float, y: float, rx: float, ry: float, fill: str) -> None:
        self.pen.ellipse(_scaled((x - rx, y - ry, x + rx, y + ry)), fill)

    def shape(self, points: Sequence[tuple[float, float]], fill: str) -> None:
        self.pen.polygon([(x * SCALE, y * SCALE) for x, y in points], fill)

    def stroke(self, points: Sequence[tuple[float, float]], fill: str, width: float = 2) -> None:
        self.pen.line([(x * SCALE, y * SCALE) for x, y in points], fill, round(width * SCALE))

    def text(
        self, x: float, y: float, words: str, size: int, fill: str = CREAM, anchor: str = "lm"
    ) -> None:
        self.pen.text((x * SCALE, y * SCALE), words, fill, font(size), anchor)

    def picture(self) -> Image.Image:
        return self.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def _scaled(numbers: Sequence[float]) -> list[float]:
    return [number * SCALE for number in numbers]


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype("DejaVuSans-Bold.ttf", size * SCALE)


def title(time: float) -> Image.Image:
    canvas = Canvas(NIGHT)
    stars(canvas, time, bottom=250, left=340)
    observatory(canvas, x=500, y=262, size=62, turn=0.2)
    canvas.text(40, 90, "An Evening at", 22, GREY)
    canvas.text(40, 132, "Willow Hill", 46, AMBER)
    canvas.text(40, 182, "Observatory", 46, AMBER)
    canvas.box(40, 316, 268, 344, CREAM)
    canvas.text(52, 330, "Visitor desk: room 14", 17, INK)
    return canvas.picture()


def dome(time: float) -> Image.Image:
    canvas = Canvas(NIGHT)
    stars(canvas, time, bottom=300)
    observatory(canvas, x=330, y=300, size=150, turn=math.sin(time / 4))
    header(canvas, "1", "The dome")
    return canvas.picture()


def gear_plate(time: float) -> Image.Image:
    canvas = Canvas("#39424f")
    gear(canvas, x=130, y=215, radius=92, turn=time / 3)
    gear(canvas, x=256, y=278, radius=50, turn=-time * 92 / 50 / 3 + 0.21)
    canvas.box(345, 110, 615, 292, "#c9a04a")
    canvas.box(353, 118, 607, 284, "#e3c274")
    for x, y in ((366, 131), (594, 131), (366, 271), (594, 271)):
        canvas.oval(x, y, 5, 5, "#6d5423")
    canvas.text(480, 158, "GEAR PLATE", 22, INK, "mm")
    canvas.text(480, 200, "WH-2047", 38, INK, "mm")
    canvas.text(480, 244, "Oil every 90 days", 19, INK, "mm")
    header(canvas, "1", "The dome")
    return canvas.picture()


def telescope(time: float) -> Image.Image:
    canvas = Canvas("#1c2b4a")
    canvas.shape([(300, 330), (330, 205), (360, 330)], "#54617a")
    canvas.box(270, 326, 390, 338, "#434e63")
    lean = 0.62 + 0.05 * math.sin(time / 3)
    along, across = (math.cos(lean), -math.sin(lean)), (math.sin(lean), math.cos(lean))

    def at(u: float, v: float) -> tuple[float, float]:
        return 330 + u * along[0] + v * across[0], 212 + u * along[1] + v * across[1]

    canvas.shape([at(-150, -30), at(170, -30), at(170, 30), at(-150, 30)], "#d9dfe9")
    canvas.shape([at(-150, -30), at(-128, -30), at(-128, 30), at(-150, 30)], "#8f6b3a")
    canvas.shape([at(150, -30), at(170, -30), at(170, 30), at(150, 30)], "#8f6b3a")
    canvas.shape([at(-70, -50), at(10, -50), at(10, -38), at(-70, -38)], AMBER)  # the finder
    canvas.oval(*at(95, 16), 9, 7, "#9aa5b8")  # the dent
    canvas.oval(330, 212, 13, 13, "#54617a")
    stars(canvas, time, bottom=140, left=500)
    header(canvas, "2", "The telescope")
    return canvas.picture()


def telescope_facts(time: float) -> Image.Image:
    rows = [
        ("Mirror", "42 cm"),
        ("Focal length", "189 cm"),
        ("Finder", "8 x 50"),
        ("Serial number", "K 7716"),
    ]
    canvas = Canvas(PAPER)
    header(canvas, "2", "The telescope")
    for row, (name, value) in enumerate(rows):
        canvas.text(60, 108 + 52 * row, name, 24, INK)
        canvas.text(360, 108 + 52 * row, value, 24, "#8a3b12")
        canvas.stroke([(56, 134 + 52 * row), (590, 134 + 52 * row)], "#cbb98f", 1)
    saturn(canvas, x=570, y=328, size=13 + math.sin(time * 2))
    return canvas.picture()


def log_book(time: float) -> Image.Image:
    rows = [
        ("Night", "Object", "Observer"),
        ("12 March", "Saturn", "A. Moreno"),
        ("27 March", "Orion Nebula", "J. Okafor"),
        ("9 April", "Ring Nebula", "P. Lindqvist"),
        ("21 April", "Jupiter", "C. Yamada"),
    ]
    canvas = Canvas(WOOD)
    header(canvas, "3", "The log book")
    canvas.box(30, 76, 610, 340, PAPER)
    for row, cells in enumerate(rows):
        for x, cell in zip((52, 196, 400), cells, strict=True):
            canvas.text(x, 104 + 50 * row, cell, 21, "#8a3b12" if row == 0 else INK)
        canvas.stroke([(46, 128 + 50 * row), (594, 128 + 50 * row)], "#cbb98f", 1)
    pencil = 560 + 8 * math.sin(time * 3)
    canvas.shape([(pencil, 318), (pencil + 34, 268), (pencil + 43, 274), (pencil + 9, 324)], AMBER)
    canvas.shape([(pencil, 318), (pencil + 9, 324), (pencil - 1, 330)], INK)
    return canvas.picture()


def workshop(time: float) -> Image.Image:
    drawers = [("3", "Fuses"), ("7", "Red bulbs"), ("9", "Eyepieces"), ("12", "String")]
    canvas = Canvas("#5b6b57")
    canvas.box(0, 300, WIDTH, HEIGHT, "#4a3420")
    for index, (number, content) in enumerate(drawers):
        x, y = 40 + 200 * (index % 2), 84 + 100 * (index // 2)
        canvas.box(x, y, x + 186, y + 86, WOOD)
        canvas.box(x + 6, y + 6, x + 180, y + 80, "#9a6c42")
        canvas.box(x + 16, y + 14, x + 170, y + 50, CREAM)
        canvas.text(x + 93, y + 32, f"{number}  {content}", 18, INK, "mm")
        canvas.oval(x + 93, y + 65, 8, 6, INK)
    swing = 0.18 * math.sin(time * 1.6)
    x, y = 530 + 120 * math.sin(swing), 70 + 120 * math.cos(swing)
    canvas.stroke([(530, 60), (x, y)], INK, 2)
    canvas.oval(x, y + 18, 24, 24, "#e2382b")
    canvas.box(x - 9, y - 10, x + 9, y + 4, STEEL)
    canvas.text(530, 268, "RB-518", 24, CREAM, "mm")
    header(canvas, "4", "The workshop")
    return canvas.picture()


def visit(time: float) -> Image.Image:
    rows = [("Adults", "4 euros"), ("Children", "free"), ("Bus line", "46"), ("Last bus", "23:10")]
    canvas = Canvas(NIGHT)
    header(canvas, "5", "Plan your visit")
    for row, (name, value) in enumerate(rows):
        canvas.text(60, 110 + 58 * row, name, 25, CREAM)
        canvas.text(250, 110 + 58 * row, value, 25, AMBER)
    cat(canvas, x=500, y=300, tail=math.sin(time * 2))
    return canvas.picture()


def goodbye(time: float) -> Image.Image:
    canvas = Canvas(NIGHT)
    stars(canvas, time, bottom=260, left=340)
    if 2 < time < 3.5:  # a shooting star
        x, y = 120 + 260 * (time - 2), 40 + 70 * (time - 2)
        canvas.stroke([(x - 60, y - 16), (x, y)], CREAM, 2)
    observatory(canvas, x=500, y=262, size=62, turn=-0.3)
    canvas.text(40, 140, "Good night!", 46, AMBER)
    canvas.text(40, 330, "Next tour: 18 October", 20, CREAM)
    return canvas.picture()


def header(canvas: Canvas, number: str, words: str) -> None:
    canvas.box(0, 0, WIDTH, 54, HILL)
    canvas.oval(38, 27, 17, 17, AMBER)
    canvas.text(38, 27, number, 19, INK, "mm")
    canvas.text(70, 27, words, 24, CREAM)


def stars(canvas: Canvas, time: float, bottom: float, left: float = 0) -> None:
    places = random.Random(7)
    for index in range(70):
        x, y = left + places.random() * (WIDTH - left), places.random() * bottom
        bright = 0.6 + 0.4 * math.sin(time * (1 + index % 3) + index)
        canvas.oval(x, y, 1.4 * bright, 1.4 * bright, CREAM)


def observatory(canvas: Canvas, x: float, y: float, size: float, turn: float) -> None:
    """A dome on a hill; `turn` (-1 to 1) is where its slit points."""
    canvas.oval(x, y + size * 1.35, size * 3.4, size * 1.1, HILL)
    canvas.box(x - size, y - size * 0.3, x + size, y + size * 0.5, "#d8d2c2")
    canvas.box(x - size * 0.16, y + size * 0.02, x + size * 0.16, y + size * 0.5, WOOD)
    area = _scaled((x - size, y - size * 1.25, x + size, y + size * 0.65))
    canvas.pen.pieslice(area, 180, 360, STEEL)
    slit = x + turn * size * 0.6
    canvas.shape(
        [
            (slit - size * 0.13, y - size * 0.3),
            (slit + size * 0.13, y - size * 0.3),
            (x + turn * size * 0.3 + size * 0.06, y - size * 1.15),
            (x + turn * size * 0.3 - size * 0.06, y - size * 1.15),
        ],
        INK,
    )
    canvas.box(x - size * 1.04, y - size * 0.34, x + size * 1.04, y - size * 0.24, "#76839b")


def gear(canvas: Canvas, x: float, y: float, radius: float, turn: float) -> None:
    teeth = round(radius / 6)
    for tooth in range(teeth):
        middle = turn + tooth * 2 * math.pi / teeth
        corners = [(-0.13, 0.9), (-0.08, 1.1), (0.08, 1.1), (0.13, 0.9)]
        canvas.shape(
            [
                (x + radius * r * math.cos(middle + a), y + radius * r * math.sin(middle + a))
                for a, r in corners
            ],
            STEEL,
        )
    canvas.oval(x, y, radius * 0.94, radius * 0.94, STEEL)
    canvas.oval(x, y, radius * 0.3, radius * 0.3, "#39424f")


def saturn(canvas: Canvas, x: float, y: float, size: float) -> None:
    canvas.oval(x, y, size * 2, size * 0.6, "#8a3b12")
    canvas.oval(x, y, size * 1.6, size * 0.35, PAPER)
    canvas.oval(x, y, size, size, AMBER)


def cat(canvas: Canvas, x: float, y: float, tail: float) -> None:
    curl = [(x + 40 + 12 * k + 10 * tail * k / 4, y - 8 * k * k / 2) for k in range(5)]
    canvas.stroke(curl, "#05080f", 10)
    canvas.oval(x, y, 58, 46, "#05080f")
    canvas.oval(x - 30, y - 62, 34, 30, "#05080f")
    canvas.shape([(x - 62, y - 70), (x - 58, y - 108), (x - 34, y - 84)], "#05080f")
    canvas.shape([(x + 2, y - 70), (x - 2, y - 108), (x - 26, y - 84)], "#05080f")
    canvas.oval(x - 43, y - 66, 6, 7, AMBER)
    canvas.oval(x - 17, y - 66, 6, 7, AMBER)
