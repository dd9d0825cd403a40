import type { FileKind } from '../model/files'

/** What the console's API says, in the contract's own words; see `/api/v1/openapi.json`. Times are ISO 8601, UTC. */

export type Role = 'agent' | 'supervisor' | 'admin'
export type Presence = 'online' | 'away' | 'offline'
export type State = 'bot' | 'waiting' | 'agent' | 'external' | 'closed'
export type WaitingMode = 'live' | 'after_hours'
export type View = 'queue' | 'mine' | 'bot' | 'all' | 'closed'
export type Author = 'customer' | 'bot' | 'agent' | 'system'
export type MessageKind = 'text' | 'note' | 'notice' | 'csat'
export type DeliveryState = 'pending' | 'sent' | 'failed' | 'cancelled' | 'none'

export interface Agent {
  id: string
  username: string
  name: string
  role: Role
  status: Presence
  /** Conversations in hand. */
  open_count: number
}

export interface Session { agent: Agent, csrf_token: string }

export interface Csat {
  /** 1 (bad) to 5 (good). */
  score: number
  comment: string | null
}

export interface Row {
  id: string
  customer: { id: string, name: string, channel: string }
  state: State
  mode: WaitingMode | null
  assignee: { id: string, name: string } | null
  /** Why a person was called, as a code; `reason_text` says it in Chinese. */
  reason: string | null
  reason_text: string | null
  queued_at: string | null
  /** Place in the queue from 1. */
  position: number | null
  opened_at: string
  closed_at: string | null
  /** When it closes unless the customer writes. */
  closing_at: string | null
  last_message: { author: Author, preview: string, at: string, seq: number } | null
  last_seq: number
  unread: number
  /** Grows with every change. */
  version: number
  csat: Csat | null
  /** The shop's account on that channel. */
  account: string
  is_group: boolean
  /** Why nothing arrives: blocked, unfollowed. */
  unreachable: string | null
  /** What the platform still lets us say; null where it does not count. */
  budget: { left: number, total: number, expires_at: string | null } | null
}

export interface Counts { queue: number, mine: number, bot: number }
export interface RowPage { items: Row[], next: string | null, counts: Counts }

export interface Summary {
  reason: string | null
  wanted: string | null
  tried: string[]
  orders: { number: string, state_text: string | null }[]
}

export interface ConversationDetail { row: Row, summary: Summary | null }

export interface Secret { id: string, mask: string, kind: string }

export interface Attachment {
  id: string
  kind: string
  url: string
  name: string
  mime: string
  /** Bytes. */
  size: number
  width: number | null
  height: number | null
  /** `pending` until it was fetched from the platform. */
  state: 'ready' | 'pending' | 'failed'
}

export interface Candidate {
  intent: string
  title: string
  /** In [0, 1]; candidates need not sum to 1. */
  confidence: number
  source: string
}

/** Why the bot did what it did in one turn. */
export interface Turn {
  id: string
  /** E.g. `answer`, `ask_slot:order_number`; joined by ` + ` where a message held two questions. */
  action: string
  intent: string | null
  intent_title: string | null
  confidence: number | null
  band: string | null
  rule: string | null
  tool: string | null
  outcome: string | null
  candidates: Candidate[]
}

export interface Message {
  id: string
  /** Place in the conversation; numbers may have holes. */
  seq: number
  author: Author
  author_id?: string | null
  author_name: string | null
  client_id?: string | null
  kind: MessageKind
  /** Holds `{{secret:ID}}` where a secret was. */
  text: string
  /** What a customer's message answers, in the same form. */
  quoted?: string
  secrets: Secret[]
  buttons: { id: string, label: string }[]
  attachments: Attachment[]
  at: string
  /** `is_held`: the platform lets nothing through until the customer writes again. */
  delivery: { state: DeliveryState, error: string | null, is_held: boolean }
  turn: Turn | null
}

export interface MessagePage { items: Message[], has_more: boolean }

export interface MessageDraft {
  client_id: string
  text: string
  attachment_ids: string[]
  note: boolean
  takeover: boolean
}

export interface Upload {
  id: string
  kind: FileKind
  url: string
  name: string
  mime: string
  /** Bytes. */
  size: number
  width: number | null
  height: number | null
}

export interface Order {
  number: string
  product: string
  state_text: string
  payment_state: string
  fulfilment_state: string
  /** `null` where ownership was not proved. */
  amount_fen: number | null
  created_at: string
  paid_at: string | null
  delivered_at: string | null
  contact_mask: string | null
  proved: boolean
  cards: { mask: string, stock_state_text: string, redemption_text: string, checked_at: string | null }[]
  refunds: { amount_fen: number, state_text: string }[]
}

export interface Proof { order_number: string, factor: string, factor_text: string, proved_at: string }

export interface Segment {
  segment_id: string
  opened_at: string
  closed_at: string | null
  closed_reason_text: string | null
  agent_name: string | null
  first_seq: number
  last_seq: number | null
  preview: string
  csat: Csat | null
}

export interface CustomerDetail {
  customer: { id: string, name: string, channel: string, first_seen_at: string, segments_count: number }
  proofs: Proof[]
  orders: Order[]
  earlier: Segment[]
  /** Why orders cannot be shown now. */
  problem?: string | null
}

export interface KbStatus { ok: boolean, loaded_at: string, intents: number, phrases: number, problem: string | null }

/** Something that a channel tells of itself: a word or a number, or a time. */
export interface Figure { name: string, label: string, text: string | null, at: string | null }

/** An account that customers write to. */
export interface Channel {
  channel: string
  channel_title: string
  account: string
  /** The account's name; empty where it has none. */
  title: string
  state: 'starting' | 'up' | 'degraded' | 'down'
  last_error: string | null
  last_inbound_at: string | null
  last_outbound_at: string | null
  /** Kinds of files that go out. */
  sends: FileKind[]
  /** Sends are counted by the platform. */
  has_budget: boolean
  /** Messages that wait until their customer writes. */
  held: number
  figures: Figure[]
}

export interface ChannelList {
  items: Channel[]
  max_file_bytes: number
}

export interface ServerStatus { kb: KbStatus, version: string }

export type EventKind = 'message_added' | 'message_changed' | 'state_changed' | 'queue_changed' | 'alert'

export interface LiveEvent {
  id: number
  kind: EventKind
  conversation_id: string
  message_id?: string | null
  /** A short word: for `alert`, what for. */
  detail?: string | null
}

export type LiveFrame
  = | { type: 'hello', cursor: number, agent: Agent }
    | { type: 'update', cursor: number, conversations: Row[], events: LiveEvent[], counts: Counts }
    | { type: 'typing', conversation_id: string }
    | { type: 'presence', agents: Agent[] }
    | ({ type: 'kb' } & KbStatus)
    | { type: 'reset', cursor?: number }
    | { type: 'logged_out' }
    | { type: 'pong' }
