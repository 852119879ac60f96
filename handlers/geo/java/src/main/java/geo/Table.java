package geo;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** The table, with a client that has made its first call: INIT has more CPU than invocations have. */
final class Table {
    static final DynamoDbClient CLIENT = Client.CLIENT;

    static {
        touch();
    }

    private Table() {}

    /** Reads an item that is not there. */
    static void touch() {
        CLIENT.getItem(r -> r.tableName("geo").key(Map.of("pk", text("nil"), "sk", text("nil"))));
    }

    static AttributeValue text(String value) {
        return AttributeValue.fromS(value);
    }

    record Found(String name, String lat, String lon) {}

    record Search(int count, List<Found> items) {}

    /** Answers a search; pages runs a query for each of nine cells. */
    static Search search(JsonObject body, BiFunction<Function<String, List<Map<String, AttributeValue>>>, String[], List<List<Map<String, AttributeValue>>>> pages) {
        Geo.Point centre = Geo.Point.of(body);
        String owner = Geo.text(body, "owner");
        double radius = Geo.number(body, "radius", 1e9);
        Function<String, List<Map<String, AttributeValue>>> query = cell -> CLIENT.query(r -> r.tableName("geo")
                .indexName("geo-index")
                .keyConditionExpression("gpk = :g and begins_with(gsk, :o)")
                .expressionAttributeValues(Map.of(":g", text(cell), ":o", text("RT:" + owner + ":")))).items();
        List<Found> items = new ArrayList<>();
        for (List<Map<String, AttributeValue>> page : pages.apply(query, centre.cells())) {
            for (Map<String, AttributeValue> item : page) {
                Found f = new Found(item.get("name").s(), item.get("lat").s(), item.get("lon").s());
                if (centre.distance(new Geo.Point(Double.parseDouble(f.lat), Double.parseDouble(f.lon))) <= radius) {
                    items.add(f);
                }
            }
        }
        return new Search(items.size(), items);
    }
}
