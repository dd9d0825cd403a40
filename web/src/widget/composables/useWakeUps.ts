import type { Chat } from './useChat'
import { onScopeDispose } from 'vue'

/** Reconnect as soon as the browser knows better than a timer: network back, page shown, page thawed. */
export function useWakeUps(chat: Chat): void {
  const whenShown = () => document.visibilityState === 'visible' && chat.wake()
  window.addEventListener('online', chat.wake)
  window.addEventListener('offline', chat.sleep)
  window.addEventListener('pageshow', chat.wake)
  document.addEventListener('visibilitychange', whenShown)
  onScopeDispose(() => {
    window.removeEventListener('online', chat.wake)
    window.removeEventListener('offline', chat.sleep)
    window.removeEventListener('pageshow', chat.wake)
    document.removeEventListener('visibilitychange', whenShown)
  })
}
