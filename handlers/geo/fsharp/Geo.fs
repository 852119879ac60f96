namespace Geo

open System
open System.Globalization
open System.Text.Encodings.Web
open System.Text.Json
open System.Text.Json.Serialization
open System.Threading.Tasks
open Amazon.Lambda.Core
open Amazon.Lambda.Serialization.SystemTextJson

/// The part of a function URL's or a REST API's event that is read.
[<CLIMutable>]
type Event = { [<JsonPropertyName "body">] Body: string }

/// A response for function URLs and REST APIs.
[<CLIMutable>]
type Answer = { [<JsonPropertyName "statusCode">] StatusCode: int; [<JsonPropertyName "body">] Body: string }

/// The request lacks something.
exception Refused

/// What the functions share: the event and the answer. ../README.md has the rules.
module Rules =
    [<assembly: LambdaSerializer(typeof<DefaultLambdaJsonSerializer>)>]
    do ()

    let private options = JsonSerializerOptions(PropertyNamingPolicy = JsonNamingPolicy.CamelCase, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping)

    /// Answers an event with the result of a function of its body.
    let answer (e: Event) (f: JsonElement -> Task<'a>) : Task<Answer> =
        task {
            try
                use body = JsonDocument.Parse(if isNull e.Body then "" else e.Body)
                let! found = f body.RootElement
                return { StatusCode = 200; Body = JsonSerializer.Serialize(found, options) }
            with
            | Refused
            | :? JsonException -> return { StatusCode = 400; Body = """{"message":"bad request"}""" }
        }

    let text (name: string) (body: JsonElement) =
        let mutable value = Unchecked.defaultof<JsonElement>
        if body.ValueKind = JsonValueKind.Object && body.TryGetProperty(name, &value) && value.ValueKind = JsonValueKind.String then value.GetString()
        else raise Refused

    let number name (most: float) body =
        match Double.TryParse(text name body, NumberStyles.Float, CultureInfo.InvariantCulture) with
        | true, n when abs n <= most -> n
        | _ -> raise Refused

type Point =
    { Lat: float; Lon: float }

    static member Of body = { Lat = Rules.number "lat" 90.0 body; Lon = Rules.number "lon" 180.0 body }

    /// Metres to another point. It ignores the earth's curve, which is exact enough for some 10 km.
    member p.Distance(other: Point) =
        let degree = 111194.93
        let y, x = (other.Lat - p.Lat) * degree, (other.Lon - p.Lon) * degree * cos (p.Lat * Math.PI / 180.0)
        sqrt (x * x + y * y)

    /// The point's cell and its eight neighbours: from the centre to the north, then clockwise.
    member p.Cells =
        // The geohash of a cell: 4 characters of 5 bits. Bits of x and y alternate.
        let hash x y =
            let bits = Seq.fold (fun bits i -> bits <<< 2 ||| ((x >>> i &&& 1) <<< 1) ||| (y >>> i &&& 1)) 0 { 9 .. -1 .. 0 }
            String [| for shift in [ 15; 10; 5; 0 ] -> "0123456789bcdefghjkmnpqrstuvwxyz".[bits >>> shift &&& 31] |]
        let x, y = int (min ((p.Lon + 180.0) / 360.0 * 1024.0) 1023.0), int (min ((p.Lat + 90.0) / 180.0 * 1024.0) 1023.0)
        [ for dx, dy in [ 0, 0; 0, 1; 1, 1; 1, 0; 1, -1; 0, -1; -1, -1; -1, 0; -1, 1 ] -> hash ((x + dx) &&& 1023) ((y + dy) &&& 1023) ]
