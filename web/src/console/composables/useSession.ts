import type { Ref } from 'vue'
import type { Api } from '../api/api'
import type { AgentOut } from '../api/types'
import { computed, ref } from 'vue'
import { ApiError } from '../api/errors'

/** `unknown` until the server was asked; `expired` was in, and has to log in again. */
export type SessionState = 'unknown' | 'in' | 'out' | 'expired'

/** Who is logged in. */
export function createSession(api: Api) {
  const state: Ref<SessionState> = ref('unknown')
  const agent = ref<AgentOut | null>(null)

  function enter(session: { agent: AgentOut, csrf_token: string }): void {
    api.useToken(session.csrf_token)
    agent.value = session.agent
    state.value = 'in'
  }

  function leave(how: 'out' | 'expired'): void {
    api.useToken('')
    agent.value = null
    state.value = how
  }

  return {
    state,
    agent,
    isSupervisor: computed(() => agent.value !== null && agent.value.role !== 'agent'),

    /**
     * Ask who is logged in, by the cookie.
     *
     * @throws ApiError the server cannot be asked; being logged out is no error.
     */
    async resume(): Promise<void> {
      try {
        enter(await api.session())
      }
      catch (error) {
        if (!(error instanceof ApiError) || error.status !== 401)
          throw error
        leave('out')
      }
    },

    async logIn(username: string, password: string): Promise<void> {
      enter(await api.logIn(username, password))
    },

    /** The console is left also when the server cannot be told. */
    async logOut(): Promise<void> {
      try {
        await api.logOut()
      }
      finally {
        leave('out')
      }
    },

    /** The server knows us no more. */
    expired(): void {
      if (state.value === 'in')
        leave('expired')
    },

    update(next: AgentOut): void {
      if (agent.value?.id === next.id)
        agent.value = next
    },
  }
}

export type SessionStore = ReturnType<typeof createSession>
