import type { PageFrame, ServerFrame } from './protocol'
import { backoffMs } from './backoff'
import { readFrame } from './protocol'

/** `idle` was never asked to connect; `lost` waits for the next try; `offline` waits for the network. */
export type Link = 'idle' | 'connecting' | 'open' | 'lost' | 'offline'

export interface ConnectionOptions {
  /** The address to connect to now, with token and last number; may fetch a token first. */
  address: (renew: boolean) => Promise<string>
  open: (address: string) => WebSocket
  random: () => number
  isOnline: () => boolean
  onFrame: (frame: ServerFrame) => void
  onLink: (link: Link) => void
}

/** The server closes with it when the token is no longer good. */
export const TOKEN_INVALID = 4401

const HEARTBEAT_MS = 25_000
const PONG_WITHIN_MS = 8_000
/** A page that comes back to the front asks sooner: phones keep dead sockets "open" while they sleep. */
const WAKE_PONG_WITHIN_MS = 3_000
const OPEN_WITHIN_MS = 15_000

/**
 * A socket that comes back by itself.
 *
 * The link counts as open from the server's `hello` on, not from the handshake: before it nothing may be sent.
 */
export class Connection {
  #socket: WebSocket | null = null
  #link: Link = 'idle'
  #failures = 0
  #renew = false
  /** Outlives sockets: an answer for an earlier round is dropped. */
  #round = 0
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  #pulseTimer: ReturnType<typeof setTimeout> | undefined
  #deadline: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly options: ConnectionOptions) {}

  get link(): Link { return this.#link }

  start(): void {
    if (this.#link === 'idle')
      void this.#connect()
  }

  stop(): void {
    this.#drop()
    this.#become('idle')
  }

  /** Hand a frame to the socket; `false` when there is none, and the frame is not kept. */
  send(frame: PageFrame): boolean {
    if (this.#link !== 'open' || this.#socket?.readyState !== 1)
      return false
    this.#socket.send(JSON.stringify(frame))
    return true
  }

  /** Something suggests that the network is back, or that the page is looked at again: do not wait for timers. */
  wake(): void {
    if (this.#link === 'open')
      this.#ping(WAKE_PONG_WITHIN_MS)
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
    if (round !== this.#round)
      return
    this.#renew = false
    const socket = this.options.open(address)
    this.#socket = socket
    this.#expect(OPEN_WITHIN_MS)
    socket.onmessage = event => round === this.#round && this.#received(event.data)
    socket.onclose = event => round === this.#round && this.#closed(event.code)
    socket.onerror = () => {} // `close` follows and decides
  }

  #received(data: unknown): void {
    const frame = readFrame(data)
    clearTimeout(this.#deadline)
    if (frame?.type === 'hello') {
      this.#failures = 0
      // The frame first: whoever hears "open" may send, and must know by then what the server has.
      this.options.onFrame(frame)
      this.#become('open')
    }
    else if (frame !== null && frame.type !== 'pong') {
      this.options.onFrame(frame)
    }
    this.#pulseTimer = restarted(this.#pulseTimer, () => this.#ping(PONG_WITHIN_MS), HEARTBEAT_MS)
  }

  #closed(code: number): void {
    if (code === TOKEN_INVALID) {
      this.#renew = true
      // A new token at once, but only once: a server that refuses its own tokens must not be hammered.
      if (this.#failures === 0) {
        this.#failures = 1
        void this.#connect()
        return
      }
    }
    this.#lost()
  }

  #lost(): void {
    this.#drop()
    if (!this.options.isOnline()) {
      this.#become('offline')
      return
    }
    this.#failures += 1
    // A proxy may turn "token invalid" into a failed handshake, whose reason a page cannot see.
    this.#renew ||= this.#failures > 1
    this.#become('lost')
    this.#retryTimer = setTimeout(() => void this.#connect(), backoffMs(this.#failures, this.options.random))
  }

  #ping(withinMs: number): void {
    if (this.send({ type: 'ping' }))
      this.#expect(withinMs)
    else
      this.#lost()
  }

  #expect(withinMs: number): void {
    this.#deadline = restarted(this.#deadline, () => this.#lost(), withinMs)
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

function restarted(timer: ReturnType<typeof setTimeout> | undefined, action: () => void, ms: number) {
  clearTimeout(timer)
  return setTimeout(action, ms)
}
