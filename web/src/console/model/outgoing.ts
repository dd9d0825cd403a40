import type { UploadOut } from '../api/types'

/** Something the agent sent that the server has not confirmed. */
export interface Outgoing {
  /** Made once when the agent sends; every retry carries the same, so it is stored once. */
  clientId: string
  conversationId: string
  text: string
  attachments: readonly UploadOut[]
  /** For colleagues only; fixed at sending, a retry cannot make a reply of it. */
  note: boolean
  takeover: boolean
  /** ISO 8601, UTC. */
  at: string
  state: 'sending' | 'failed'
  problem: string | null
}
