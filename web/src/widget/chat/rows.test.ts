import type { MessageFrame } from '../net/protocol'
import { expect, it } from 'vitest'
import { languageOf } from '../locales'
import { dayLabel } from './dates'
import { rowsOf } from './rows'
import { emptyTimeline, received } from './timeline'

let seq = 0
function message(minute: number, more: Partial<MessageFrame> = {}): MessageFrame {
  seq += 1
  return { type: 'msg', seq, id: `m${seq}`, author: 'bot', text: '好的', at: new Date(2026, 10, 23, 9, minute).toISOString(), ...more }
}

const lay = (...messages: MessageFrame[]) => rowsOf(messages.reduce(received, emptyTimeline()).entries)

it('begins each day with its date', () => {
  const rows = lay(message(0), message(60 * 24), message(60 * 24 + 1))
  expect(rows.map(row => row.type)).toEqual(['day', 'message', 'day', 'message', 'message'])
})

it('groups what one author says within three minutes', () => {
  const rows = lay(message(0), message(1), message(9), message(10, { author: 'agent', name: '小林' }))
  expect(rows.map(row => row.type === 'message' && [row.opens, row.closes])).toEqual([false, [true, false], [false, true], [true, true], [true, true]])
})

it('shows the stars that a customer gave in the card that asked, not as a bubble', () => {
  const rows = lay(message(0, { author: 'system', kind: 'csat' }), message(1, { author: 'customer', kind: 'csat', text: '★★★☆☆' }))
  expect(rows.slice(1)).toMatchObject([{ type: 'rating', rating: 3 }])
})

it('names days as people do', () => {
  const zh = languageOf('zh', [])
  const now = new Date(2026, 10, 23, 0, 30)
  const label = (year: number, month: number, day: number) => dayLabel(new Date(year, month, day, 23, 50).toISOString(), now, zh)
  expect([label(2026, 10, 23), label(2026, 10, 22), label(2026, 10, 20), label(2025, 11, 31)])
    .toEqual(['今天', '昨天', '11月20日星期五', '2025年12月31日星期三'])
})
