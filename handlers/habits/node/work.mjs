// Reads a setting, writes five items, and digests some MB. It has the habits that guides praise, except the one that TWINSTART_CODE names:
// inside (the client is made in the handler), eager (modules are loaded that no event needs), reconnect (no connection is kept), fetched (the
// setting is read for each event), single (items are written one by one), cores (the digest is made on one core).
import { createHash, webcrypto } from 'node:crypto'
import { BatchWriteItemCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'

const lacks = process.env.TWINSTART_CODE
const TableName = process.env.TABLE ?? 'geo'
const connect = () => new DynamoDBClient({ maxAttempts: 1, requestHandler: { httpsAgent: { keepAlive: lacks !== 'reconnect' } } })
const outside = lacks === 'inside' ? undefined : connect()
if (lacks === 'eager') await Promise.all(['http2', 'inspector', 'repl', 'test', 'sqlite', 'dgram', 'readline'].map((name) => import(`node:${name}`).catch(() => 0)))

let kept
const setting = async (client) => {
  if (kept && lacks !== 'fetched') return kept
  const found = await client.send(new GetItemCommand({ TableName, Key: { pk: { S: 'levers' }, sk: { S: 'setting' } } }))
  return (kept = found.Item?.value?.S ?? 'none')
}

const write = async (client, items) => {
  if (lacks === 'single') for (const Item of items) await client.send(new PutItemCommand({ TableName, Item }))
  else await client.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: items.map((Item) => ({ PutRequest: { Item } })) } }))
}

const digest = async (mb) => {
  const parts = [0, 1, 2, 3].map((byte) => Buffer.alloc(mb << 18, byte))
  const one = (part) => webcrypto.subtle.digest('SHA-256', part) // in a thread
  const digests = []
  if (lacks === 'cores') for (const part of parts) digests.push(await one(part))
  else digests.push(...(await Promise.all(parts.map(one))))
  return createHash('sha256').update(Buffer.concat(digests.map((d) => Buffer.from(d)))).digest('hex')
}

export const handler = async (event) => {
  const client = outside ?? connect()
  const items = [0, 1, 2, 3, 4].map((i) => ({ pk: { S: 'levers' }, sk: { S: `item-${i}` }, value: { S: String(event.mb) } }))
  const value = await setting(client)
  await write(client, items)
  return { setting: value, written: items.length, digest: await digest(event.mb) }
}
