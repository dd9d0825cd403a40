import type { MessageOut } from '../api/types'
import type { Outgoing } from './outgoing'
import { reasonHosts } from './transcript'

/** What the thread shows, one after the other. */
export type Line
  = | { type: 'day', key: string, at: string }
    | { type: 'new', key: string }
    | { type: 'notice', key: string, message: MessageOut }
    | { type: 'message', key: string, message: MessageOut, opens: boolean, showsReasons: boolean }
    | { type: 'outgoing', key: string, outgoing: Outgoing, opens: boolean }

/** Messages of the same hand within this time share one heading. */
const TOGETHER_MS = 3 * 60_000

/**
 * Lay a transcript out.
 *
 * @param newFrom the first message that was unread when the thread was opened, by its `seq`.
 * @param dayOf the agent's calendar day of a time.
 */
export function linesOf(
  messages: readonly MessageOut[],
  outgoing: readonly Outgoing[],
  newFrom: number | null,
  dayOf: (at: string) => string,
): Line[] {
  const lines: Line[] = []
  const hosts = reasonHosts(messages)
  let previous: MessageOut | null = null
  let day = ''
  for (const message of messages) {
    if (dayOf(message.at) !== day) {
      day = dayOf(message.at)
      lines.push({ type: 'day', key: `day:${message.id}`, at: message.at })
      previous = null
    }
    if (message.seq === newFrom) {
      lines.push({ type: 'new', key: 'new' })
      previous = null
    }
    if (message.kind === 'notice' || (message.author === 'system' && message.kind !== 'note')) {
      lines.push({ type: 'notice', key: message.id, message })
      previous = null
    }
    else {
      lines.push({ type: 'message', key: message.id, message, opens: opens(previous, message), showsReasons: hosts.has(message.id) })
      previous = message
    }
  }
  const stored = new Set(messages.map(message => message.client_id))
  const unstored = outgoing.filter(one => !stored.has(one.clientId))
  return [...lines, ...unstored.map((one, index): Line => ({
    type: 'outgoing',
    key: `out:${one.clientId}`,
    outgoing: one,
    opens: index === 0 || unstored[index - 1]?.note !== one.note,
  }))]
}

function opens(previous: MessageOut | null, message: MessageOut): boolean {
  return previous === null
    || previous.author !== message.author
    || previous.kind !== message.kind
    || previous.author_name !== message.author_name
    || Date.parse(message.at) - Date.parse(previous.at) > TOGETHER_MS
}
