import type { Ref } from 'vue'
import type { Api } from '../api/api'
import type { MessageOut, Summary } from '../api/types'
import type { Conversations } from './useConversations'
import type { Live } from './useLive'
import { computed, ref, shallowRef, watch } from 'vue'
import { ApiError } from '../api/errors'
import { oneAtATime } from '../model/one-at-a-time'
import { firstUnread, merged } from '../model/transcript'

export type ThreadStatus = 'none' | 'loading' | 'ready' | 'failed' | 'missing'

/** Messages fetched in one go when a far stretch is wanted. */
const FAR_LIMIT = 500

/**
 * The transcript of the open conversation.
 *
 * Whatever arrives for a conversation that is not open any more is dropped: the thread never shows the previous customer.
 */
export function useThread(id: Ref<string | null>, api: Api, live: Pick<Live, 'onFrame'>, conversations: Pick<Conversations, 'put' | 'row'>) {
  const messages = shallowRef<MessageOut[]>([])
  const status = ref<ThreadStatus>('none')
  const summary = shallowRef<Summary | null>(null)
  const hasOlder = ref(false)
  const isLoadingOlder = ref(false)
  /** Where "new messages" begins, as it was when the thread was opened. */
  const newFrom = ref<number | null>(null)
  /** Everything up to here was loaded without a hole; a confirmed send may lie beyond it. */
  let knownTo = 0
  let abort = new AbortController()
  let catching: Promise<void> | null = null
  let isBehind = false
  /** Messages that changed before they were here: the answer that brings them may have been read before the change. */
  const changedEarly = new Set<string>()

  const refresh = oneAtATime(fetchOne)
  const isHere = (messageId: string): boolean => messages.value.some(message => message.id === messageId)

  function take(more: readonly MessageOut[]): void {
    messages.value = merged(messages.value, more)
    ;[...changedEarly].filter(isHere).forEach((messageId) => {
      changedEarly.delete(messageId)
      void refresh(messageId)
    })
  }

  const last = (items: readonly MessageOut[]): number => items[items.length - 1]?.seq ?? 0

  async function open(conversationId: string, signal: AbortSignal): Promise<void> {
    status.value = 'loading'
    try {
      const [detail, page] = await Promise.all([
        api.conversation(conversationId, signal),
        api.messages(conversationId, 'newest', { signal }),
      ])
      if (signal.aborted)
        return
      conversations.put(detail.row)
      summary.value = detail.summary
      take(page.items)
      hasOlder.value = page.has_more
      knownTo = last(page.items)
      newFrom.value = firstUnread(messages.value, detail.row.unread)
      status.value = 'ready'
      if (isBehind)
        void catchUp()
    }
    catch (error) {
      if (!signal.aborted)
        status.value = error instanceof ApiError && error.status === 404 ? 'missing' : 'failed'
    }
  }

  /** Fetch what came after the known end; calls in between make it look once more. */
  function catchUp(): Promise<void> {
    isBehind = true
    if (status.value !== 'ready')
      return Promise.resolve()
    catching ??= fetchNew(abort.signal).finally(() => {
      catching = null
    })
    return catching
  }

  async function fetchNew(signal: AbortSignal): Promise<void> {
    const conversationId = id.value
    if (conversationId === null)
      return
    try {
      while (isBehind && !signal.aborted) {
        isBehind = false
        const from = knownTo
        const page = await api.messages(conversationId, { after: from }, { signal })
        if (signal.aborted)
          return
        // The end was loaded anew meanwhile: what follows the old one may not join it.
        if (from !== knownTo) {
          isBehind = true
          continue
        }
        take(page.items)
        knownTo = Math.max(knownTo, last(page.items))
        isBehind ||= page.has_more && page.items.length > 0
      }
    }
    catch {
      // Still behind: the next event, or the line coming back, tries again.
      isBehind ||= !signal.aborted
    }
  }

  /** Messages were missed that no event will tell of: load the end anew. */
  async function reload(): Promise<void> {
    const conversationId = id.value
    const { signal } = abort
    if (conversationId === null)
      return
    if (status.value !== 'ready')
      return restart()
    try {
      const [detail, page] = await Promise.all([
        api.conversation(conversationId, signal),
        api.messages(conversationId, 'newest', { signal }),
      ])
      if (signal.aborted)
        return
      conversations.put(detail.row)
      summary.value = detail.summary
      const joins = !page.has_more || (page.items[0]?.seq ?? 0) <= knownTo + 1
      if (!joins) {
        messages.value = []
        hasOlder.value = true
      }
      take(page.items)
      knownTo = Math.max(joins ? knownTo : 0, last(page.items))
    }
    catch {
      isBehind = true
    }
  }

  async function fetchOne(messageId: string): Promise<void> {
    const conversationId = id.value
    const { signal } = abort
    if (conversationId === null || !isHere(messageId))
      return
    try {
      const message = await api.message(conversationId, messageId, signal)
      if (!signal.aborted)
        take([message])
    }
    catch {
      // A delivery state that is late is corrected by the next change or reload.
    }
  }

  function changed(messageId: string): void {
    if (isHere(messageId))
      void refresh(messageId)
    else
      changedEarly.add(messageId)
  }

  async function loadOlder(limit = 100): Promise<void> {
    const conversationId = id.value
    const { signal } = abort
    const first = messages.value[0]
    if (conversationId === null || first === undefined || !hasOlder.value || isLoadingOlder.value)
      return
    isLoadingOlder.value = true
    try {
      const page = await api.messages(conversationId, { before: first.seq }, { limit, signal })
      if (signal.aborted)
        return
      take(page.items)
      hasOlder.value = page.has_more && page.items.length > 0
    }
    catch {
      // Scrolling up again tries again.
    }
    finally {
      if (!signal.aborted)
        isLoadingOlder.value = false
    }
  }

  function restart(): void {
    abort.abort()
    abort = new AbortController()
    messages.value = []
    summary.value = null
    hasOlder.value = false
    isLoadingOlder.value = false
    newFrom.value = null
    knownTo = 0
    catching = null
    isBehind = false
    changedEarly.clear()
    status.value = 'none'
    if (id.value !== null)
      void open(id.value, abort.signal)
  }

  watch(id, (_id, _previous, onCleanup) => {
    restart()
    onCleanup(() => abort.abort())
  }, { immediate: true, flush: 'sync' })

  // The summary belongs to the handoff: a new one brings a new summary.
  watch(() => id.value === null ? null : conversations.row(id.value)?.queued_at ?? null, async (queuedAt, before) => {
    const conversationId = id.value
    const { signal } = abort
    if (conversationId === null || status.value !== 'ready' || queuedAt === before)
      return
    const detail = await api.conversation(conversationId, signal).catch(() => null)
    if (detail !== null && !signal.aborted)
      summary.value = detail.summary
  })

  live.onFrame((frame) => {
    if (frame.type === 'reset') {
      void reload()
    }
    else if (frame.type === 'hello' && isBehind) {
      void catchUp()
    }
    else if (frame.type === 'update') {
      const ours = frame.events.filter(event => event.conversation_id === id.value)
      if (ours.some(event => event.kind === 'message_added'))
        void catchUp()
      ours.forEach(event => event.kind === 'message_changed' && event.message_id !== null && changed(event.message_id))
    }
  })

  return {
    messages,
    status,
    summary,
    hasOlder,
    isLoadingOlder,
    newFrom,
    lastSeq: computed(() => last(messages.value)),
    loadOlder: () => loadOlder(),
    retry: restart,
    reload,

    /** A message of this conversation that the server has just confirmed; one that is here may be newer than the answer. */
    accept(conversationId: string, message: MessageOut): void {
      if (conversationId !== id.value || status.value !== 'ready')
        return
      if (isHere(message.id))
        void refresh(message.id)
      else
        take([message])
    },

    /** Load back until the message at `seq` is there. */
    async loadBack(seq: number): Promise<void> {
      while (hasOlder.value && (messages.value[0]?.seq ?? 0) > seq) {
        const before = messages.value[0]?.seq
        await loadOlder(FAR_LIMIT)
        if (messages.value[0]?.seq === before)
          return
      }
    },

    /** What is new has been seen for long enough. */
    forgetNew(): void { newFrom.value = null },
  }
}

export type Thread = ReturnType<typeof useThread>
