import type { ErrorFrame, PageFrame } from '../net/protocol'
import type { Outbox, Outgoing } from './outbox'
import { frameOf } from './outbox'

export interface SenderOptions {
  outbox: Outbox
  /** `false` when there is no open line. */
  send: (frame: PageFrame) => boolean
  /** The server keeps silent about an act: the line is probably dead. */
  onSilence: () => void
  /** It will not be tried again by itself; `text` is ready to be shown. */
  onFailed: (act: Outgoing, text: string) => void
}

const ACK_WITHIN_MS = 12_000
const RETRY_AFTER_MS = 2_000
const TRIES = 5
/** Codes after which the same frame may be taken later. */
const PASSING = new Set<ErrorFrame['code']>(['too_fast', 'not_stored'])

/**
 * Sends the outbox, one act at a time: the next one waits for the acknowledgement of the one before.
 *
 * So what the customer wrote first is stored first, also when the server asks to slow down in between.
 */
export class Sender {
  #inFlight: string | null = null
  #held = new Set<string>()
  #tries = new Map<string, number>()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly options: SenderOptions) {}

  /** The line is open (again), or there is something new to send. */
  flush(): void {
    if (this.#inFlight !== null)
      return
    const next = this.options.outbox.acts.find(act => !this.#held.has(act.clientId))
    if (next === undefined || !this.options.send(frameOf(next)))
      return
    this.#inFlight = next.clientId
    this.#wait(ACK_WITHIN_MS, () => {
      this.disconnected()
      this.options.onSilence()
    })
  }

  /** What was in flight may or may not have arrived; it goes out again on the next line. */
  disconnected(): void {
    this.#inFlight = null
    clearTimeout(this.#timer)
  }

  /** The server has stored it, by acknowledgement or because it came back as a message. */
  settled(clientId: string): Outgoing | undefined {
    const act = this.options.outbox.take(clientId)
    this.#tries.delete(clientId)
    this.#held.delete(clientId)
    this.#landed(clientId)
    return act
  }

  /** The server has refused it; `false` when it is none of ours. */
  refused(error: ErrorFrame): boolean {
    const clientId = error.client_id ?? (PASSING.has(error.code) ? this.#inFlight : null)
    const act = this.options.outbox.acts.find(other => other.clientId === clientId)
    if (act === undefined)
      return false
    const tries = (this.#tries.get(act.clientId) ?? 0) + 1
    this.#tries.set(act.clientId, tries)
    if (PASSING.has(error.code) && tries < TRIES) {
      this.#inFlight = act.clientId // holds the ones behind it back
      this.#wait(error.retry_after_s === undefined ? RETRY_AFTER_MS * tries : error.retry_after_s * 1000, () => this.#landed(act.clientId))
      return true
    }
    this.#held.add(act.clientId)
    this.options.onFailed(act, error.text)
    this.#landed(act.clientId)
    return true
  }

  /** The customer wants a failed act tried again. */
  retry(clientId: string): void {
    this.#held.delete(clientId)
    this.#tries.delete(clientId)
    this.flush()
  }

  #landed(clientId: string): void {
    if (this.#inFlight !== clientId)
      return
    this.#inFlight = null
    clearTimeout(this.#timer)
    this.flush()
  }

  #wait(ms: number, action: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(action, ms)
  }
}
