import type { AckFrame, Attachment, Author, ConversationState, HelloFrame, HistoryFrame, MessageFrame, QuickReply, StateFrame } from '../net/protocol'

/** One message as the page shows it. */
export interface Entry {
  /** Stays the same when an own message is acknowledged, so that its bubble is not drawn anew. */
  key: string
  /** `null` until the server has stored it. */
  seq: number | null
  id: string | null
  clientId: string | null
  author: Author
  name: string | null
  kind: 'text' | 'csat'
  text: string
  /** ISO 8601, UTC. */
  at: string
  buttons: readonly QuickReply[]
  attachments: readonly Attachment[]
  /** How to see again what is hidden in it; `null` where nothing is. */
  verify: QuickReply | null
  delivery: 'sent' | 'sending' | 'failed'
  /** Why it failed, ready to be shown; `null` when the line just broke. */
  problem: string | null
}

/** The whole conversation as plain data; every function below gives back a new one. */
export interface Timeline {
  visitorId: string | null
  /** Stored ones by `seq`, then own ones on their way in the order in which they were written. */
  entries: readonly Entry[]
  /** Highest number seen in a message or an acknowledgement; where to resume. */
  lastSeq: number
  /** Earlier messages than the first one exist. */
  hasMore: boolean
  state: ConversationState
  agent: string | null
  /** Place in the queue, from 1; `null` when unknown or not waiting. */
  position: number | null
  /** Waiting, and nobody is there now: an answer will come later. */
  isAfterHours: boolean
}

export function emptyTimeline(): Timeline {
  return { visitorId: null, entries: [], lastSeq: 0, hasMore: false, state: 'bot', agent: null, position: null, isAfterHours: false }
}

/** The page is about to connect as this visitor; another one's messages go, what was not sent yet stays. */
export function ownedBy(timeline: Timeline, visitorId: string): Timeline {
  return timeline.visitorId === null || timeline.visitorId === visitorId
    ? { ...timeline, visitorId }
    : { ...onlyUnsent(timeline), visitorId }
}

/** The server has said what it holds; everything above `lastSeq` follows. */
export function greeted(timeline: Timeline, hello: HelloFrame): Timeline {
  const told = { state: hello.state, agent: hello.agent ?? null, position: hello.position ?? null, isAfterHours: hello.mode === 'after_hours' }
  // It knows less than we do: its data was restored, and our numbers mean other messages now.
  if (hello.last_seq < timeline.lastSeq)
    return { ...onlyUnsent(timeline), ...told, visitorId: hello.visitor_id, lastSeq: hello.last_seq, hasMore: hello.last_seq > 0 }
  // More was missed than it repeats: keeping the old messages would hide a gap. Scrolling up fetches them again.
  if (hello.has_more)
    return { ...onlyUnsent(timeline), ...told, visitorId: hello.visitor_id, lastSeq: timeline.lastSeq, hasMore: true }
  return { ...timeline, ...told, visitorId: hello.visitor_id }
}

function onlyUnsent(timeline: Timeline): Timeline {
  return { ...emptyTimeline(), entries: timeline.entries.filter(entry => entry.seq === null) }
}

/** A message has come: new, repeated, from another tab of the same visitor, or our own coming back. */
export function received(timeline: Timeline, frame: MessageFrame): Timeline {
  return {
    ...timeline,
    entries: inserted(timeline.entries, entryOf(frame)),
    lastSeq: Math.max(timeline.lastSeq, frame.seq),
  }
}

/** Our message is stored and has its number. */
export function acknowledged(timeline: Timeline, ack: AckFrame): Timeline {
  const mine = timeline.entries.find(entry => entry.clientId === ack.client_id)
  const lastSeq = Math.max(timeline.lastSeq, ack.seq)
  if (mine === undefined)
    return { ...timeline, lastSeq }
  const stored: Entry = { ...mine, seq: ack.seq, id: ack.id, delivery: 'sent', problem: null }
  return { ...timeline, entries: inserted(timeline.entries, stored), lastSeq }
}

/** Who may speak now has changed. */
export function turned(timeline: Timeline, frame: StateFrame): Timeline {
  return { ...timeline, state: frame.state, agent: frame.agent ?? null, position: frame.position ?? null, isAfterHours: frame.mode === 'after_hours' }
}

/** Earlier messages, asked for by scrolling up. */
export function historyMerged(timeline: Timeline, frame: HistoryFrame): Timeline {
  return {
    ...timeline,
    entries: frame.items.reduce<readonly Entry[]>((entries, item) => inserted(entries, entryOf(item)), timeline.entries),
    hasMore: frame.has_more && frame.items.length > 0,
  }
}

/** What the customer has just written, shown before the server knows of it. */
export function written(
  timeline: Timeline,
  own: { clientId: string, text: string, at: string, kind?: Entry['kind'], attachments?: readonly Attachment[] },
): Timeline {
  if (timeline.entries.some(entry => entry.clientId === own.clientId))
    return timeline
  const entry: Entry = {
    key: own.clientId,
    seq: null,
    id: null,
    clientId: own.clientId,
    author: 'customer',
    name: null,
    kind: own.kind ?? 'text',
    text: own.text,
    at: own.at,
    buttons: [],
    attachments: own.attachments ?? [],
    verify: null,
    delivery: 'sending',
    problem: null,
  }
  return { ...timeline, entries: [...timeline.entries, entry] }
}

/** An own message that is not stored yet changes: it failed, is tried again, its image has been uploaded. */
export function amended(timeline: Timeline, clientId: string, change: Partial<Pick<Entry, 'delivery' | 'problem' | 'attachments'>>): Timeline {
  return {
    ...timeline,
    entries: timeline.entries.map(entry => entry.clientId === clientId && entry.seq === null ? { ...entry, ...change } : entry),
  }
}

/** The customer gives up an own message that could not be sent. */
export function withdrawn(timeline: Timeline, clientId: string): Timeline {
  return { ...timeline, entries: timeline.entries.filter(entry => entry.clientId !== clientId || entry.seq !== null) }
}

/** The number before which history is asked for; `null` when nothing is stored yet. */
export function oldestSeq(timeline: Timeline): number | null {
  return timeline.entries.find(entry => entry.seq !== null)?.seq ?? null
}

/**
 * Keys of the messages whose buttons may still be pressed.
 *
 * A customer's word, a press included, answers everything before it.
 */
export function pressable(entries: readonly Entry[]): ReadonlySet<string> {
  const keys = new Set<string>()
  for (const entry of entries) {
    if (entry.author === 'customer' && entry.delivery !== 'failed')
      keys.clear()
    else if (entry.buttons.length > 0 && entry.id !== null)
      keys.add(entry.key)
  }
  return keys
}

/** Which button of a message the customer took, by the words that follow it; `null` for none. */
export function chosen(entries: readonly Entry[], index: number): string | null {
  const answer = entries.slice(index + 1).find(entry => entry.author === 'customer' && entry.delivery !== 'failed')
  return entries[index]?.buttons.find(button => button.label === answer?.text)?.id ?? null
}

/** What the customer made of a request for stars: 1 to 5, `'open'` while it may be answered, or `null`. */
export function ratingOf(entries: readonly Entry[], index: number): number | 'open' | null {
  const later = entries.slice(index + 1).filter(entry => entry.kind === 'csat')
  const answer = later[0]
  if (answer === undefined)
    return 'open'
  return answer.author === 'customer' ? starsIn(answer.text) : null
}

/** The customer's stars travel and are stored as words ("★★★★☆ 很快"). */
export function starsIn(text: string): number {
  return text.split('★').length - 1
}

export function starWords(score: number, comment: string): string {
  return `${'★'.repeat(score)}${'☆'.repeat(5 - score)} ${comment}`.trim()
}

function entryOf(frame: MessageFrame): Entry {
  return {
    key: frame.client_id ?? frame.id,
    seq: frame.seq,
    id: frame.id,
    clientId: frame.client_id ?? null,
    author: frame.author,
    name: frame.name ?? null,
    kind: frame.kind ?? 'text',
    text: frame.text,
    at: frame.at,
    buttons: frame.buttons ?? [],
    attachments: frame.attachments ?? [],
    verify: frame.verify ?? null,
    delivery: 'sent',
    problem: null,
  }
}

/** Put a stored message in its place; the same one (by id or by our own mark) is replaced, never doubled. */
function inserted(entries: readonly Entry[], entry: Entry): readonly Entry[] {
  const known = entries.find(other => same(other, entry))
  const merged = known === undefined ? entry : { ...entry, key: known.key, clientId: entry.clientId ?? known.clientId }
  const others = known === undefined ? entries : entries.filter(other => other !== known && !same(other, entry))
  const seq = entry.seq ?? 0
  // What failed stays where it was written; what is on its way comes after all that is stored.
  const later = others.findIndex(other => other.seq === null ? other.delivery === 'sending' : other.seq > seq)
  const place = later === -1 ? others.length : later
  return [...others.slice(0, place), merged, ...others.slice(place)]
}

function same(one: Entry, other: Entry): boolean {
  return (one.id !== null && one.id === other.id) || (one.clientId !== null && one.clientId === other.clientId)
}
