import { expect, it } from 'vitest'
import { readFrame } from './protocol'

it('reads a frame', () => {
  expect(readFrame('{"type":"pong"}')).toEqual({ type: 'pong' })
})

it.each([
  ['no JSON', '<html>'],
  ['null', 'null'],
  ['an array', '[1]'],
  ['a kind that newer servers may send', '{"type":"confetti"}'],
  ['a message without a number', '{"type":"msg","id":"m1"}'],
])('skips %s', (_what, data) => {
  expect(readFrame(data)).toBeNull()
})

it('skips what is no text', () => {
  expect(readFrame(new ArrayBuffer(2))).toBeNull()
})
