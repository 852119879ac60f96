package geo;

import com.amazonaws.services.lambda.runtime.Context;
import java.util.HashMap;
import java.util.Map;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** Puts an item into the table. */
public final class Save {
    static {
        Table.CLIENT.serviceName(); // INIT makes the client
    }

    record Answer(String pk, String sk, String gpk) {}

    public Map<String, Object> handle(Map<String, Object> event, Context context) {
        return Geo.answer(event, body -> {
            String cell = Geo.Point.of(body).cells()[0];
            String owner = Geo.text(body, "owner");
            String name = Geo.text(body, "name");
            Answer answer = new Answer("RT:" + owner, name + "#" + context.getAwsRequestId(), cell);
            Map<String, AttributeValue> item = new HashMap<>();
            Map.of("pk", answer.pk, "sk", answer.sk, "gpk", cell, "gsk", answer.pk + ":" + answer.sk, "owner", owner, "name", name,
                    "lat", Geo.text(body, "lat"), "lon", Geo.text(body, "lon")).forEach((field, value) -> item.put(field, Table.text(value)));
            Table.CLIENT.putItem(r -> r.tableName("geo").item(item));
            return answer;
        });
    }
}
