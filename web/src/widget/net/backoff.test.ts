import { expect, it } from 'vitest'
import { backoffMs } from './backoff'

it('waits longer after each failure, up to half a minute', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 50].map(attempt => backoffMs(attempt, () => 1))
  expect(waits).toEqual([800, 1600, 3200, 6400, 12800, 25600, 30000, 30000])
})

it('draws the upper half by chance, so that pages do not come back all at once', () => {
  expect(backoffMs(3, () => 0)).toBe(1600)
  expect(backoffMs(3, () => 0.5)).toBe(2400)
})
