import type { ListQuery, Row, State } from '../api/types'

export type View = ListQuery['view']

export const VIEWS: readonly View[] = ['queue', 'mine', 'bot', 'all', 'closed']

/** Whether a conversation belongs in a list. */
export function belongs(row: Row, view: View, me: string): boolean {
  switch (view) {
    case 'queue': return row.state === 'waiting'
    case 'mine': return row.state === 'agent' && row.assignee?.id === me
    case 'bot': return row.state === 'bot'
    case 'all': return row.state !== 'closed'
    case 'closed': return row.state === 'closed'
  }
}

/** Order of a list: the queue by waiting time, longest first; the others newest first. Ids decide between equals. */
export function compareRows(view: View): (one: Row, other: Row) => number {
  const sign = view === 'queue' ? 1 : -1
  return (one, other) => {
    const [a, b] = [momentOf(one, view), momentOf(other, view)]
    if (a !== b)
      return a < b ? -sign : sign
    return one.id === other.id ? 0 : (one.id < other.id ? -sign : sign)
  }
}

function momentOf(row: Row, view: View): string {
  return view === 'queue' ? row.queued_at ?? row.opened_at : row.last_message?.at ?? row.opened_at
}

/**
 * The rows of a list, in order, out of everything that is known.
 *
 * @param lastLoaded the last row of the pages loaded so far, or `null` when all are loaded. What lies beyond it is left
 *   out: between it and a row that came by a live update there may be others that were never loaded.
 */
export function rowsOf(rows: Iterable<Row>, view: View, me: string, lastLoaded: Row | null): Row[] {
  const compare = compareRows(view)
  return [...rows]
    .filter(row => belongs(row, view, me) && (lastLoaded === null || compare(row, lastLoaded) <= 0))
    .sort(compare)
}

/** Whether `next` may take the place of `known`: an answer that was overtaken by a live update must not. */
export function isNewer(next: Row, known: Row | undefined): boolean {
  return known === undefined || next.version >= known.version
}

export interface Holding { state: State, isMine: boolean, holder: string | null }

/** Whose a conversation is, seen by `me`. */
export function holding(row: Row, me: string): Holding {
  const isMine = row.state === 'agent' && row.assignee?.id === me
  return { state: row.state, isMine, holder: row.state === 'agent' && !isMine ? row.assignee?.name ?? '' : null }
}

/**
 * Whether looking at it counts as having read it.
 *
 * The unread count is one for all agents: a glance at what waits, or at what a colleague has, must not take theirs away.
 */
export function readsOnSight(row: Row, me: string): boolean {
  return row.state === 'agent' ? row.assignee?.id === me : row.state !== 'waiting'
}

/** Since when the customer waits for a person's word; `null` when nobody waits for us. */
export function waitsSince(row: Row): string | null {
  if (row.state === 'waiting')
    return row.queued_at
  if (row.state === 'agent' && row.last_message?.author === 'customer')
    return row.last_message.at
  return null
}

export type Urgency = 'calm' | 'soon' | 'late'

const SOON_S = 60
/** The trade counts first answers within three minutes. */
const LATE_S = 180

export function urgency(waitedS: number): Urgency {
  return waitedS >= LATE_S ? 'late' : waitedS >= SOON_S ? 'soon' : 'calm'
}
