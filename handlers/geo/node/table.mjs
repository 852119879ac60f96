// The table, with a client that has made its first call: INIT has more CPU than invocations have.
import { GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb'
import { client } from './client.mjs'
import { cells, distance, number, point, texts } from './geo.mjs'

export { client }

// Reads an item that is not there.
export const touch = () => client.send(new GetItemCommand({ TableName: 'geo', Key: { pk: { S: 'nil' }, sk: { S: 'nil' } } }))

await touch()

// Answers a search; pages runs a query for each of nine cells.
export const search = async (body, pages) => {
  const [lat, lon] = point(body)
  const [owner, radius] = texts(body, 'owner', 'radius')
  const metres = number(radius, 1e9)
  const query = async (cell) => {
    const page = await client.send(
      new QueryCommand({
        TableName: 'geo',
        IndexName: 'geo-index',
        KeyConditionExpression: 'gpk = :g and begins_with(gsk, :o)',
        ExpressionAttributeValues: { ':g': { S: cell }, ':o': { S: `RT:${owner}:` } },
      })
    )
    return page.Items
  }
  const found = (await pages(query, cells(lat, lon))).flat().map((item) => ({ name: item.name.S, lat: item.lat.S, lon: item.lon.S }))
  const items = found.filter((item) => distance(lat, lon, Number(item.lat), Number(item.lon)) <= metres)
  return { count: items.length, items }
}
