import type { Chat } from './useChat'
import { useEventListener } from '@vueuse/core'
import { onScopeDispose, ref, watch } from 'vue'
import { useLanguage } from '../locales'

/**
 * How many messages came while nobody looked; also counted in the page's title.
 *
 * @param isLooking whether the chat is on the screen (the page itself may still be in the background)
 */
export function useUnread(chat: Chat, isLooking: () => boolean) {
  const { words } = useLanguage()
  const count = ref(0)
  const title = document.title
  let shown = title

  const looks = () => isLooking() && document.visibilityState === 'visible'

  function read(): void {
    count.value = 0
    const seq = chat.timeline.value.lastSeq
    if (seq > 0)
      chat.keep.set('read', seq)
  }

  const unsubscribe = chat.onArrival((message) => {
    // Replayed after a reload: what was read before that counts as read.
    if (!looks() && message.seq > (chat.keep.get<number>('read') ?? 0))
      count.value += 1
    else if (looks())
      read()
  })

  function look(): void {
    if (looks())
      read()
  }

  watch(isLooking, look)
  watch(count, (unread) => {
    // Another script may have changed the title meanwhile; only ours is taken back.
    const plain = document.title === shown && shown !== title ? title : document.title
    shown = unread > 0 ? words.unreadTitle(unread, plain) : plain
    document.title = shown
  })
  useEventListener(document, 'visibilitychange', look)
  onScopeDispose(unsubscribe)
  return { count, read }
}
