import geo


@geo.function
def handler(body, _context):
    geo.point(body)
    lat, lon, radius = geo.texts(body, "lat", "lon", "radius")
    return {"lat": lat, "lon": lon, "radius": radius}
