import type { View } from '../model/rows'
import type { Client } from './client'
import type { AgentOut, AgentsOut, ChannelsOut, ConversationOut, CustomerOut, MessageIn, MessageOut, MessagesOut, RevealOut, Row, RowsOut, SessionOut, StatusOut, UploadOut } from './types'

export type Stretch = { after: number } | { before: number } | 'newest'

const conversation = (id: string): string => `/conversations/${encodeURIComponent(id)}`
const UPLOAD_TIMEOUT_MS = 120_000

/** The server's use cases, one function each. */
export function createApi(client: Client) {
  return {
    logIn: (username: string, password: string) =>
      client.ask<SessionOut>('/session', { method: 'POST', body: { username, password } }),
    session: () => client.ask<SessionOut>('/session'),
    logOut: () => client.ask<void>('/session', { method: 'DELETE' }),
    useToken: (token: string): void => { client.csrfToken = token },

    agents: () => client.ask<AgentsOut>('/agents'),
    setPresence: (status: 'online' | 'away') => client.ask<AgentOut>('/presence', { method: 'PUT', body: { status } }),
    channels: () => client.ask<ChannelsOut>('/channels'),
    status: () => client.ask<StatusOut>('/status'),

    conversations: (view: View, before: string | null, signal?: AbortSignal) =>
      client.ask<RowsOut>(`/conversations?${new URLSearchParams({ view, limit: '50', ...(before === null ? {} : { before }) }).toString()}`, { signal }),
    conversation: (id: string, signal?: AbortSignal) => client.ask<ConversationOut>(conversation(id), { signal }),
    customer: (id: string, signal?: AbortSignal) => client.ask<CustomerOut>(`${conversation(id)}/customer`, { signal }),

    messages: (id: string, stretch: Stretch, { limit = 100, signal }: { limit?: number, signal?: AbortSignal } = {}) => {
      const query = new URLSearchParams({ limit: String(limit) })
      if (stretch !== 'newest')
        Object.entries(stretch).forEach(([name, seq]) => query.set(name, String(seq)))
      return client.ask<MessagesOut>(`${conversation(id)}/messages?${query.toString()}`, { signal })
    },
    message: (id: string, messageId: string, signal?: AbortSignal) =>
      client.ask<MessageOut>(`${conversation(id)}/messages/${encodeURIComponent(messageId)}`, { signal }),
    send: (id: string, draft: MessageIn) =>
      client.ask<MessageOut>(`${conversation(id)}/messages`, { method: 'POST', body: draft }),
    retry: (id: string, messageId: string) =>
      client.ask<MessageOut>(`${conversation(id)}/messages/${encodeURIComponent(messageId)}/retry`, { method: 'POST', body: {} }),

    claim: (id: string, version: number) => client.ask<Row>(`${conversation(id)}/claim`, { method: 'POST', body: { version } }),
    transfer: (id: string, to: string | null, note: string) =>
      client.ask<Row>(`${conversation(id)}/transfer`, { method: 'POST', body: { to, note } }),
    giveBack: (id: string) => client.ask<Row>(`${conversation(id)}/give-back`, { method: 'POST', body: {} }),
    close: (id: string, text: string, clientId: string) =>
      client.ask<Row>(`${conversation(id)}/close`, { method: 'POST', body: text === '' ? {} : { text, client_id: clientId } }),
    read: (id: string, seq: number) => client.ask<void>(`${conversation(id)}/read`, { method: 'POST', body: { seq } }),
    typing: (id: string) => client.ask<void>(`${conversation(id)}/typing`, { method: 'POST', body: {} }),

    reveal: (secretId: string) => client.ask<RevealOut>(`/secrets/${encodeURIComponent(secretId)}/reveal`, { method: 'POST', body: {} }),
    upload: (file: File, signal?: AbortSignal) => {
      const form = new FormData()
      form.append('file', file, file.name)
      return client.ask<UploadOut>('/attachments', { method: 'POST', body: form, signal, timeoutMs: UPLOAD_TIMEOUT_MS })
    },
  }
}

export type Api = ReturnType<typeof createApi>
