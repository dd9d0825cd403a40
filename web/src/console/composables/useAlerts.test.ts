import type { Ref, ShallowRef } from 'vue'
import type { Row } from '../api/types'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { computed, effectScope, nextTick, ref, shallowRef } from 'vue'
import { anEvent, aRow, ME, myRow } from '../testing/factories'
import { FakeLive } from '../testing/server'
import { useAlerts } from './useAlerts'

let live: FakeLive
let now: Ref<number>
let rows: ShallowRef<readonly Row[]>
let openId: Ref<string | null>
let isOnline: Ref<boolean>
let isLooking: boolean
const ring = vi.fn<(rows: readonly Row[]) => void>()
const onMessage = vi.fn<(row: Row) => void>()
const onAlert = vi.fn<() => void>()
const setTitle = vi.fn<(title: string) => void>()

beforeEach(() => {
  vi.resetAllMocks()
  live = new FakeLive()
  now = ref(0)
  rows = shallowRef([])
  openId = ref(null)
  isOnline = ref(true)
  isLooking = false
  const list = (isIn: (row: Row) => boolean) => computed(() => rows.value.filter(isIn))
  effectScope().run(() => useAlerts({
    clock: { now, sync: () => {} },
    live,
    conversations: {
      lists: { queue: list(row => row.state === 'waiting'), mine: list(row => row.state === 'agent') } as never,
      counts: computed(() => ({ queue: rows.value.filter(row => row.state === 'waiting').length, mine: 0, bot: 0 })) as never,
      row: id => rows.value.find(row => row.id === id),
    },
    me: () => ME,
    isOnline: () => isOnline.value,
    openId,
    isLooking: () => isLooking,
    title: () => '客服工作台',
    setTitle,
    ring,
    onMessage,
    onAlert,
  }))
})

const rung = (): string[][] => ring.mock.calls.map(([due]) => due.map(row => row.id))

async function at(seconds: number): Promise<void> {
  now.value = seconds * 1000
  await nextTick()
}

async function waiting(...waits: Row[]): Promise<void> {
  rows.value = waits
  await nextTick()
}

describe('the ring', () => {
  it('comes at once and again every 20 seconds, until what waits is claimed', async () => {
    await waiting(aRow())
    for (const seconds of [5, 19, 20, 39, 40])
      await at(seconds)
    expect(rung()).toEqual([['c1'], ['c1'], ['c1']])
    await waiting()
    await at(80)
    expect(rung()).toHaveLength(3)
  })

  it('is one sound for all that wait, and keeps their time together', async () => {
    await waiting(aRow())
    await at(10)
    await waiting(aRow(), aRow({ id: 'c2' }))
    expect(rung()).toEqual([['c1'], ['c2']])
    await at(20)
    expect(rung()).toHaveLength(2)
    await at(30)
    expect(rung()[2]).toEqual(['c1', 'c2'])
  })

  it('does not come again because the lists were loaded anew', async () => {
    await waiting(aRow())
    await waiting(aRow({ version: 2 }))
    expect(rung()).toHaveLength(1)
  })

  it('comes at once for who left the queue and is back', async () => {
    await waiting(aRow())
    await waiting()
    await waiting(aRow())
    expect(rung()).toHaveLength(2)
  })

  it('is rare after hours', async () => {
    await waiting(aRow({ mode: 'after_hours' }))
    await at(179)
    expect(rung()).toHaveLength(1)
    await at(180)
    expect(rung()).toHaveLength(2)
  })

  it('keeps silent for who is away, and comes at once when they are back', async () => {
    isOnline.value = false
    await waiting(aRow())
    await at(60)
    expect(rung()).toEqual([])
    isOnline.value = true
    await nextTick()
    expect(rung()).toEqual([['c1']])
  })
})

describe('a message', () => {
  const added = anEvent('message_added', { message_id: 'm5' })

  it('is told of once, however many came together', () => {
    rows.value = [myRow()]
    live.update([added, anEvent('message_added', { message_id: 'm6' })])
    expect(onMessage).toHaveBeenCalledOnce()
  })

  it('is not told of where the agent looks at it, but is while the page is in the background', () => {
    rows.value = [myRow()]
    openId.value = 'c1'
    isLooking = true
    live.update([added])
    expect(onMessage).not.toHaveBeenCalled()
    isLooking = false
    live.update([added])
    expect(onMessage).toHaveBeenCalledOnce()
  })

  it('is nobody\'s business here where a colleague has it, where it is ours, or where nothing is known of it', () => {
    live.update([added])
    rows.value = [myRow({ assignee: { id: 'other', name: '阿刚' } })]
    live.update([added])
    rows.value = [myRow({ last_message: { author: 'agent', preview: '好的', at: '2026-11-23T07:02:00.000Z', seq: 6 } })]
    live.update([added])
    expect(onMessage).not.toHaveBeenCalled()
  })

  it('is not told of again after it was read: what is caught up may be old', () => {
    rows.value = [myRow({ unread: 0 })]
    live.update([added])
    expect(onMessage).not.toHaveBeenCalled()
  })

  it('gives way to what is more urgent', () => {
    rows.value = [myRow()]
    live.update([anEvent('alert', { detail: 'nudge' }), added])
    expect(onAlert).toHaveBeenCalledOnce()
    expect(onMessage).not.toHaveBeenCalled()
  })
})

it('counts in the title what calls: the queue, and conversations with unread words', async () => {
  await waiting(aRow(), myRow({ id: 'c2', unread: 3 }), myRow({ id: 'c3', unread: 0 }))
  expect(setTitle).toHaveBeenLastCalledWith('(2) 客服工作台')
  await waiting()
  expect(setTitle).toHaveBeenLastCalledWith('客服工作台')
})
