import type { LiveFrame } from './types'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { FakeSockets } from '../../testing/fake-socket'
import { createLiveSocket } from './live-socket'

let sockets: FakeSockets
const frames: LiveFrame[] = []
let onFrame: (frame: LiveFrame) => void

beforeEach(() => {
  vi.useFakeTimers()
  sockets = new FakeSockets()
  frames.length = 0
  onFrame = frame => frames.push(frame)
})
afterEach(() => vi.useRealTimers())

async function aLiveSocket(): Promise<void> {
  createLiveSocket({ address: 'ws://live', open: sockets.open, random: () => 1, onFrame: frame => onFrame(frame), onLink: () => {} }).start()
  await vi.advanceTimersByTimeAsync(0)
}

async function reconnected(): Promise<string> {
  sockets.last.break()
  await vi.advanceTimersByTimeAsync(1_000)
  return sockets.last.address
}

it('asks for what it missed since the last frame', async () => {
  await aLiveSocket()
  expect(sockets.last.address).toBe('ws://live')
  sockets.last.say({ type: 'hello', cursor: 4 })
  sockets.last.say({ type: 'update', cursor: 7 })
  sockets.last.say({ type: 'typing', conversation_id: 'c1' })
  expect(await reconnected()).toBe('ws://live?cursor=7')
})

it('asks again for a frame that failed to be taken in', async () => {
  await aLiveSocket()
  sockets.last.say({ type: 'hello', cursor: 4 })
  onFrame = () => {
    throw new Error('a bug of ours')
  }
  expect(() => sockets.last.say({ type: 'update', cursor: 7 })).toThrow('a bug of ours')
  expect(await reconnected()).toBe('ws://live?cursor=4')
})

it('passes over what is no frame, and says when the session has ended', async () => {
  await aLiveSocket()
  sockets.last.onmessage?.({ data: '<html>' })
  sockets.last.onmessage?.({ data: new ArrayBuffer(2) })
  sockets.last.break(4401)
  expect(frames).toEqual([{ type: 'logged_out' }])
})
