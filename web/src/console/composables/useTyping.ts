import type { Api } from '../api/api'
import type { Live } from './useLive'
import { onScopeDispose, shallowReactive } from 'vue'

const SHOWN_MS = 5_000
const TOLD_EVERY_MS = 3_000

/** Who writes: customers, told to us, and us, told to them. */
export function useTyping(api: Pick<Api, 'typing'>, live: Pick<Live, 'onFrame'>, now: () => number = Date.now) {
  const typing = shallowReactive(new Map<string, ReturnType<typeof setTimeout>>())
  const toldAt = new Map<string, number>()

  function stop(conversationId: string): void {
    clearTimeout(typing.get(conversationId))
    typing.delete(conversationId)
  }

  live.onFrame((frame) => {
    if (frame.type === 'typing') {
      stop(frame.conversation_id)
      typing.set(frame.conversation_id, setTimeout(stop, SHOWN_MS, frame.conversation_id))
    }
    else if (frame.type === 'update') {
      frame.events.forEach(event => event.kind === 'message_added' && stop(event.conversation_id))
    }
  })
  onScopeDispose(() => [...typing.keys()].forEach(stop))

  return {
    isTyping: (conversationId: string): boolean => typing.has(conversationId),
    /** We write to this customer; told at most every three seconds, and no matter if it fails. */
    tell(conversationId: string): void {
      if (now() - (toldAt.get(conversationId) ?? 0) < TOLD_EVERY_MS)
        return
      toldAt.set(conversationId, now())
      api.typing(conversationId).catch(() => {})
    },
  }
}

export type Typing = ReturnType<typeof useTyping>
