import type { Api } from '../api/api'
import type { Row } from '../api/types'
import type { Conversations } from './useConversations'
import { ref } from 'vue'
import { ApiError } from '../api/errors'

export type Action = 'claim' | 'transfer' | 'giveBack' | 'close'

/** What agents do with conversations. One at a time: a second click while the first is on its way does nothing. */
export function useActions(api: Api, conversations: Pick<Conversations, 'put'>, onError: (error: ApiError) => void) {
  const running = ref<Action | null>(null)

  async function perform(action: Action, id: string, ask: () => Promise<Row>): Promise<Row | null> {
    if (running.value !== null)
      return null
    running.value = action
    try {
      const row = await ask()
      conversations.put(row)
      return row
    }
    catch (error) {
      const failure = error instanceof ApiError ? error : new ApiError(0, 'unknown', '')
      onError(failure)
      // Somebody was faster: show how it stands now, also where the live line is late.
      if (failure.status === 409)
        api.conversation(id).then(detail => conversations.put(detail.row), () => {})
      return null
    }
    finally {
      running.value = null
    }
  }

  return {
    running,
    claim: (row: Row) => perform('claim', row.id, () => api.claim(row.id, row.version)),
    transfer: (id: string, to: string | null, note: string) => perform('transfer', id, () => api.transfer(id, to, note)),
    giveBack: (id: string) => perform('giveBack', id, () => api.giveBack(id)),
    close: (id: string, text: string, clientId: string) => perform('close', id, () => api.close(id, text, clientId)),
  }
}

export type Actions = ReturnType<typeof useActions>
