using Amazon.DynamoDBv2;
using Amazon.Lambda.Core;

namespace Geo;

/// <summary>Reads a point and writes it again.</summary>
public class Wave
{
    public Task<Answer> Handle(Event e) => Rules.Of(e, body =>
    {
        Point.Of(body);
        return Task.FromResult<object>(new { Lat = Rules.Text(body, "lat"), Lon = Rules.Text(body, "lon"), Radius = Rules.Text(body, "radius") });
    });
}

/// <summary>Puts an item into the table.</summary>
public class Save
{
    readonly Table table = new();

    public Task<Answer> Handle(Event e, ILambdaContext context) => Rules.Of(e, async body =>
    {
        var (gpk, owner, name) = (Point.Of(body).Cells()[0], Rules.Text(body, "owner"), Rules.Text(body, "name"));
        var (pk, sk) = ($"RT:{owner}", $"{name}#{context.AwsRequestId}");
        await table.Client.PutItemAsync("geo", new()
        {
            ["pk"] = new(pk), ["sk"] = new(sk), ["gpk"] = new(gpk), ["gsk"] = new($"{pk}:{sk}"), ["owner"] = new(owner), ["name"] = new(name),
            ["lat"] = new(Rules.Text(body, "lat")), ["lon"] = new(Rules.Text(body, "lon")),
        });
        return new { pk, sk, gpk };
    });
}

/// <summary>Finds items round a point by nine queries one after the other.</summary>
public class Search
{
    readonly Table table = new();

    public Task<Answer> Handle(Event e) => Rules.Of(e, body => table.Search(body, atOnce: false));
}

/// <summary>Finds items round a point by nine queries at once.</summary>
public class SearchConcurrent
{
    readonly Table table = new();

    public Task<Answer> Handle(Event e) => Rules.Of(e, body => table.Search(body, atOnce: true));
}

/// <summary>Makes a client in INIT, and no call.</summary>
public class Client
{
    readonly AmazonDynamoDBClient client = Table.NewClient();

    public Answer Handle() => new(200, """{"warm":true}""");
}

/// <summary>Makes one call.</summary>
public class Warmup
{
    readonly Table table = new();

    public async Task<Answer> Handle()
    {
        await table.Touch();
        return new(200, """{"warm":true}""");
    }
}
