namespace Geo

open System.Collections.Generic
open System.Globalization
open System.Threading.Tasks
open Amazon.DynamoDBv2
open Amazon.DynamoDBv2.Model

type Found = { Name: string; Lat: string; Lon: string }

type SearchAnswer = { Count: int; Items: List<Found> }

/// The table, with a client that has made its first call: INIT has more CPU than invocations have.
type Table() =
    let client = new AmazonDynamoDBClient(AmazonDynamoDBConfig(MaxErrorRetry = 0))

    let attributes (values: (string * string) list) =
        let all = Dictionary<string, AttributeValue>()
        for name, value in values do
            all.Add(name, AttributeValue value)
        all

    let touch () = client.GetItemAsync("geo", attributes [ "pk", "nil"; "sk", "nil" ])

    do touch().GetAwaiter().GetResult() |> ignore

    /// Reads an item that is not there.
    member _.Touch() = touch ()

    member _.Put(values) = client.PutItemAsync("geo", attributes values)

    /// Answers a search: nine queries, one after the other or at once.
    member _.Search(atOnce, body) =
        let centre, owner, radius = Point.Of body, Rules.text "owner" body, Rules.number "radius" 1e9 body
        let query (cell: string) =
            client.QueryAsync(
                QueryRequest(
                    TableName = "geo",
                    IndexName = "geo-index",
                    KeyConditionExpression = "gpk = :g and begins_with(gsk, :o)",
                    ExpressionAttributeValues = attributes [ ":g", cell; ":o", "RT:" + owner + ":" ]
                )
            )
        task {
            let pages = List<QueryResponse>()
            if atOnce then
                let! all = Task.WhenAll(List.map query centre.Cells)
                pages.AddRange all
            else
                for cell in centre.Cells do
                    let! page = query cell
                    pages.Add page
            let number (text: string) = System.Double.Parse(text, CultureInfo.InvariantCulture)
            let items = List<Found>()
            for page in pages do
                if not (isNull page.Items) then
                    for item in page.Items do
                        let found = { Name = item.["name"].S; Lat = item.["lat"].S; Lon = item.["lon"].S }
                        if centre.Distance { Lat = number found.Lat; Lon = number found.Lon } <= radius then
                            items.Add found
            return { Count = items.Count; Items = items }
        }
