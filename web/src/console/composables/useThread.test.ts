import type { Ref } from 'vue'
import type { Api } from '../api/api'
import type { ConversationOut, MessageOut, MessagesOut } from '../api/types'
import type { Thread } from './useThread'
import { beforeEach, describe, expect, it } from 'vitest'
import { effectScope, ref } from 'vue'
import { ApiError } from '../api/errors'
import { aMessage, anEvent, aRow } from '../testing/factories'
import { FakeLive, Requests, settled } from '../testing/server'
import { useThread } from './useThread'

let live: FakeLive
let details: Requests<ConversationOut>
let pages: Requests<MessagesOut>
let single: Requests<MessageOut>
let id: Ref<string | null>
let thread: Thread

beforeEach(() => {
  live = new FakeLive()
  details = new Requests()
  pages = new Requests()
  single = new Requests()
  id = ref<string | null>(null)
  const api = { conversation: details.ask, messages: pages.ask, message: single.ask } as unknown as Api
  thread = effectScope().run(() => useThread(id, api, live, { put: () => {}, row: () => undefined }))!
})

const texts = (): string[] => thread.messages.value.map(message => message.text)
const seqs = (): number[] => thread.messages.value.map(message => message.seq)
const deliveryOf = (seq: number): string | undefined => thread.messages.value.find(message => message.seq === seq)?.delivery.state
const page = (items: MessageOut[], has_more = false): MessagesOut => ({ items, has_more })
const ours = (seq: number, state: 'pending' | 'sent'): MessageOut => aMessage(seq, { author: 'agent', delivery: { state, error: null, is_held: false } })
const range = (from: number, to: number): MessageOut[] => Array.from({ length: to - from + 1 }, (_, index) => aMessage(from + index))

/** Open the first conversation, with these messages and no others. */
async function opened(items: MessageOut[], has_more = false): Promise<void> {
  id.value = 'c1'
  await details.answer(0, { row: aRow(), summary: null })
  await pages.answer(0, page(items, has_more))
  expect(thread.status.value).toBe('ready')
}

describe('switching conversations', () => {
  it('never shows the previous customer, however late their answer comes', async () => {
    id.value = 'c1'
    id.value = 'c2'
    await details.answer(1, { row: aRow({ id: 'c2' }), summary: null })
    await pages.answer(1, page([aMessage(1, { text: '第二位顾客' })]))
    await details.answer(0, { row: aRow(), summary: { reason: null, wanted: '退款', tried: [], orders: [] } })
    await pages.answer(0, page([aMessage(9, { text: '第一位顾客' })]))
    expect(texts()).toEqual(['第二位顾客'])
    expect(thread.summary.value).toBeNull()
  })

  it('empties at once, and drops older messages that were still on their way', async () => {
    await opened([aMessage(5)], true)
    void thread.loadOlder()
    id.value = 'c2'
    expect(texts()).toEqual([])
    await pages.answer(1, page([aMessage(4)]))
    expect(texts()).toEqual([])
  })

  it('tells a conversation that is gone from one that cannot be loaded', async () => {
    id.value = 'c1'
    await details.fail(0, new ApiError(404, 'not_found', ''))
    expect(thread.status.value).toBe('missing')
    id.value = 'c2'
    await details.fail(1)
    expect(thread.status.value).toBe('failed')
  })
})

describe('the live feed', () => {
  it('fetches what was told of while the thread was loading', async () => {
    id.value = 'c1'
    live.update([anEvent('message_added', { message_id: 'm2' })])
    expect(pages.asked).toHaveLength(1)
    await details.answer(0, { row: aRow(), summary: null })
    await pages.answer(0, page([aMessage(1)]))
    expect(pages.asked[1]?.[1]).toEqual({ after: 1 })
    await pages.answer(1, page([aMessage(2)]))
    expect(seqs()).toEqual([1, 2])
  })

  it('looks once more when a message was told of while it was fetching', async () => {
    await opened([aMessage(1)])
    live.update([anEvent('message_added')])
    live.update([anEvent('message_added')])
    expect(pages.asked).toHaveLength(2)
    await pages.answer(1, page([aMessage(2)]))
    await pages.answer(2, page([aMessage(3)]))
    expect(seqs()).toEqual([1, 2, 3])
  })

  it('tries again when the line comes back, what it failed to fetch', async () => {
    await opened([aMessage(1)])
    live.update([anEvent('message_added')])
    await pages.fail(1)
    live.say({ type: 'hello', cursor: 2, agent: { id: 'a', username: 'a', name: 'a', role: 'agent', status: 'online', open_count: 0 } })
    await pages.answer(2, page([aMessage(2)]))
    expect(seqs()).toEqual([1, 2])
  })

  it('keeps no old state of a message that changed before it was here', async () => {
    await opened([aMessage(1)])
    live.update([anEvent('message_added', { message_id: 'm2' })])
    live.update([anEvent('message_changed', { message_id: 'm2' })])
    // Read before the change, answered after it was told.
    await pages.answer(1, page([ours(2, 'pending')]))
    await single.answer(0, ours(2, 'sent'))
    expect(deliveryOf(2)).toBe('sent')
  })

  it('shows the newest state of a message that changes while it is being fetched', async () => {
    await opened([ours(1, 'pending')])
    live.update([anEvent('message_changed', { message_id: 'm1' })])
    live.update([anEvent('message_changed', { message_id: 'm1' })])
    expect(single.asked).toHaveLength(1)
    await single.answer(0, ours(1, 'pending'))
    await single.answer(1, ours(1, 'sent'))
    expect(deliveryOf(1)).toBe('sent')
  })

  it('is not set back by the answer to a send that comes after the news of its delivery', async () => {
    await opened([aMessage(1), ours(2, 'sent')])
    thread.accept('c1', ours(2, 'pending'))
    expect(deliveryOf(2)).toBe('sent')
    thread.accept('c1', ours(3, 'pending'))
    thread.accept('c2', ours(4, 'pending'))
    expect(seqs()).toEqual([1, 2, 3])
  })
})

describe('when too much was missed', () => {
  const reset = (): void => live.say({ type: 'reset', cursor: 9 })

  it('joins the new end to what is there', async () => {
    await opened(range(1, 3))
    reset()
    await details.answer(1, { row: aRow(), summary: null })
    await pages.answer(1, page(range(2, 5), true))
    expect(seqs()).toEqual([1, 2, 3, 4, 5])
  })

  it('shows no hole: what does not join is left to be loaded again', async () => {
    await opened(range(1, 3))
    reset()
    await details.answer(1, { row: aRow(), summary: null })
    await pages.answer(1, page(range(50, 52), true))
    expect(seqs()).toEqual([50, 51, 52])
    expect(thread.hasOlder.value).toBe(true)
  })

  it('shows no hole either when an earlier fetch answers afterwards', async () => {
    await opened(range(1, 3))
    live.update([anEvent('message_added')])
    reset()
    await details.answer(1, { row: aRow(), summary: null })
    await pages.answer(2, page(range(50, 52), true))
    await pages.answer(1, page(range(4, 6), true))
    expect(seqs()).toEqual([50, 51, 52])
    expect(pages.asked[3]?.[1]).toEqual({ after: 52 })
  })

  it('begins anew where it was still loading', async () => {
    id.value = 'c1'
    reset()
    await details.answer(0, { row: aRow(), summary: null })
    await pages.answer(0, page([aMessage(1, { text: '旧的' })]))
    expect(thread.status.value).toBe('loading')
    await details.answer(1, { row: aRow(), summary: null })
    await pages.answer(1, page([aMessage(1, { text: '新的' })]))
    expect(texts()).toEqual(['新的'])
  })
})

it('marks where the customer has not been read, as it was when the thread was opened', async () => {
  id.value = 'c1'
  await details.answer(0, { row: aRow({ unread: 2 }), summary: null })
  await pages.answer(0, page(range(1, 4)))
  expect(thread.newFrom.value).toBe(3)
  thread.accept('c1', aMessage(5))
  await settled()
  expect(thread.newFrom.value).toBe(3)
})
