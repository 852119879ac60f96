"""What the functions share: the event, the answer, the cells of a map. ../README.md has the rules."""

import json
import math


class Refused(Exception):
    """The request lacks something."""


def function(handle):
    """Makes a Lambda handler from a function that takes the event's body and returns the answer's body."""

    def handler(event, context):
        try:
            body = json.loads(event["body"])
            if not isinstance(body, dict):
                raise Refused
            answer = handle(body, context)
        except (Refused, json.JSONDecodeError, KeyError, TypeError):
            return {"statusCode": 400, "body": '{"message":"bad request"}'}
        return {"statusCode": 200, "body": json.dumps(answer, ensure_ascii=False, separators=(",", ":"))}

    return handler


def texts(body, *names):
    values = [body.get(name) for name in names]
    if not all(isinstance(value, str) for value in values):
        raise Refused
    return values


def number(text, most):
    try:
        n = float(text)
    except ValueError:
        raise Refused from None
    if not abs(n) <= most:
        raise Refused
    return n


def point(body):
    lat, lon = texts(body, "lat", "lon")
    return number(lat, 90), number(lon, 180)


def cell_hash(x, y):
    """The geohash of a cell: 4 characters of 5 bits. Bits of x and y alternate."""
    bits = 0
    for i in range(9, -1, -1):
        bits = bits << 2 | (x >> i & 1) << 1 | (y >> i & 1)
    return "".join("0123456789bcdefghjkmnpqrstuvwxyz"[bits >> shift & 31] for shift in (15, 10, 5, 0))


def cells(lat, lon):
    """The cell of a point and its eight neighbours: from the centre to the north, then clockwise."""
    x, y = int(min((lon + 180) / 360 * 1024, 1023)), int(min((lat + 90) / 180 * 1024, 1023))
    around = (0, 0), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)
    return [cell_hash((x + dx) & 1023, (y + dy) & 1023) for dx, dy in around]


def distance(lat1, lon1, lat2, lon2):
    """Metres between two points. It ignores the earth's curve, which is exact enough for some 10 km."""
    degree = 111194.93
    return math.hypot((lat2 - lat1) * degree, (lon2 - lon1) * degree * math.cos(math.radians(lat1)))
