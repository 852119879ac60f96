package geo;

import java.util.Map;

/** Reads a point and writes it again. */
public final class Wave {
    record Answer(String lat, String lon, String radius) {}

    public Map<String, Object> handle(Map<String, Object> event) {
        return Geo.answer(event, body -> {
            Geo.Point.of(body);
            return new Answer(Geo.text(body, "lat"), Geo.text(body, "lon"), Geo.text(body, "radius"));
        });
    }
}
