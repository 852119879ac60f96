using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace Geo;

public record Found(string Name, string Lat, string Lon);

public record SearchAnswer(int Count, List<Found> Items);

/// <summary>The table, with a client that has made its first call: INIT has more CPU than invocations have.</summary>
public class Table
{
    public static AmazonDynamoDBClient NewClient() => new(new AmazonDynamoDBConfig { MaxErrorRetry = 0 });

    public AmazonDynamoDBClient Client { get; } = NewClient();

    public Table() => Touch().GetAwaiter().GetResult();

    /// <summary>Reads an item that is not there.</summary>
    public Task Touch() => Client.GetItemAsync("geo", new() { ["pk"] = new("nil"), ["sk"] = new("nil") });

    /// <summary>Answers a search: nine queries, one after the other or at once.</summary>
    public async Task<object> Search(JsonElement body, bool atOnce)
    {
        var (centre, owner, radius) = (Point.Of(body), Rules.Text(body, "owner"), Rules.Number(body, "radius", 1e9));
        async Task<List<Dictionary<string, AttributeValue>>> Query(string cell) => (await Client.QueryAsync(new QueryRequest
        {
            TableName = "geo",
            IndexName = "geo-index",
            KeyConditionExpression = "gpk = :g and begins_with(gsk, :o)",
            ExpressionAttributeValues = new() { [":g"] = new(cell), [":o"] = new($"RT:{owner}:") },
        })).Items ?? [];
        List<List<Dictionary<string, AttributeValue>>> pages = [];
        if (atOnce)
            pages.AddRange(await Task.WhenAll(centre.Cells().Select(Query)));
        else
            foreach (var cell in centre.Cells())
                pages.Add(await Query(cell));
        var culture = System.Globalization.CultureInfo.InvariantCulture;
        var items = pages.SelectMany(page => page)
            .Select(item => new Found(item["name"].S, item["lat"].S, item["lon"].S))
            .Where(f => centre.Distance(new(double.Parse(f.Lat, culture), double.Parse(f.Lon, culture))) <= radius).ToList();
        return new SearchAnswer(items.Count, items);
    }
}
