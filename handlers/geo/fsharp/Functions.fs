namespace Geo

open System.Threading.Tasks
open Amazon.DynamoDBv2
open Amazon.Lambda.Core

type WaveAnswer = { Lat: string; Lon: string; Radius: string }

type SaveAnswer = { Pk: string; Sk: string; Gpk: string }

/// Reads a point and writes it again.
type Wave() =
    member _.Handle(e: Event) : Task<Answer> =
        Rules.answer e (fun body ->
            Point.Of body |> ignore
            Task.FromResult { Lat = Rules.text "lat" body; Lon = Rules.text "lon" body; Radius = Rules.text "radius" body })

/// Puts an item into the table.
type Save() =
    let table = Table()

    member _.Handle(e: Event, context: ILambdaContext) : Task<Answer> =
        Rules.answer e (fun body ->
            task {
                let gpk, owner, name = (Point.Of body).Cells.Head, Rules.text "owner" body, Rules.text "name" body
                let pk, sk = "RT:" + owner, name + "#" + context.AwsRequestId
                let! _ =
                    table.Put
                        [ "pk", pk
                          "sk", sk
                          "gpk", gpk
                          "gsk", pk + ":" + sk
                          "owner", owner
                          "name", name
                          "lat", Rules.text "lat" body
                          "lon", Rules.text "lon" body ]
                return { Pk = pk; Sk = sk; Gpk = gpk }
            })

/// Finds items round a point by nine queries one after the other.
type Search() =
    let table = Table()

    member _.Handle(e: Event) : Task<Answer> = Rules.answer e (fun body -> table.Search(false, body))

/// Finds items round a point by nine queries at once.
type SearchConcurrent() =
    let table = Table()

    member _.Handle(e: Event) : Task<Answer> = Rules.answer e (fun body -> table.Search(true, body))

/// Makes a client in INIT, and no call.
type Client() =
    let _client = new AmazonDynamoDBClient(AmazonDynamoDBConfig(MaxErrorRetry = 0))

    member _.Handle() : Answer = { StatusCode = 200; Body = """{"warm":true}""" }

/// Makes one call.
type Warmup() =
    let table = Table()

    member _.Handle() : Task<Answer> =
        task {
            let! _ = table.Touch()
            return { StatusCode = 200; Body = """{"warm":true}""" }
        }
