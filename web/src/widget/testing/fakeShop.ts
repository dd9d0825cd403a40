import type { World } from '../composables/useChat'
import type { HistoryFrame, MessageFrame, PageFrame, ServerFrame } from '../net/protocol'
import { languageOf } from '../locales'
import { Keep, MemoryStore } from '../net/keep'

/** A socket with the shop's end in the test's hands. */
export class FakeSocket {
  readyState = 1
  onmessage: ((event: { data: string }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null
  onerror: (() => void) | null = null
  readonly sent: PageFrame[] = []

  constructor(readonly address: string, private readonly shop: FakeShop) {}

  get lastSeq(): number { return Number(new URL(this.address).searchParams.get('last_seq')) }

  send(data: string): void {
    const frame = JSON.parse(data) as PageFrame
    this.sent.push(frame)
    const losesAck = this.shop.losesAcks
    queueMicrotask(() => this.shop.take(this, frame, losesAck))
  }

  close(): void { this.readyState = 3 }

  say(frame: ServerFrame): void {
    if (this.readyState === 1)
      this.onmessage?.({ data: JSON.stringify(frame) })
  }

  /** The server or the network ends it. */
  break(code = 1006): void {
    this.readyState = 3
    this.onclose?.({ code })
  }
}

/**
 * The shop's side of the protocol in memory: numbers what it stores, knows a `client_id` again, repeats what was missed.
 */
export class FakeShop {
  readonly lines: MessageFrame[] = []
  readonly sockets: FakeSocket[] = []
  readonly store = new MemoryStore()
  visitorId = 'visitor-1'
  visits = 0
  isDown = false
  /** Stored, but the page never hears of it. */
  losesAcks = false
  /** Refuse the next acts with these, oldest first. */
  readonly refusals: { code: 'too_fast' | 'not_stored' | 'too_long' | 'bad_press', retry_after_s?: number }[] = []
  #seq = 0

  get socket(): FakeSocket { return this.sockets[this.sockets.length - 1]! }

  world(): World {
    return {
      origin: 'https://shop.example',
      store: this.store,
      language: languageOf('zh', []),
      fetch: (() => this.#visit()) as typeof fetch,
      openSocket: address => this.#open(address) as unknown as WebSocket,
      now: () => new Date(),
      random: () => 0.5,
      isOnline: () => true,
    }
  }

  keep(): Keep { return new Keep(this.store, 'kefu:https://shop.example:') }

  /** Store a line; numbers skip, as they may. */
  line(author: MessageFrame['author'], text: string, more: Partial<MessageFrame> = {}): MessageFrame {
    this.#seq += 2
    const line = { type: 'msg', seq: this.#seq, id: `m${this.#seq}`, author, text, at: '2026-11-23T07:40:00.000Z', ...more } as const
    this.lines.push(line)
    return line
  }

  say(author: MessageFrame['author'], text: string, more: Partial<MessageFrame> = {}): MessageFrame {
    const line = this.line(author, text, more)
    this.socket.say(line)
    return line
  }

  /** The texts of what customers have sent, in the order in which it was stored. */
  get stored(): string[] { return this.lines.filter(line => line.author === 'customer').map(line => line.text) }

  take(socket: FakeSocket, frame: PageFrame, losesAck: boolean): void {
    if (frame.type === 'ping')
      socket.say({ type: 'pong' })
    if (frame.type === 'history')
      socket.say(this.#history(frame.before))
    if (!('client_id' in frame))
      return
    const refusal = this.refusals.shift()
    if (refusal !== undefined) {
      socket.say({ type: 'error', text: '请稍后再试', client_id: frame.client_id, ...refusal })
      return
    }
    const text = frame.type === 'msg' ? frame.text ?? '' : frame.type === 'press' ? frame.button : '★'.repeat(frame.score)
    const kind = frame.type === 'csat' ? { kind: 'csat' } as const : {}
    const line = this.lines.find(other => other.client_id === frame.client_id)
      ?? this.line('customer', text, { client_id: frame.client_id, ...kind })
    if (!losesAck)
      socket.say({ type: 'ack', client_id: frame.client_id, seq: line.seq, id: line.id })
  }

  /** The database is restored from an older copy. */
  forgetAfter(seq: number): void {
    this.lines.splice(0, this.lines.length, ...this.lines.filter(line => line.seq <= seq))
    this.#seq = seq
  }

  async #visit(): Promise<Response> {
    this.visits += 1
    if (this.isDown)
      throw new TypeError('Failed to fetch')
    return Response.json({
      visitor_id: this.visitorId,
      token: `token-${this.visits}`,
      shop: { name: '星辰点卡', hours_text: '每天 09:00-23:00', open_now: true },
      welcome: { text: '您好', buttons: [{ id: 'order_status', label: '查订单' }] },
      limits: { text_chars: 4000, image_bytes: 5 * 1024 * 1024 },
    })
  }

  #open(address: string): FakeSocket {
    const socket = new FakeSocket(address, this)
    this.sockets.push(socket)
    if (this.isDown)
      queueMicrotask(() => socket.break())
    else
      queueMicrotask(() => this.#greet(socket))
    return socket
  }

  #greet(socket: FakeSocket): void {
    const missed = this.lines.filter(line => line.seq > socket.lastSeq)
    socket.say({ type: 'hello', visitor_id: this.visitorId, last_seq: this.#seq, state: 'bot', has_more: missed.length > 200 })
    missed.slice(-200).forEach(line => socket.say(line))
  }

  #history(before: number): HistoryFrame {
    const earlier = this.lines.filter(line => line.seq < before)
    return { type: 'history', items: earlier.slice(-50), has_more: earlier.length > 50 }
  }
}
