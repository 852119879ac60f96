import { handlerOf } from './geo.mjs'
import { search } from './table.mjs'

export const handler = handlerOf((body) => search(body, (query, cells) => Promise.all(cells.map(query))))
