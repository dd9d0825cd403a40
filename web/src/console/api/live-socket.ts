import type { LiveFrame } from './types'

/** `off` is not wanted; `connecting` for the first time; `lost` waits for the next try or is trying. */
export type Link = 'off' | 'connecting' | 'open' | 'lost'

export interface LiveSocketOptions {
  /** The address without a cursor. */
  address: string
  open: (address: string) => WebSocket
  random: () => number
  onFrame: (frame: LiveFrame) => void
  onLink: (link: Link) => void
}

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 20_000
const OPEN_WITHIN_MS = 10_000
const PULSE_MS = 15_000
const PONG_WITHIN_MS = 6_000
/** A page that comes back to the front asks sooner: a laptop keeps dead sockets "open" while it sleeps. */
const WAKE_PONG_WITHIN_MS = 2_500
const LOGGED_OUT = 4401

/** How long to wait before the next try: doubles from 0.5 s to 20 s, the upper half drawn by chance. */
export function backoffMs(failures: number, random: () => number): number {
  const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 8))
  return Math.round(ceiling / 2 + random() * ceiling / 2)
}

/** The live feed's socket: comes back by itself, and asks for what it missed by the cursor of the last frame. */
export class LiveSocket {
  #socket: WebSocket | null = null
  #link: Link = 'off'
  #cursor: number | null = null
  #failures = 0
  /** What belongs to an earlier socket is dropped by comparing it. */
  #round = 0
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  #pulseTimer: ReturnType<typeof setTimeout> | undefined
  #deadline: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly options: LiveSocketOptions) {}

  start(): void {
    if (this.#link !== 'off')
      return
    this.#become('connecting')
    this.#connect()
  }

  /** End it and forget the cursor: the next start is somebody else's. */
  stop(): void {
    this.#drop()
    this.#cursor = null
    this.#failures = 0
    this.#become('off')
  }

  /** The network may be back, or the page is looked at again: do not wait for timers. */
  wake(): void {
    if (this.#link === 'open')
      this.#ping(WAKE_PONG_WITHIN_MS)
    else if (this.#link === 'lost')
      this.#connect()
  }

  #connect(): void {
    this.#drop()
    const round = this.#round
    const query = this.#cursor === null ? '' : `?cursor=${this.#cursor}`
    const socket = this.options.open(this.options.address + query)
    this.#socket = socket
    this.#expect(OPEN_WITHIN_MS)
    socket.onmessage = event => round === this.#round && this.#received(event.data)
    socket.onclose = event => round === this.#round && this.#closed(event.code)
    socket.onerror = () => {} // `close` follows and decides
  }

  #received(data: unknown): void {
    clearTimeout(this.#deadline)
    clearTimeout(this.#pulseTimer)
    this.#pulseTimer = setTimeout(() => this.#ping(PONG_WITHIN_MS), PULSE_MS)
    const frame = readFrame(data)
    if (frame === null || frame.type === 'pong')
      return
    if (frame.type === 'hello') {
      this.#failures = 0
      this.#become('open')
    }
    this.options.onFrame(frame)
    // After the frame was taken in: one that fails to be is asked for again.
    if ('cursor' in frame && typeof frame.cursor === 'number')
      this.#cursor = frame.cursor
    else if (frame.type === 'reset')
      this.#cursor = null
  }

  #closed(code: number): void {
    if (code === LOGGED_OUT) {
      this.options.onFrame({ type: 'logged_out' })
      return
    }
    this.#lost()
  }

  #lost(): void {
    this.#drop()
    this.#failures += 1
    this.#become('lost')
    this.#retryTimer = setTimeout(() => this.#connect(), backoffMs(this.#failures, this.options.random))
  }

  #ping(withinMs: number): void {
    if (this.#socket?.readyState !== 1)
      return this.#lost()
    this.#socket.send('{"type":"ping"}')
    this.#expect(withinMs)
  }

  #expect(withinMs: number): void {
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(() => this.#lost(), withinMs)
  }

  #drop(): void {
    this.#round += 1
    clearTimeout(this.#retryTimer)
    clearTimeout(this.#pulseTimer)
    clearTimeout(this.#deadline)
    const socket = this.#socket
    this.#socket = null
    if (socket !== null && socket.readyState <= 1)
      socket.close()
  }

  #become(link: Link): void {
    if (link === this.#link)
      return
    this.#link = link
    this.options.onLink(link)
  }
}

/** A frame of the server; `null` for what is none. */
export function readFrame(data: unknown): LiveFrame | null {
  if (typeof data !== 'string')
    return null
  try {
    const frame: unknown = JSON.parse(data)
    return typeof frame === 'object' && frame !== null && 'type' in frame && typeof frame.type === 'string' ? frame as LiveFrame : null
  }
  catch {
    return null
  }
}
