import type { Entry } from './timeline'
import { dayOf } from './dates'
import { chosen, pressable, ratingOf } from './timeline'

/** What the list shows, top to bottom. */
export type Row
  = { type: 'day', key: string, at: string }
    | { type: 'message', key: string, entry: Entry, opens: boolean, closes: boolean, canPress: boolean, chosen: string | null }
    | { type: 'notice', key: string, entry: Entry, canPress: boolean, chosen: string | null }
    | { type: 'rating', key: string, entry: Entry, rating: number | 'open' | null }

/** Messages of one author closer than this share one name and one time. */
const GROUP_MS = 3 * 60 * 1000

/** Lay the messages out: days, groups of one author, who may still press what. */
export function rowsOf(entries: readonly Entry[]): Row[] {
  const usable = pressable(entries)
  const rows: Row[] = []
  let day: string | null = null
  entries.forEach((entry, index) => {
    const today = dayOf(entry.at)
    if (today !== day)
      rows.push({ type: 'day', key: `day ${today} ${entry.key}`, at: entry.at })
    const row = rowOf(entries, index, today !== day, usable)
    day = today
    if (row !== null)
      rows.push(row)
  })
  return rows
}

function rowOf(entries: readonly Entry[], index: number, isNewDay: boolean, usable: ReadonlySet<string>): Row | null {
  const entry = entries[index]!
  if (entry.kind === 'csat') {
    // The customer's stars are shown by the card that asked for them.
    const asked = entries.slice(0, index).some(earlier => earlier.kind === 'csat' && earlier.author !== 'customer')
    if (entry.author === 'customer' && asked)
      return null
    if (entry.author !== 'customer')
      return { type: 'rating', key: entry.key, entry, rating: ratingOf(entries, index) }
  }
  if (entry.author === 'system')
    return { type: 'notice', key: entry.key, entry, canPress: usable.has(entry.key), chosen: chosen(entries, index) }
  return {
    type: 'message',
    key: entry.key,
    entry,
    opens: isNewDay || !belong(entries[index - 1], entry),
    closes: !belong(entry, entries[index + 1]),
    canPress: usable.has(entry.key),
    chosen: chosen(entries, index),
  }
}

function belong(one: Entry | undefined, next: Entry | undefined): boolean {
  return one !== undefined && next !== undefined && one.author === next.author && one.name === next.name
    && next.kind !== 'csat' && dayOf(one.at) === dayOf(next.at)
    && Date.parse(next.at) - Date.parse(one.at) < GROUP_MS
}
