import type { Ref } from 'vue'
import type { Api } from '../api/api'
import { onScopeDispose, shallowReactive, watch } from 'vue'

/** A look is short; the value is forgotten then, and when the conversation is left. */
const SHOWN_MS = 30_000

/** Secrets that this agent has asked to see. */
export function useReveals(api: Pick<Api, 'reveal'>, conversationId: Ref<string | null>) {
  const values = shallowReactive(new Map<string, string>())
  const timers = new Set<ReturnType<typeof setTimeout>>()

  function forget(): void {
    timers.forEach(clearTimeout)
    timers.clear()
    values.clear()
  }

  watch(conversationId, forget, { flush: 'sync' })
  onScopeDispose(forget)

  return {
    values: values as ReadonlyMap<string, string>,
    hide: (secretId: string): void => { values.delete(secretId) },

    /** Show a secret's value; the server has logged the look before it answers. */
    async reveal(secretId: string): Promise<void> {
      const openBefore = conversationId.value
      const { value } = await api.reveal(secretId)
      if (conversationId.value !== openBefore)
        return
      values.set(secretId, value)
      const timer = setTimeout(() => {
        values.delete(secretId)
        timers.delete(timer)
      }, SHOWN_MS)
      timers.add(timer)
    },
  }
}

export type Reveals = ReturnType<typeof useReveals>
