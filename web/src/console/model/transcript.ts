import type { MessageOut } from '../api/types'

/** Join messages into a transcript: ascending by `seq`, each once; of two with the same id the later given one stays. */
export function merged(known: readonly MessageOut[], more: readonly MessageOut[]): MessageOut[] {
  if (more.length === 0)
    return [...known]
  const byId = new Map(known.map(message => [message.id, message]))
  more.forEach(message => byId.set(message.id, message))
  return [...byId.values()].sort((one, other) => one.seq - other.seq)
}

/** The customer's first unread message, or `null`: `unread` counts the customer's newest ones. */
export function firstUnread(messages: readonly MessageOut[], unread: number): number | null {
  const theirs = messages.filter(message => message.author === 'customer')
  return unread <= 0 ? null : theirs[Math.max(0, theirs.length - unread)]?.seq ?? null
}

/**
 * For each bot turn, the message that shows its reasons: the bot's first one in it, or, where the bot stayed silent, the
 * customer's last one.
 */
export function reasonHosts(messages: readonly MessageOut[]): Set<string> {
  const hosts = new Map<string, MessageOut>()
  for (const message of messages) {
    if (message.turn === null)
      continue
    const host = hosts.get(message.turn.id)
    if (host === undefined || (host.author === 'customer' && host.seq < message.seq))
      hosts.set(message.turn.id, message)
  }
  return new Set([...hosts.values()].map(message => message.id))
}
