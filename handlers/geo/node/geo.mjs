// What the functions share: the event, the answer, the cells of a map. ../README.md has the rules.

class Refused extends Error {}

// Makes a Lambda handler from a function that takes the event's body and returns the answer's body.
export const handlerOf = (handle) => async (event, context) => {
  try {
    const body = parse(event.body)
    return { statusCode: 200, body: JSON.stringify(await handle(body, context)) }
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return { statusCode: 400, body: '{"message":"bad request"}' }
  }
}

const parse = (text) => {
  let body
  try {
    body = JSON.parse(text)
  } catch {
    throw new Refused()
  }
  if (body === null || typeof body !== 'object') throw new Refused()
  return body
}

export const texts = (body, ...names) =>
  names.map((name) => {
    if (typeof body[name] !== 'string') throw new Refused()
    return body[name]
  })

export const number = (text, most) => {
  const n = text === '' ? NaN : Number(text)
  if (!(Math.abs(n) <= most)) throw new Refused()
  return n
}

export const point = (body) => {
  const [lat, lon] = texts(body, 'lat', 'lon')
  return [number(lat, 90), number(lon, 180)]
}

// The geohash of a cell: 4 characters of 5 bits. Bits of x and y alternate.
const hash = (x, y) => {
  let bits = 0
  for (let i = 9; i >= 0; i--) bits = (bits << 2) | (((x >> i) & 1) << 1) | ((y >> i) & 1)
  return [15, 10, 5, 0].map((shift) => '0123456789bcdefghjkmnpqrstuvwxyz'[(bits >> shift) & 31]).join('')
}

// The cell of a point and its eight neighbours: from the centre to the north, then clockwise.
export const cells = (lat, lon) => {
  const x = Math.floor(Math.min(((lon + 180) / 360) * 1024, 1023))
  const y = Math.floor(Math.min(((lat + 90) / 180) * 1024, 1023))
  const around = [[0, 0], [0, 1], [1, 1], [1, 0], [1, -1], [0, -1], [-1, -1], [-1, 0], [-1, 1]]
  return around.map(([dx, dy]) => hash((x + dx) & 1023, (y + dy) & 1023))
}

// Metres between two points. It ignores the earth's curve, which is exact enough for some 10 km.
export const distance = (lat1, lon1, lat2, lon2) => {
  const degree = 111194.93
  return Math.hypot((lat2 - lat1) * degree, (lon2 - lon1) * degree * Math.cos((lat1 * Math.PI) / 180))
}
