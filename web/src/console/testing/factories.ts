import type { EventOut, MessageOut, Row, RowsOut, UploadOut } from '../api/types'

export const ME = 'agent-me'

/** A conversation that waits in the queue. */
export function aRow(more: Partial<Row> = {}): Row {
  return {
    id: 'c1',
    customer: { id: 'u1', name: '访客 3F2A', channel: 'web' },
    state: 'waiting',
    mode: 'live',
    assignee: null,
    reason: 'asked',
    reason_text: null,
    queued_at: '2026-11-23T07:00:00.000Z',
    position: 1,
    opened_at: '2026-11-23T06:50:00.000Z',
    closed_at: null,
    closing_at: null,
    last_message: null,
    last_seq: 0,
    unread: 0,
    version: 1,
    csat: null,
    account: 'shop',
    is_group: false,
    unreachable: null,
    budget: null,
    ...more,
  }
}

/** A conversation that this agent has, with unread words of the customer. */
export function myRow(more: Partial<Row> = {}): Row {
  return aRow({
    state: 'agent',
    mode: null,
    assignee: { id: ME, name: '小美' },
    queued_at: null,
    position: null,
    last_message: { author: 'customer', preview: '在吗', at: '2026-11-23T07:01:00.000Z', seq: 5 },
    unread: 1,
    ...more,
  })
}

/** The customer's message at `seq`. */
export function aMessage(seq: number, more: Partial<MessageOut> = {}): MessageOut {
  return {
    id: `m${seq}`,
    conversation_id: 'c1',
    seq,
    author: 'customer',
    author_id: null,
    author_name: null,
    client_id: null,
    kind: 'text',
    text: `第 ${seq} 句`,
    quoted: '',
    secrets: [],
    buttons: [],
    attachments: [],
    at: '2026-11-23T07:00:00.000Z',
    delivery: { state: 'none', error: null, is_held: false },
    turn: null,
    ...more,
  }
}

export function aPage(items: Row[], more: Partial<RowsOut> = {}): RowsOut {
  return { items, next: null, counts: { queue: items.length, mine: 0, bot: 0 }, ...more }
}

export function anEvent(kind: EventOut['kind'], more: Partial<EventOut> = {}): EventOut {
  return { id: 1, kind, conversation_id: 'c1', message_id: null, detail: null, ...more }
}

export function anUpload(id = 'up1'): UploadOut {
  return { id, kind: 'image', url: `/media/${id}`, name: `${id}.png`, mime: 'image/png', size: 10, width: 1, height: 1 }
}
