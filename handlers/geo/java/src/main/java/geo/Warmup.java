package geo;

import java.util.Map;

/** Makes one call. */
public final class Warmup {
    static {
        Table.CLIENT.serviceName(); // INIT makes the client
    }

    public Map<String, Object> handle(Map<String, Object> event) {
        Table.touch();
        return Geo.answer(200, "{\"warm\":true}");
    }
}
