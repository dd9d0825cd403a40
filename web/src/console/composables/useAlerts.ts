import type { Ref } from 'vue'
import type { EventOut, Row } from '../api/types'
import type { Clock } from './useClock'
import type { Conversations } from './useConversations'
import type { Live } from './useLive'
import { onScopeDispose, watch } from 'vue'
import { ringing } from '../model/alarm'

export interface AlertsOptions {
  clock: Clock
  live: Pick<Live, 'onFrame'>
  conversations: Pick<Conversations, 'lists' | 'counts' | 'row'>
  me: () => string
  /** Away: nothing rings; the numbers stay. */
  isOnline: () => boolean
  openId: Ref<string | null>
  isLooking: () => boolean
  setTitle: (title: string) => void
  title: () => string
  ring: (rows: readonly Row[]) => void
  onMessage: (row: Row) => void
  /** A colleague's transfer, a nudge, a lapse: `event.detail` says which. */
  onAlert: (event: EventOut, row: Row) => void
}

/** Calls the agent: a number in the title, and a ring that comes again until what waits is claimed. */
export function useAlerts(options: AlertsOptions): void {
  const { clock, conversations } = options
  const rangAt = new Map<string, number>()

  function ring(): void {
    if (!options.isOnline())
      return
    const due = ringing(conversations.lists.queue.value, rangAt, clock.now.value)
    if (due.length === 0)
      return
    // All of them at once: three waiting customers are one sound, not three.
    conversations.lists.queue.value.forEach(row => rangAt.set(row.id, clock.now.value))
    options.ring(due)
  }

  watch([clock.now, conversations.lists.queue, options.isOnline], ring)
  // Who leaves the queue and comes back later rings at once.
  watch(conversations.lists.queue, (waiting) => {
    const ids = new Set(waiting.map(row => row.id))
    ;[...rangAt.keys()].filter(id => !ids.has(id)).forEach(id => rangAt.delete(id))
  })

  watch(() => {
    const unread = conversations.lists.mine.value.reduce((sum, row) => sum + (row.unread > 0 ? 1 : 0), 0)
    const calls = conversations.counts.value.queue + unread
    return calls > 0 ? `(${calls}) ${options.title()}` : options.title()
  }, title => options.setTitle(title), { immediate: true })
  onScopeDispose(() => options.setTitle(options.title()))

  options.live.onFrame((frame) => {
    if (frame.type !== 'update')
      return
    const told = new Set<string>()
    for (const event of frame.events) {
      const row = conversations.row(event.conversation_id)
      const isMine = row?.state === 'agent' && row.assignee?.id === options.me()
      if (row === undefined || !isMine || told.has(event.conversation_id))
        continue
      if (event.kind === 'alert') {
        told.add(event.conversation_id)
        options.onAlert(event, row)
      }
      else if (event.kind === 'message_added' && row.last_message?.author === 'customer' && row.unread > 0) {
        told.add(event.conversation_id)
        if (!(options.isLooking() && options.openId.value === row.id))
          options.onMessage(row)
      }
    }
  })
}
