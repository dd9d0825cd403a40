import type { Api } from '../api/api'
import type { Row, RowsOut } from '../api/types'
import type { Conversations } from './useConversations'
import { beforeEach, describe, expect, it } from 'vitest'
import { effectScope } from 'vue'
import { anEvent, aPage, aRow, ME, myRow } from '../testing/factories'
import { FakeLive, Requests } from '../testing/server'
import { useConversations } from './useConversations'

let live: FakeLive
let lists: Requests<RowsOut>
let conversations: Conversations

beforeEach(() => {
  live = new FakeLive()
  lists = new Requests()
  conversations = effectScope().run(() => useConversations({ conversations: lists.ask } as unknown as Api, live, () => ME))!
})

const ids = (view: 'queue' | 'mine' | 'bot' | 'closed'): string[] => conversations.lists[view].value!.map(row => row.id)
const botRow = (id: string, more: Partial<Row> = {}): Row => aRow({ id, state: 'bot', queued_at: null, ...more })

/** Load anew; the queue and this agent's own are asked for, in this order. */
async function reloaded(queue: RowsOut, mine = aPage([])): Promise<void> {
  const first = lists.asked.length
  void conversations.reloadAll()
  await lists.answer(first, queue)
  await lists.answer(first + 1, mine)
}

describe('live updates', () => {
  it('bring a conversation that was never loaded into its list', async () => {
    await reloaded(aPage([]))
    live.update([anEvent('queue_changed')], [aRow()], { queue: 1, mine: 0, bot: 0 })
    expect(ids('queue')).toEqual(['c1'])
    expect(conversations.counts.value.queue).toBe(1)
  })

  it('move a conversation from one list to the other', async () => {
    await reloaded(aPage([aRow()]))
    live.update([anEvent('state_changed')], [myRow({ version: 2 })])
    expect(ids('queue')).toEqual([])
    expect(ids('mine')).toEqual(['c1'])
  })

  it('are not undone by a list that was read before them', async () => {
    void conversations.reloadAll()
    live.update([anEvent('state_changed')], [myRow({ version: 2 })], { queue: 0, mine: 1, bot: 0 })
    await lists.answer(0, aPage([aRow({ version: 1 })]))
    await lists.answer(1, aPage([]))
    expect(ids('queue')).toEqual([])
    expect(ids('mine')).toEqual(['c1'])
    expect(conversations.counts.value).toEqual({ queue: 0, mine: 1, bot: 0 })
  })
})

describe('loading anew', () => {
  it('believes the last of two answers that come in the wrong order', async () => {
    void conversations.reloadAll()
    void conversations.reloadAll()
    await lists.answer(2, aPage([aRow({ id: 'new' })]))
    await lists.answer(3, aPage([]))
    await lists.answer(0, aPage([aRow({ id: 'old' })]))
    await lists.answer(1, aPage([]))
    expect(ids('queue')).toEqual(['new'])
  })

  it('forgets what ended unseen, and keeps what was heard of meanwhile', async () => {
    await reloaded(aPage([aRow({ id: 'gone' }), aRow({ id: 'stays' })]))
    void conversations.reloadAll()
    live.update([], [aRow({ id: 'fresh' })])
    await lists.answer(2, aPage([aRow({ id: 'stays' })]))
    await lists.answer(3, aPage([]))
    expect(ids('queue').toSorted()).toEqual(['fresh', 'stays'])
  })

  it('keeps the open conversation, which may be in none of the loaded lists', async () => {
    void conversations.reloadAll()
    conversations.put(botRow('open'))
    await lists.answer(0, aPage([]))
    await lists.answer(1, aPage([]))
    expect(conversations.row('open')).toBeDefined()
  })

  it('loads the list that came to be looked at meanwhile', async () => {
    void conversations.reloadAll()
    conversations.show('bot')
    await lists.answer(2, aPage([botRow('b1')]))
    await lists.answer(0, aPage([]))
    await lists.answer(1, aPage([]))
    expect(lists.asked[3]?.[0]).toBe('bot')
    await lists.answer(3, aPage([botRow('b1')]))
    expect(conversations.pages.bot.status).toBe('ready')
    expect(ids('bot')).toEqual(['b1'])
  })

  it('leaves no list loading for ever when it fails', async () => {
    conversations.show('bot')
    conversations.show('closed')
    void conversations.reloadAll()
    for (const place of [0, 1, 2, 3, 4])
      await lists.fail(place)
    expect(conversations.pages.bot.status).toBe('failed')
    expect(conversations.pages.closed.status).toBe('failed')
    conversations.show('bot')
    await lists.answer(5, aPage([botRow('b1')]))
    expect(ids('bot')).toEqual(['b1'])
  })

  it('drops a page that was asked for before', async () => {
    await reloaded(aPage([aRow({ id: 'c1' })], { next: 'after-c1' }))
    void conversations.loadMore('queue')
    void conversations.loadMore('queue')
    expect(lists.asked).toHaveLength(3)
    await (async () => {
      void conversations.reloadAll()
      await lists.answer(3, aPage([aRow({ id: 'new' })]))
      await lists.answer(4, aPage([]))
    })()
    await lists.answer(2, aPage([aRow({ id: 'old' })]))
    expect(ids('queue')).toEqual(['new'])
  })
})

it('leaves out what lies beyond the loaded pages: others that were never loaded may come before it', async () => {
  await reloaded(aPage([aRow({ id: 'c1', queued_at: '2026-11-23T07:00:00.000Z' })], { next: 'after-c1' }))
  live.update([], [aRow({ id: 'later', queued_at: '2026-11-23T09:00:00.000Z' })])
  expect(ids('queue')).toEqual(['c1'])
})
