using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Amazon.Lambda.Core;
using Amazon.Lambda.Serialization.SystemTextJson;

[assembly: LambdaSerializer(typeof(DefaultLambdaJsonSerializer))]

namespace Geo;

/// <summary>The part of a function URL's or a REST API's event that is read.</summary>
public record Event([property: JsonPropertyName("body")] string? Body);

/// <summary>A response for function URLs and REST APIs.</summary>
public record Answer([property: JsonPropertyName("statusCode")] int StatusCode, [property: JsonPropertyName("body")] string Body);

/// <summary>The request lacks something.</summary>
public class Refused : Exception;

/// <summary>What the functions share: the event, the answer, the cells of a map. ../README.md has the rules.</summary>
public static class Rules
{
    static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Answers an event with the result of a function of its body.</summary>
    public static async Task<Answer> Of(Event e, Func<JsonElement, Task<object>> function)
    {
        try
        {
            using var body = JsonDocument.Parse(e.Body ?? "");
            return new(200, JsonSerializer.Serialize(await function(body.RootElement), Options));
        }
        catch (Exception error) when (error is Refused or JsonException)
        {
            return new(400, """{"message":"bad request"}""");
        }
    }

    public static string Text(JsonElement body, string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new Refused();

    public static double Number(JsonElement body, string name, double most) =>
        double.TryParse(Text(body, name), System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var n) && Math.Abs(n) <= most ? n : throw new Refused();
}

public readonly record struct Point(double Lat, double Lon)
{
    public static Point Of(JsonElement body) => new(Rules.Number(body, "lat", 90), Rules.Number(body, "lon", 180));

    /// <summary>Metres to another point. It ignores the earth's curve, which is exact enough for some 10 km.</summary>
    public double Distance(Point to)
    {
        const double degree = 111194.93;
        var (y, x) = ((to.Lat - Lat) * degree, (to.Lon - Lon) * degree * Math.Cos(Lat * Math.PI / 180));
        return Math.Sqrt(x * x + y * y);
    }

    /// <summary>The point's cell and its eight neighbours: from the centre to the north, then clockwise.</summary>
    public string[] Cells()
    {
        var (x, y) = ((int)Math.Min((Lon + 180) / 360 * 1024, 1023), (int)Math.Min((Lat + 90) / 180 * 1024, 1023));
        (int X, int Y)[] around = [(0, 0), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)];
        return [.. around.Select(d => Hash((x + d.X) & 1023, (y + d.Y) & 1023))];
    }

    /// <summary>The geohash of a cell: 4 characters of 5 bits. Bits of x and y alternate.</summary>
    static string Hash(int x, int y)
    {
        var bits = 0;
        for (var i = 9; i >= 0; i--)
            bits = bits << 2 | (x >> i & 1) << 1 | (y >> i & 1);
        return string.Concat(new[] { 15, 10, 5, 0 }.Select(shift => "0123456789bcdefghjkmnpqrstuvwxyz"[bits >> shift & 31]));
    }
}
