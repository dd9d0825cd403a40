import type { Api } from '../api/api'
import type { KbStatus } from '../api/types'
import type { Live } from './useLive'
import { shallowRef } from 'vue'

/** How kb.yaml is. */
export function useStatus(api: Pick<Api, 'status'>, live: Pick<Live, 'onFrame'>) {
  const kb = shallowRef<KbStatus | null>(null)
  live.onFrame((frame) => {
    if (frame.type === 'kb')
      kb.value = frame
  })
  return {
    kb,
    load: async (): Promise<void> => {
      kb.value = (await api.status().catch(() => null))?.kb ?? kb.value
    },
  }
}
