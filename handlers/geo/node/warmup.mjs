import { touch } from './table.mjs'

export const handler = async () => {
  await touch()
  return { statusCode: 200, body: '{"warm":true}' }
}
