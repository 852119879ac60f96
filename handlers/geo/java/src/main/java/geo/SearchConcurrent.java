package geo;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Finds items round a point by nine queries at once. */
public final class SearchConcurrent {
    private static final ExecutorService POOL = Executors.newFixedThreadPool(9);

    static {
        Table.CLIENT.serviceName(); // INIT makes the client
    }

    public Map<String, Object> handle(Map<String, Object> event) {
        return Geo.answer(event, body -> Table.search(body, (query, cells) -> {
            var pages = Arrays.stream(cells).map(cell -> CompletableFuture.supplyAsync(() -> query.apply(cell), POOL)).toList();
            try {
                return pages.stream().map(CompletableFuture::join).toList();
            } catch (CompletionException e) {
                throw e.getCause() instanceof RuntimeException cause ? cause : e;
            }
        }));
    }
}
