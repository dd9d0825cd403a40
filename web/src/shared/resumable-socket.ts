import type { Backoff } from './backoff'
import { backoffMs } from './backoff'

/** `idle` is not wanted; `connecting` tries; `lost` waits for the next try; `offline` waits for the network. */
export type Link = 'idle' | 'connecting' | 'open' | 'lost' | 'offline'

export interface SocketTiming {
  retry: Backoff
  /** From the handshake to the server's `hello`. */
  helloWithinMs: number
  /** A silent line is asked for a sign of life this often. */
  pingEveryMs: number
  pongWithinMs: number
  /** A page that comes back to the front asks sooner: phones and laptops keep dead sockets "open" while they sleep. */
  wakePongWithinMs: number
}

export interface SocketOptions<Frame extends { type: string }> {
  timing: SocketTiming
  /** The address to connect to now, with what was received so far; `renew`: the credentials in it are no longer good. */
  address: (renew: boolean) => string | Promise<string>
  open: (address: string) => WebSocket
  random: () => number
  isOnline: () => boolean
  /** The frame in a socket message, or `null` for what this page does not know. */
  read: (data: unknown) => Frame | null
  onFrame: (frame: Frame) => void
  onLink: (link: Link) => void
  /** The credentials were refused and cannot be renewed; without it new ones are asked for. */
  onRefused?: () => void
}

/** The server closes with it when the credentials are no longer good. */
export const REFUSED = 4401

type Timer = ReturnType<typeof setTimeout> | undefined

/**
 * A socket that comes back by itself; the address says where to resume.
 *
 * The link counts as open from the server's `hello` on, not from the handshake: before it nothing may be sent.
 */
export class ResumableSocket<Frame extends { type: string }> {
  #socket: WebSocket | null = null
  #link: Link = 'idle'
  #failures = 0
  #renew = false
  /** Grows with each socket: what belongs to an earlier one is dropped by comparing it. */
  #round = 0
  #retryTimer: Timer
  #pingTimer: Timer
  #deadline: Timer

  constructor(private readonly options: SocketOptions<Frame>) {}

  get link(): Link { return this.#link }

  start(): void {
    if (this.#link === 'idle')
      void this.#connect()
  }

  stop(): void {
    this.#drop()
    this.#failures = 0
    this.#become('idle')
  }

  /** Hand a frame to the socket; `false` when there is none, and the frame is not kept. */
  send(frame: object): boolean {
    if (this.#link !== 'open' || this.#socket?.readyState !== 1)
      return false
    this.#socket.send(JSON.stringify(frame))
    return true
  }

  /** The network may be back, or the page is looked at again: do not wait for timers. */
  wake(): void {
    if (this.#link === 'open')
      this.#ping(this.options.timing.wakePongWithinMs)
    else if (this.#link === 'lost' || this.#link === 'offline')
      void this.#connect()
  }

  /** The browser says that the network is gone. */
  sleep(): void {
    if (this.#link === 'idle')
      return
    this.#drop()
    this.#become('offline')
  }

  /** Give this socket up and take another, e.g. because an answer is overdue. */
  restart(): void {
    if (this.#link !== 'idle')
      this.#lost()
  }

  async #connect(): Promise<void> {
    this.#drop()
    const round = this.#round
    this.#become('connecting')
    let address: string
    try {
      address = await this.options.address(this.#renew)
    }
    catch {
      if (round === this.#round)
        this.#lost()
      return
    }
    if (round === this.#round)
      this.#open(address, round)
  }

  #open(address: string, round: number): void {
    this.#renew = false
    const socket = this.options.open(address)
    this.#socket = socket
    this.#expect(this.options.timing.helloWithinMs)
    socket.onmessage = event => round === this.#round && this.#received(event.data)
    socket.onclose = event => round === this.#round && this.#closed(event.code)
    socket.onerror = () => {} // `close` follows and decides
  }

  #received(data: unknown): void {
    clearTimeout(this.#deadline)
    clearTimeout(this.#pingTimer)
    this.#pingTimer = setTimeout(() => this.#ping(this.options.timing.pongWithinMs), this.options.timing.pingEveryMs)
    const frame = this.options.read(data)
    if (frame === null || frame.type === 'pong')
      return
    if (frame.type === 'hello')
      this.#failures = 0
    // The frame first: whoever hears "open" may send, and must know by then what the server has.
    this.options.onFrame(frame)
    if (frame.type === 'hello')
      this.#become('open')
  }

  #closed(code: number): void {
    if (code !== REFUSED)
      return this.#lost()
    if (this.options.onRefused !== undefined) {
      this.stop()
      return this.options.onRefused()
    }
    this.#renew = true
    // New ones at once, but only once: a server that refuses its own must not be hammered.
    if (this.#failures > 0)
      return this.#lost()
    this.#failures = 1
    void this.#connect()
  }

  #lost(): void {
    this.#drop()
    if (!this.options.isOnline())
      return this.#become('offline')
    this.#failures += 1
    // A proxy may turn "refused" into a failed handshake, whose reason a page cannot see.
    this.#renew ||= this.#failures > 1
    this.#become('lost')
    this.#retryTimer = setTimeout(() => void this.#connect(), backoffMs(this.options.timing.retry, this.#failures, this.options.random))
  }

  #ping(withinMs: number): void {
    if (this.send({ type: 'ping' }))
      this.#expect(withinMs)
    else
      this.#lost()
  }

  #expect(withinMs: number): void {
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(() => this.#lost(), withinMs)
  }

  #drop(): void {
    this.#round += 1
    clearTimeout(this.#retryTimer)
    clearTimeout(this.#pingTimer)
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
