/** What the console's API answers; `handoff/api/models.py` is the other side of it. */

export type State = 'bot' | 'waiting' | 'agent' | 'external' | 'closed'
export type View = 'queue' | 'mine' | 'bot' | 'all' | 'closed'
export type Author = 'customer' | 'bot' | 'agent' | 'system'

export interface Agent {
  id: string
  username: string
  name: string
  role: 'agent' | 'supervisor' | 'admin'
  status: 'online' | 'away' | 'offline'
  open_count: number
}

export interface Session { agent: Agent, csrf_token: string }
export interface Counts { queue: number, mine: number, bot: number }
export interface Csat { score: number, comment: string | null }
export interface LastMessage { author: Author, preview: string, at: string, seq: number }

export interface Row {
  id: string
  customer: { id: string, name: string, channel: string }
  state: State
  mode: 'live' | 'after_hours' | null
  assignee: { id: string, name: string } | null
  reason: string | null
  reason_text: string | null
  queued_at: string | null
  position: number | null
  opened_at: string
  closed_at: string | null
  closing_at: string | null
  last_message: LastMessage | null
  last_seq: number
  unread: number
  version: number
  csat: Csat | null
}

export interface RowPage { items: Row[], next: string | null, counts: Counts }

export interface Summary {
  reason: string | null
  wanted: string | null
  tried: string[]
  orders: { number: string, state_text: string | null }[]
}

export interface ConversationDetail { row: Row, summary: Summary | null }

export interface Secret { id: string, mask: string, kind: string }
export interface Candidate { intent: string, title: string, confidence: number, source: string }

export interface Turn {
  id: string
  action: string
  actions: string[]
  intent: string | null
  intent_title: string | null
  confidence: number | null
  band: string | null
  rule: string | null
  tool: string | null
  outcome: string | null
  candidates: Candidate[]
}

export interface Attachment {
  id: string
  kind: string
  url: string
  name: string
  mime: string
  size: number
  width: number | null
  height: number | null
}

export interface Upload { id: string, url: string, mime: string, size: number, width: number | null, height: number | null }

export type DeliveryState = 'none' | 'pending' | 'sent' | 'failed' | 'cancelled'

export interface Message {
  id: string
  conversation_id: string
  seq: number
  author: Author
  author_id: string | null
  author_name: string | null
  client_id: string | null
  kind: 'text' | 'note' | 'notice' | 'csat'
  text: string
  secrets: Secret[]
  buttons: { id: string, label: string }[]
  attachments: Attachment[]
  at: string
  delivery: { state: DeliveryState, error: string | null }
  turn: Turn | null
}

export interface MessagePage { items: Message[], has_more: boolean }
export interface MessageDraft { client_id: string, text: string, attachment_ids: string[], note: boolean, takeover: boolean }

export interface Proof { order_number: string, factor: string, factor_text: string, proved_at: string }
export interface Card { mask: string, stock_state_text: string, redemption_text: string, checked_at: string | null }
export interface Refund { amount_fen: number, state_text: string }

export interface Order {
  number: string
  product: string
  state_text: string
  payment_state: string
  fulfilment_state: string
  amount_fen: number | null
  created_at: string
  paid_at: string | null
  delivered_at: string | null
  contact_mask: string | null
  proved: boolean
  cards: Card[]
  refunds: Refund[]
}

export interface Earlier {
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
  earlier: Earlier[]
  problem: string | null
}

export interface KbStatus { ok: boolean, loaded_at: string, intents: number, phrases: number, problem: string | null }
export interface ConnectorStatus { channel: string, account: string, state: string, last_error: string | null }
export interface ServerStatus { kb: KbStatus, connectors: ConnectorStatus[], version: string }

export interface LiveEvent { id: number, kind: string, conversation_id: string, message_id: string | null, detail: string | null }

export type LiveFrame
  = | { type: 'hello', cursor: number, agent: Agent }
    | { type: 'update', cursor: number, conversations: Row[], events: LiveEvent[], counts: Counts }
    | { type: 'typing', conversation_id: string }
    | { type: 'presence', agents: Agent[] }
    | ({ type: 'kb' } & KbStatus)
    | { type: 'reset', cursor: number }
    | { type: 'logged_out' }
    | { type: 'pong' }
