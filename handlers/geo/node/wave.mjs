import { handlerOf, point, texts } from './geo.mjs'

export const handler = handlerOf((body) => {
  point(body)
  const [lat, lon, radius] = texts(body, 'lat', 'lon', 'radius')
  return { lat, lon, radius }
})
