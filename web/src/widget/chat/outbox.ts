import type { Keep } from '../net/keep'
import type { Attachment, PageFrame } from '../net/protocol'

/** Something the customer did that the server must learn, kept until it says so. */
export interface Outgoing {
  clientId: string
  /** ISO 8601, UTC; also the order. */
  at: string
  act:
    | { type: 'msg', text: string, attachment: Attachment | null }
    | { type: 'press', messageId: string, button: string, label: string }
    | { type: 'csat', messageId: string, score: number, comment: string }
}

const KEPT_MS = 24 * 3600 * 1000

/**
 * Acts on their way, in the order in which they were done, safe from a reload.
 *
 * One stored item each: two tabs of the same visitor add to the same store without overwriting each other. When both
 * send the same act the server stores it once, by its `clientId`.
 */
export class Outbox {
  #acts: Outgoing[]

  constructor(private readonly keep: Keep, now: () => Date) {
    const oldest = now().getTime() - KEPT_MS
    this.#acts = keep.names('out:')
      .map(name => keep.get<Outgoing>(name))
      .filter(act => act !== null)
      .filter(act => Date.parse(act.at) > oldest || this.#forget(act.clientId))
      .sort((one, other) => one.at < other.at ? -1 : 1)
  }

  get acts(): readonly Outgoing[] { return this.#acts }

  add(act: Outgoing): void {
    this.#acts.push(act)
    this.keep.set(`out:${act.clientId}`, act)
  }

  /** Take an act off; `undefined` when it is not (or no longer) here. */
  take(clientId: string): Outgoing | undefined {
    const act = this.#acts.find(other => other.clientId === clientId)
    this.#acts = this.#acts.filter(other => other !== act)
    this.#forget(clientId)
    return act
  }

  #forget(clientId: string): false {
    this.keep.remove(`out:${clientId}`)
    return false
  }
}

/** The frame that tells the server of an act. */
export function frameOf({ clientId, act }: Outgoing): PageFrame {
  switch (act.type) {
    case 'msg':
      return {
        type: 'msg',
        client_id: clientId,
        ...(act.attachment === null ? {} : { attachment_id: act.attachment.id }),
        ...(act.text === '' ? {} : { text: act.text }),
      }
    case 'press':
      return { type: 'press', client_id: clientId, msg_id: act.messageId, button: act.button }
    case 'csat':
      return { type: 'csat', client_id: clientId, score: act.score, ...(act.comment === '' ? {} : { comment: act.comment }) }
  }
}
