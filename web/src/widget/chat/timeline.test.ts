import type { HelloFrame, MessageFrame } from '../net/protocol'
import type { Timeline } from './timeline'
import { describe, expect, it } from 'vitest'
import { acknowledged, amended, chosen, emptyTimeline, greeted, historyMerged, oldestSeq, ownedBy, pressable, ratingOf, received, withdrawn, written } from './timeline'

const AT = '2026-11-23T07:40:00.000Z'

function message(seq: number, more: Partial<MessageFrame> = {}): MessageFrame {
  return { type: 'msg', seq, id: `m${seq}`, author: 'bot', text: `第 ${seq} 条`, at: AT, ...more }
}

function hello(last_seq: number, more: Partial<HelloFrame> = {}): HelloFrame {
  return { type: 'hello', visitor_id: 'v', last_seq, state: 'bot', has_more: false, ...more }
}

function withMessages(...seqs: number[]): Timeline {
  return seqs.reduce((timeline, seq) => received(timeline, message(seq)), ownedBy(emptyTimeline(), 'v'))
}

const seqs = (timeline: Timeline) => timeline.entries.map(entry => entry.seq)
const wrote = (timeline: Timeline, clientId: string, text = '在吗') => written(timeline, { clientId, text, at: AT })

describe('messages', () => {
  it('stand in the order of their numbers, holes or not', () => {
    expect(seqs(withMessages(3, 10, 7, 42))).toEqual([3, 7, 10, 42])
  })

  it('appear once, however often they are repeated', () => {
    expect(seqs(withMessages(3, 5, 3, 5, 3))).toEqual([3, 5])
  })

  it('move the place to resume at, and only forwards', () => {
    expect(withMessages(3, 10, 7).lastSeq).toBe(10)
  })

  it('of the customer from another tab appear as well', () => {
    const timeline = received(withMessages(1), message(2, { author: 'customer', client_id: 'other-tab' }))
    expect(seqs(timeline)).toEqual([1, 2])
  })
})

describe('an own message', () => {
  it('is shown at once, after everything stored', () => {
    const timeline = received(wrote(withMessages(1), 'c1'), message(2))
    expect(timeline.entries.map(entry => entry.delivery)).toEqual(['sent', 'sent', 'sending'])
  })

  it('takes its place by number when it is acknowledged, and keeps its key', () => {
    const before = wrote(withMessages(1), 'c1')
    const after = acknowledged(before, { type: 'ack', client_id: 'c1', seq: 2, id: 'm2' })
    expect(after.entries[1]).toMatchObject({ seq: 2, id: 'm2', delivery: 'sent', key: before.entries[1]!.key })
    expect(after.lastSeq).toBe(2)
  })

  it('is not doubled when it comes back as a message, before or after its acknowledgement', () => {
    const own = message(2, { author: 'customer', client_id: 'c1' })
    const ack = { type: 'ack', client_id: 'c1', seq: 2, id: 'm2' } as const
    const start = wrote(withMessages(1), 'c1')
    expect(seqs(acknowledged(received(start, own), ack))).toEqual([1, 2])
    expect(seqs(received(acknowledged(start, ack), own))).toEqual([1, 2])
  })

  it('that failed stays where it was written while the conversation goes on', () => {
    const failed = amended(wrote(withMessages(1), 'c1'), 'c1', { delivery: 'failed', problem: '太长了' })
    expect(seqs(received(failed, message(2)))).toEqual([1, null, 2])
  })

  it('can be given up only while it is not stored', () => {
    const stored = acknowledged(wrote(withMessages(1), 'c1'), { type: 'ack', client_id: 'c1', seq: 2, id: 'm2' })
    expect(withdrawn(wrote(withMessages(1), 'c1'), 'c1').entries).toHaveLength(1)
    expect(withdrawn(stored, 'c1').entries).toHaveLength(2)
  })
})

describe('coming back', () => {
  it('keeps what is there when the gap is repeated', () => {
    expect(seqs(received(greeted(withMessages(1, 2), hello(3)), message(3)))).toEqual([1, 2, 3])
  })

  it('drops the old messages when more was missed than is repeated, and lets them be loaded again', () => {
    const timeline = received(greeted(withMessages(1, 2), hello(900, { has_more: true })), message(700))
    expect(seqs(timeline)).toEqual([700])
    expect(timeline.hasMore).toBe(true)
  })

  it('to a server with older data forgets what that server does not know', () => {
    const timeline = greeted(wrote(withMessages(1, 50), 'c1'), hello(7))
    expect(seqs(timeline)).toEqual([null])
    expect(timeline).toMatchObject({ lastSeq: 7, hasMore: true })
  })

  it('as somebody else shows nothing of the one before, but what was not sent yet', () => {
    const timeline = ownedBy(wrote(withMessages(1, 2), 'c1'), 'somebody-else')
    expect(seqs(timeline)).toEqual([null])
    expect(timeline.lastSeq).toBe(0)
  })

  it('takes over who speaks now', () => {
    expect(greeted(emptyTimeline(), hello(0, { state: 'waiting', position: 2 }))).toMatchObject({ state: 'waiting', position: 2, agent: null })
  })
})

describe('history', () => {
  it('goes in front, without doubling what is there', () => {
    const timeline = historyMerged(withMessages(10, 11), { type: 'history', items: [message(3), message(9), message(10)], has_more: true })
    expect(seqs(timeline)).toEqual([3, 9, 10, 11])
    expect(oldestSeq(timeline)).toBe(3)
  })

  it('does not move the place to resume at', () => {
    expect(historyMerged(withMessages(10), { type: 'history', items: [message(3)], has_more: false }).lastSeq).toBe(10)
  })

  it('that comes back empty is at its end, whatever it says', () => {
    expect(historyMerged(withMessages(10), { type: 'history', items: [], has_more: true }).hasMore).toBe(false)
  })
})

describe('buttons', () => {
  const buttons = [{ id: 'a', label: '查订单' }, { id: 'b', label: '转人工' }]
  const offered = received(withMessages(1), message(2, { buttons }))

  it('can be pressed until the customer says something', () => {
    expect(pressable(offered.entries).has('m2')).toBe(true)
    expect(pressable(wrote(offered, 'c1').entries).size).toBe(0)
  })

  it('can still be pressed when the bot adds a word', () => {
    expect(pressable(received(offered, message(3)).entries).has('m2')).toBe(true)
  })

  it('can be pressed again when what the customer said could not be sent', () => {
    expect(pressable(amended(wrote(offered, 'c1'), 'c1', { delivery: 'failed' }).entries).has('m2')).toBe(true)
  })

  it('show which of them was taken', () => {
    expect(chosen(wrote(offered, 'c1', '转人工').entries, 1)).toBe('b')
    expect(chosen(wrote(offered, 'c1', '别的').entries, 1)).toBeNull()
  })
})

describe('the request for stars', () => {
  const asked = received(withMessages(1), message(2, { author: 'system', kind: 'csat' }))

  it('is open until it is answered', () => {
    expect(ratingOf(asked.entries, 1)).toBe('open')
  })

  it('shows the stars that were given, and is not asked again', () => {
    const answered = received(asked, message(3, { author: 'customer', kind: 'csat', text: '★★★★☆ 很快' }))
    expect(ratingOf(answered.entries, 1)).toBe(4)
  })

  it('of an earlier conversation can no longer be answered', () => {
    const again = received(asked, message(9, { author: 'system', kind: 'csat' }))
    expect(ratingOf(again.entries, 1)).toBeNull()
    expect(ratingOf(again.entries, 2)).toBe('open')
  })
})
