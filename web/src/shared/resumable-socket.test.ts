import type { Link, SocketOptions } from './resumable-socket'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { FakeSockets } from '../testing/fake-socket'
import { ResumableSocket } from './resumable-socket'

interface Frame { type: string, text?: string }

const TIMING = {
  retry: { firstMs: 1_000, longestMs: 8_000 },
  helloWithinMs: 10_000,
  pingEveryMs: 20_000,
  pongWithinMs: 5_000,
  wakePongWithinMs: 2_000,
}

let sockets: FakeSockets
let links: Link[]
let frames: Frame[]
let isOnline: boolean

beforeEach(() => {
  vi.useFakeTimers()
  sockets = new FakeSockets()
  links = []
  frames = []
  isOnline = true
})
afterEach(() => vi.useRealTimers())

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

function aSocket(more: Partial<SocketOptions<Frame>> = {}): ResumableSocket<Frame> {
  return new ResumableSocket<Frame>({
    timing: TIMING,
    address: renew => renew ? 'ws://new' : 'ws://old',
    open: sockets.open,
    random: () => 1,
    isOnline: () => isOnline,
    read: data => JSON.parse(data as string) as Frame,
    onFrame: frame => frames.push(frame),
    onLink: link => links.push(link),
    ...more,
  })
}

async function anOpenSocket(more: Partial<SocketOptions<Frame>> = {}): Promise<ResumableSocket<Frame>> {
  const socket = aSocket(more)
  socket.start()
  await settle()
  sockets.last.say({ type: 'hello' })
  return socket
}

it('is open from the greeting on, which is taken in before anybody may send', async () => {
  const seen: string[] = []
  const socket = aSocket({ onFrame: frame => seen.push(frame.type), onLink: link => seen.push(link) })
  socket.start()
  await settle()
  expect(socket.send({ type: 'msg' })).toBe(false)
  sockets.last.say({ type: 'hello' })
  expect(seen).toEqual(['connecting', 'hello', 'open'])
  expect(socket.send({ type: 'msg' })).toBe(true)
})

it('opens nothing for an address that comes after it was stopped', async () => {
  let answer: (address: string) => void = () => {}
  const socket = aSocket({
    address: () => new Promise<string>((resolve) => {
      answer = resolve
    }),
  })
  socket.start()
  socket.stop()
  answer('ws://late')
  await settle()
  expect(sockets.all).toEqual([])
})

it('hears nothing more from a socket that it gave up', async () => {
  const socket = await anOpenSocket()
  const old = sockets.last
  socket.restart()
  await vi.advanceTimersByTimeAsync(1_000)
  old.say({ type: 'msg', text: 'from the old line' })
  old.break()
  expect(frames).toEqual([{ type: 'hello' }])
  expect(sockets.all).toHaveLength(2)
  expect(socket.link).toBe('connecting')
})

it('tries again ever more slowly, and at the first pace after it was open', async () => {
  await anOpenSocket()
  for (const wait of [1_000, 2_000, 4_000]) {
    sockets.last.break()
    const before = sockets.all.length
    await vi.advanceTimersByTimeAsync(wait - 1)
    expect(sockets.all).toHaveLength(before)
    await vi.advanceTimersByTimeAsync(1)
    expect(sockets.all).toHaveLength(before + 1)
  }
  sockets.last.say({ type: 'hello' })
  sockets.last.break()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(sockets.all).toHaveLength(5)
})

it('takes another socket when the greeting, or the answer to a ping, does not come', async () => {
  const socket = aSocket()
  socket.start()
  await vi.advanceTimersByTimeAsync(TIMING.helloWithinMs)
  expect(socket.link).toBe('lost')
  await vi.advanceTimersByTimeAsync(1_000)
  sockets.last.say({ type: 'hello' })
  await vi.advanceTimersByTimeAsync(TIMING.pingEveryMs)
  expect(sockets.last.sent).toEqual([{ type: 'ping' }])
  sockets.last.say({ type: 'pong' })
  await vi.advanceTimersByTimeAsync(TIMING.pingEveryMs)
  expect(socket.link).toBe('open')
  await vi.advanceTimersByTimeAsync(TIMING.pongWithinMs)
  expect(socket.link).toBe('lost')
})

it('woken, it asks an open line at once, hurries a lost one, and leaves a try alone', async () => {
  const socket = await anOpenSocket()
  socket.wake()
  await vi.advanceTimersByTimeAsync(TIMING.wakePongWithinMs)
  expect(links).toEqual(['connecting', 'open', 'lost'])
  socket.wake()
  await settle()
  expect(sockets.all).toHaveLength(2)
  socket.wake()
  await settle()
  expect(sockets.all).toHaveLength(2)
})

it('waits for the network where the browser says that there is none', async () => {
  const socket = await anOpenSocket()
  isOnline = false
  sockets.last.break()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(socket.link).toBe('offline')
  expect(sockets.all).toHaveLength(1)
  isOnline = true
  socket.wake()
  await settle()
  expect(sockets.all).toHaveLength(2)
})

it('asks for new credentials at once when they are refused, but only once', async () => {
  await anOpenSocket()
  sockets.last.break(4401)
  await settle()
  expect(sockets.last.address).toBe('ws://new')
  sockets.last.break(4401)
  await settle()
  expect(sockets.all).toHaveLength(2)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(sockets.all).toHaveLength(3)
})

it('ends where refused credentials cannot be renewed', async () => {
  const onRefused = vi.fn()
  const socket = await anOpenSocket({ onRefused })
  sockets.last.break(4401)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(onRefused).toHaveBeenCalledOnce()
  expect(socket.link).toBe('idle')
  expect(sockets.all).toHaveLength(1)
})
