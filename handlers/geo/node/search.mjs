import { handlerOf } from './geo.mjs'
import { search } from './table.mjs'

const inTurn = async (query, cells) => {
  const pages = []
  for (const cell of cells) pages.push(await query(cell))
  return pages
}

export const handler = handlerOf((body) => search(body, inTurn))
