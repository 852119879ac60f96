package geo;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonPrimitive;
import java.util.Map;
import java.util.TreeMap;

/** What the functions share: the event, the answer, the cells of a map. ../../../../../../README.md has the rules. */
final class Geo {
    static final Map<String, Object> REFUSED = answer(400, "{\"message\":\"bad request\"}");
    private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

    private Geo() {}

    /** The request lacks something. */
    static final class Refused extends RuntimeException {
        Refused() {
            super(null, null, false, false);
        }
    }

    /** Answers an event with the result of a function of its body. */
    static Map<String, Object> answer(Map<String, Object> event, java.util.function.Function<JsonObject, Object> function) {
        try {
            JsonObject body = event.get("body") instanceof String text ? GSON.fromJson(text, JsonObject.class) : null;
            if (body == null) {
                return REFUSED;
            }
            return answer(200, GSON.toJson(function.apply(body)));
        } catch (Refused | JsonParseException | ClassCastException e) {
            return REFUSED;
        }
    }

    static Map<String, Object> answer(int status, String body) {
        Map<String, Object> answer = new TreeMap<>(java.util.Comparator.reverseOrder()); // statusCode before body
        answer.put("statusCode", status);
        answer.put("body", body);
        return answer;
    }

    static String text(JsonObject body, String name) {
        if (body.get(name) instanceof JsonPrimitive value && value.isString()) {
            return value.getAsString();
        }
        throw new Refused();
    }

    static double number(JsonObject body, String name, double most) {
        try {
            double n = Double.parseDouble(text(body, name));
            if (Math.abs(n) <= most) {
                return n;
            }
        } catch (NumberFormatException e) {
            // refused as well
        }
        throw new Refused();
    }

    record Point(double lat, double lon) {
        static Point of(JsonObject body) {
            return new Point(number(body, "lat", 90), number(body, "lon", 180));
        }

        /** Metres to another point. It ignores the earth's curve, which is exact enough for some 10 km. */
        double distance(Point to) {
            double degree = 111194.93;
            return Math.hypot((to.lat - lat) * degree, (to.lon - lon) * degree * Math.cos(Math.toRadians(lat)));
        }

        /** The point's cell and its eight neighbours: from the centre to the north, then clockwise. */
        String[] cells() {
            int x = (int) Math.min((lon + 180) / 360 * 1024, 1023);
            int y = (int) Math.min((lat + 90) / 180 * 1024, 1023);
            int[][] around = {{0, 0}, {0, 1}, {1, 1}, {1, 0}, {1, -1}, {0, -1}, {-1, -1}, {-1, 0}, {-1, 1}};
            String[] cells = new String[9];
            for (int i = 0; i < 9; i++) {
                cells[i] = hash((x + around[i][0]) & 1023, (y + around[i][1]) & 1023);
            }
            return cells;
        }
    }

    /** The geohash of a cell: 4 characters of 5 bits. Bits of x and y alternate. */
    private static String hash(int x, int y) {
        int bits = 0;
        for (int i = 9; i >= 0; i--) {
            bits = bits << 2 | (x >> i & 1) << 1 | (y >> i & 1);
        }
        StringBuilder text = new StringBuilder();
        for (int shift = 15; shift >= 0; shift -= 5) {
            text.append("0123456789bcdefghjkmnpqrstuvwxyz".charAt(bits >> shift & 31));
        }
        return text.toString();
    }
}
