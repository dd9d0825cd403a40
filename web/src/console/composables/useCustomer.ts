import type { Ref } from 'vue'
import type { Api } from '../api/api'
import type { CustomerOut } from '../api/types'
import type { Live } from './useLive'
import { useTimeoutFn } from '@vueuse/core'
import { onScopeDispose, ref, shallowRef, watch } from 'vue'

/** A look-up may prove an order: the panel follows the conversation, not every word of it. */
const SETTLE_MS = 1_200

/** The customer beside the open conversation. */
export function useCustomer(id: Ref<string | null>, api: Pick<Api, 'customer'>, live: Pick<Live, 'onFrame'>) {
  const detail = shallowRef<CustomerOut | null>(null)
  const status = ref<'none' | 'loading' | 'ready' | 'failed'>('none')
  let abort = new AbortController()

  const refresh = useTimeoutFn(() => void load(), SETTLE_MS, { immediate: false })

  async function load(): Promise<void> {
    abort.abort()
    abort = new AbortController()
    const { signal } = abort
    if (id.value === null)
      return
    try {
      const answer = await api.customer(id.value, signal)
      if (signal.aborted)
        return
      detail.value = answer
      status.value = 'ready'
    }
    catch {
      // What is there stays; only an empty panel says that it failed.
      if (!signal.aborted && detail.value === null)
        status.value = 'failed'
    }
  }

  function restart(): void {
    refresh.stop()
    abort.abort()
    detail.value = null
    status.value = id.value === null ? 'none' : 'loading'
    void load()
  }

  watch(id, restart, { immediate: true, flush: 'sync' })

  live.onFrame((frame) => {
    const concerns = frame.type === 'reset' || (frame.type === 'update' && frame.events.some(event =>
      event.conversation_id === id.value && (event.kind === 'message_added' || event.kind === 'state_changed') && event.detail !== 'read'))
    if (!concerns || id.value === null)
      return
    refresh.start()
  })

  onScopeDispose(() => abort.abort())

  return { detail, status, retry: restart }
}

export type Customer = ReturnType<typeof useCustomer>
