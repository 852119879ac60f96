"""The table, with a client that has made its first call: INIT has more CPU than invocations have."""

import geo
from client import client


def touch():
    """Reads an item that is not there."""
    client.get_item(TableName="geo", Key={"pk": {"S": "nil"}, "sk": {"S": "nil"}})


touch()


def search(body, pages):
    """Answers a search; pages runs a query for each of nine cells."""
    lat, lon = geo.point(body)
    owner, radius = geo.texts(body, "owner", "radius")
    radius = geo.number(radius, 1e9)

    def query(cell):
        return client.query(
            TableName="geo",
            IndexName="geo-index",
            KeyConditionExpression="gpk = :g and begins_with(gsk, :o)",
            ExpressionAttributeValues={":g": {"S": cell}, ":o": {"S": f"RT:{owner}:"}},
        )["Items"]

    items = []
    for page in pages(query, geo.cells(lat, lon)):
        for item in page:
            found = {name: item[name]["S"] for name in ("name", "lat", "lon")}
            if geo.distance(lat, lon, float(found["lat"]), float(found["lon"])) <= radius:
                items.append(found)
    return {"count": len(items), "items": items}
