import java.net.URI;
import java.net.http.*;

/** Calls the lab's DynamoDB over TLS, which needs Java's trust in the lab's certificate. It prints "ok", or else the answer or an exception. */
class Tables {
    public static void main(String[] args) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(System.getenv("AWS_ENDPOINT_URL_DYNAMODB"))).header("X-Amz-Target", "DynamoDB_20120810.GetItem")
            .POST(HttpRequest.BodyPublishers.ofString("{\"TableName\":\"places\",\"Key\":{\"pk\":{\"S\":\"a\"},\"sk\":{\"S\":\"b\"}}}")).build();
        var answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println(answer.statusCode() == 200 && answer.body().equals("{}") ? "ok" : answer.body());
    }
}
