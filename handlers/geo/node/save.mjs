import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import { cells, handlerOf, point, texts } from './geo.mjs'
import { client } from './table.mjs'

export const handler = handlerOf(async (body, context) => {
  const [lat, lon] = point(body)
  const [owner, name] = texts(body, 'owner', 'name')
  const [pk, sk, gpk] = [`RT:${owner}`, `${name}#${context.awsRequestId}`, cells(lat, lon)[0]]
  const item = { pk, sk, gpk, gsk: `${pk}:${sk}`, owner, name, lat: body.lat, lon: body.lon }
  const attributes = Object.fromEntries(Object.entries(item).map(([field, value]) => [field, { S: value }]))
  await client.send(new PutItemCommand({ TableName: 'geo', Item: attributes }))
  return { pk, sk, gpk }
})
