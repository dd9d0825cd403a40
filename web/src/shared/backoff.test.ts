import { expect, it } from 'vitest'
import { backoffMs } from './backoff'

const BACKOFF = { firstMs: 800, longestMs: 30_000 }

it('waits longer after each failure, up to the longest wait', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 50].map(failures => backoffMs(BACKOFF, failures, () => 1))
  expect(waits).toEqual([800, 1600, 3200, 6400, 12800, 25600, 30000, 30000])
})

it('draws the upper half by chance, so that pages do not come back all at once', () => {
  expect(backoffMs(BACKOFF, 3, () => 0)).toBe(1600)
  expect(backoffMs(BACKOFF, 3, () => 0.5)).toBe(2400)
})
