import type { Ref } from 'vue'
import type { Api } from '../api/api'
import type { Conversations } from './useConversations'
import type { Thread } from './useThread'
import { useTimeoutFn } from '@vueuse/core'
import { watch } from 'vue'
import { readsOnSight } from '../model/rows'

const SEEN_AFTER_MS = 600

/** Tells the server what was seen: the open conversation, while the page is looked at and the thread's end is in view. */
export function useReading(
  id: Ref<string | null>,
  options: { api: Pick<Api, 'read'>, conversations: Pick<Conversations, 'row'>, thread: Thread, isLooking: Ref<boolean>, isAtEnd: Ref<boolean>, me: () => string },
): void {
  let told = ''

  function due(): string | null {
    const row = id.value === null ? undefined : options.conversations.row(id.value)
    const isSeen = options.thread.status.value === 'ready' && options.isLooking.value && options.isAtEnd.value
    if (row === undefined || !isSeen || row.unread === 0 || !readsOnSight(row, options.me()) || options.thread.lastSeq.value === 0)
      return null
    return `${row.id} ${options.thread.lastSeq.value}`
  }

  const seen = useTimeoutFn((next: string) => {
    told = next
    const [conversationId, seq] = next.split(' ') as [string, string]
    options.api.read(conversationId, Number(seq)).catch(() => {
      told = ''
    })
  }, SEEN_AFTER_MS, { immediate: false })

  watch(due, (next) => {
    if (next === null || next === told)
      seen.stop()
    else
      seen.start(next)
  })
}
