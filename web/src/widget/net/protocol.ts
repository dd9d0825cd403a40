/** The frames of the web chat's socket, as the server sends them and as this page sends them. */

export type ConversationState = 'bot' | 'waiting' | 'agent' | 'external' | 'closed'
/** Whether somebody is there to take a waiting customer; older servers do not say. */
export type WaitingMode = 'live' | 'after_hours'
export type Author = 'customer' | 'bot' | 'agent' | 'system'

export interface QuickReply { id: string, label: string }

export interface Attachment {
  id: string
  kind: 'image' | 'file'
  url: string
  name: string
  mime: string
  /** Bytes. */
  size: number
  /** Pixels; unknown for files. */
  width?: number | null
  height?: number | null
}

export interface HelloFrame {
  type: 'hello'
  visitor_id: string
  /** Highest number that the server holds; every message above ours follows, at most the last 200. */
  last_seq: number
  state: ConversationState
  agent?: string | null
  position?: number | null
  mode?: WaitingMode | null
  /** More was missed than follows. */
  has_more: boolean
}

export interface MessageFrame {
  type: 'msg'
  /** Grows for the life of the visitor; numbers may have holes. */
  seq: number
  id: string
  author: Author
  name?: string
  text: string
  /** ISO 8601, UTC. */
  at: string
  kind?: 'text' | 'csat'
  client_id?: string
  buttons?: QuickReply[]
  attachments?: Attachment[]
  /** Something in it is hidden since the proof ended; pressed, it is asked for again. */
  verify?: QuickReply
}

export interface AckFrame { type: 'ack', client_id: string, seq: number, id: string }
export interface TypingFrame { type: 'typing', author: 'bot' | 'agent', on: boolean }
export interface StateFrame { type: 'state', state: ConversationState, agent?: string | null, position?: number | null, mode?: WaitingMode | null }
export interface HistoryFrame { type: 'history', items: MessageFrame[], has_more: boolean }
export interface PongFrame { type: 'pong' }

export type ErrorCode = 'bad_frame' | 'too_long' | 'too_fast' | 'too_large' | 'not_stored' | 'bad_attachment' | 'bad_press' | 'expired' | 'empty'

export interface ErrorFrame {
  type: 'error'
  code: ErrorCode
  /** Ready to be shown to the customer. */
  text: string
  client_id?: string
  retry_after_s?: number
}

export type ServerFrame = HelloFrame | MessageFrame | AckFrame | TypingFrame | StateFrame | HistoryFrame | PongFrame | ErrorFrame

export type PageFrame
  = { type: 'msg', client_id: string, text?: string, attachment_id?: string }
    | { type: 'press', client_id: string, msg_id: string, button: string }
    | { type: 'csat', client_id: string, score: number, comment?: string }
    | { type: 'typing' }
    | { type: 'history', before: number }
    | { type: 'ping' }

const KNOWN = new Set<string>(['hello', 'msg', 'ack', 'typing', 'state', 'history', 'pong', 'error'])

/** The frame in a socket message, or `null` for what this page does not know: newer servers may say more. */
export function readFrame(data: unknown): ServerFrame | null {
  if (typeof data !== 'string')
    return null
  try {
    const frame = JSON.parse(data) as { type?: unknown, seq?: unknown } | null
    if (frame === null || typeof frame !== 'object' || typeof frame.type !== 'string' || !KNOWN.has(frame.type))
      return null
    if ((frame.type === 'msg' || frame.type === 'ack') && typeof frame.seq !== 'number')
      return null
    return frame as ServerFrame
  }
  catch {
    return null
  }
}
