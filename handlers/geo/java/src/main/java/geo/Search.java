package geo;

import java.util.Arrays;
import java.util.Map;

/** Finds items round a point by nine queries one after the other. */
public final class Search {
    static {
        Table.CLIENT.serviceName(); // INIT makes the client
    }

    public Map<String, Object> handle(Map<String, Object> event) {
        return Geo.answer(event, body -> Table.search(body, (query, cells) -> Arrays.stream(cells).map(query).toList()));
    }
}
