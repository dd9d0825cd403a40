import type { Chat } from './useChat'
import { useEventListener } from '@vueuse/core'

/** Reconnect as soon as the browser knows better than a timer: network back, page shown, page thawed. */
export function useWakeUps(chat: Chat): void {
  useEventListener(window, ['online', 'pageshow'], chat.wake)
  useEventListener(window, 'offline', chat.sleep)
  useEventListener(document, 'visibilitychange', () => document.visibilityState === 'visible' && chat.wake())
}
