import type { Ref, ShallowRef } from 'vue'
import type { Row } from '../api/types'
import type { Thread } from './useThread'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref, shallowRef } from 'vue'
import { aRow, ME, myRow } from '../testing/factories'
import { useReading } from './useReading'

let id: Ref<string | null>
let rows: ShallowRef<readonly Row[]>
let status: Ref<string>
let lastSeq: Ref<number>
let isLooking: Ref<boolean>
let isAtEnd: Ref<boolean>
const read = vi.fn<(id: string, seq: number) => Promise<void>>()

beforeEach(() => {
  vi.useFakeTimers()
  read.mockReset().mockResolvedValue()
  id = ref('c1')
  rows = shallowRef([])
  status = ref('ready')
  lastSeq = ref(5)
  isLooking = ref(true)
  isAtEnd = ref(true)
  const thread = { status, lastSeq } as unknown as Thread
  const conversations = { row: (wanted: string) => rows.value.find(row => row.id === wanted) }
  effectScope().run(() => useReading(id, { api: { read }, conversations, thread, isLooking, isAtEnd, me: () => ME }))
})
afterEach(() => vi.useRealTimers())

/** These are the conversations, and so much time passes. */
async function shown(known: readonly Row[], ms = 600): Promise<void> {
  rows.value = known
  await nextTick()
  await vi.advanceTimersByTimeAsync(ms)
}

it('tells what was in view for a moment, once', async () => {
  await shown([myRow()], 599)
  expect(read).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  for (const looks of [false, true]) {
    isLooking.value = looks
    await shown([myRow({ version: 2 })])
  }
  expect(read.mock.calls).toEqual([['c1', 5]])
})

it.each([
  ['the page is in the background', () => { isLooking.value = false }],
  ['the end is out of view', () => { isAtEnd.value = false }],
  ['the thread is still loading', () => { status.value = 'loading' }],
])('tells nothing while %s', async (_when, hide) => {
  hide()
  await shown([myRow()])
  expect(read).not.toHaveBeenCalled()
})

it('takes nothing away from the queue, or from the colleague who has it', async () => {
  await shown([aRow({ unread: 2 })])
  await shown([myRow({ assignee: { id: 'other', name: '阿刚' } })])
  expect(read).not.toHaveBeenCalled()
})

it('does not call read what was left again at once', async () => {
  await shown([myRow(), myRow({ id: 'c2', unread: 0 })], 300)
  id.value = 'c2'
  await nextTick()
  await vi.advanceTimersByTimeAsync(600)
  expect(read).not.toHaveBeenCalled()
})

it('counts an unread message as seen only when its line is there', async () => {
  lastSeq.value = 0
  await shown([myRow()])
  expect(read).not.toHaveBeenCalled()
  lastSeq.value = 5
  await nextTick()
  await vi.advanceTimersByTimeAsync(300)
  lastSeq.value = 6
  await nextTick()
  await vi.advanceTimersByTimeAsync(600)
  expect(read.mock.calls).toEqual([['c1', 6]])
})

it('tells again what the server did not hear, when the agent looks again', async () => {
  read.mockRejectedValueOnce(new Error('no answer'))
  await shown([myRow()])
  isLooking.value = false
  await nextTick()
  isLooking.value = true
  await nextTick()
  await vi.advanceTimersByTimeAsync(600)
  expect(read).toHaveBeenCalledTimes(2)
})
