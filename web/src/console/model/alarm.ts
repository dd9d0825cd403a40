import type { Row } from '../api/types'

/** While somebody waits live, it rings again every so often; after hours, when nobody expects an answer at once, rarely. */
const LIVE_EVERY_MS = 20_000
const AFTER_HOURS_EVERY_MS = 180_000

/**
 * Which waiting conversations must ring now.
 *
 * @param rangAt when each rang last, by conversation id, in ms; those that do not wait any more may be left in.
 */
export function ringing(waiting: readonly Row[], rangAt: ReadonlyMap<string, number>, now: number): Row[] {
  return waiting.filter((row) => {
    const last = rangAt.get(row.id)
    const every = row.mode === 'after_hours' ? AFTER_HOURS_EVERY_MS : LIVE_EVERY_MS
    return last === undefined || now - last >= every
  })
}
