import type { Api } from '../api/api'
import type { AgentOut } from '../api/types'
import type { Live } from './useLive'
import type { SessionStore } from './useSession'
import { shallowRef } from 'vue'

/** Everybody who may log in, and what they are now. */
export function useColleagues(api: Pick<Api, 'agents' | 'setPresence'>, live: Pick<Live, 'onFrame'>, session: SessionStore) {
  const agents = shallowRef<readonly AgentOut[]>([])

  function take(items: readonly AgentOut[]): void {
    agents.value = items
    items.forEach(session.update)
  }

  live.onFrame((frame) => {
    if (frame.type === 'presence')
      take(frame.agents)
    else if (frame.type === 'hello')
      session.update(frame.agent)
  })

  return {
    agents,
    /** The newest numbers; those of the last time stay where it fails. */
    load: async (): Promise<void> => {
      try {
        take((await api.agents()).items)
      }
      catch {}
    },
    choose: async (status: 'online' | 'away'): Promise<void> => session.update(await api.setPresence(status)),
  }
}

export type Colleagues = ReturnType<typeof useColleagues>
