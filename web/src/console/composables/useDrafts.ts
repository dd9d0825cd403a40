import type { UploadOut } from '../api/types'
import { reactive } from 'vue'

/** To the customer, or for colleagues. They never share a draft. */
export type Mode = 'reply' | 'note'

export interface Draft { text: string, attachments: UploadOut[] }
interface Stored extends Draft { at: number }

const KEPT_MS = 30 * 24 * 3600 * 1000

/**
 * What is written and not sent, by agent, conversation and mode; survives switching and reload.
 *
 * @param store a browser's storage; a full or forbidden one costs the drafts' survival, nothing else.
 */
export function createDrafts(store: Storage, agentId: string, now: () => number = Date.now) {
  const prefix = `kefu.draft.${agentId}.`
  const drafts = reactive(new Map<string, Draft>())
  const keyOf = (conversationId: string, mode: Mode): string => `${conversationId}.${mode}`

  function quietly<T>(action: () => T): T | null {
    try {
      return action()
    }
    catch {
      return null
    }
  }

  quietly(() => {
    const keys = Array.from({ length: store.length }, (_, index) => store.key(index)).filter(key => key?.startsWith(prefix))
    for (const key of keys as string[]) {
      const draft = quietly(() => JSON.parse(store.getItem(key) ?? 'null') as Stored | null)
      if (draft === null || typeof draft.text !== 'string' || !Array.isArray(draft.attachments) || draft.at < now() - KEPT_MS)
        store.removeItem(key)
      else
        drafts.set(key.slice(prefix.length), { text: draft.text, attachments: draft.attachments })
    }
  })

  function set(conversationId: string, mode: Mode, draft: Draft): void {
    const key = keyOf(conversationId, mode)
    if (draft.text === '' && draft.attachments.length === 0) {
      drafts.delete(key)
      quietly(() => store.removeItem(prefix + key))
      return
    }
    drafts.set(key, draft)
    quietly(() => store.setItem(prefix + key, JSON.stringify({ ...draft, at: now() } satisfies Stored)))
  }

  function get(conversationId: string, mode: Mode): Draft {
    return drafts.get(keyOf(conversationId, mode)) ?? { text: '', attachments: [] }
  }

  return {
    get,
    /** Whether something is written for it, in either mode. */
    has: (conversationId: string): boolean => drafts.has(keyOf(conversationId, 'reply')) || drafts.has(keyOf(conversationId, 'note')),
    setText: (conversationId: string, mode: Mode, text: string): void => set(conversationId, mode, { ...get(conversationId, mode), text }),
    attach: (conversationId: string, mode: Mode, upload: UploadOut): void => {
      const draft = get(conversationId, mode)
      set(conversationId, mode, { ...draft, attachments: [...draft.attachments, upload] })
    },
    detach: (conversationId: string, mode: Mode, uploadId: string): void => {
      const draft = get(conversationId, mode)
      set(conversationId, mode, { ...draft, attachments: draft.attachments.filter(upload => upload.id !== uploadId) })
    },
    /** Take it out, to be sent: a second Enter finds nothing. */
    take: (conversationId: string, mode: Mode): Draft => {
      const draft = get(conversationId, mode)
      set(conversationId, mode, { text: '', attachments: [] })
      return draft
    },
  }
}

export type Drafts = ReturnType<typeof createDrafts>
