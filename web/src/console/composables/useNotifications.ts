import { onScopeDispose, ref } from 'vue'

/** The system's notifications; `permission` is `unsupported` where the browser has none (iPhones in a tab). */
export function useNotifications(onOpen: (conversationId: string) => void) {
  const isSupported = typeof Notification !== 'undefined'
  const permission = ref<NotificationPermission | 'unsupported'>(isSupported ? Notification.permission : 'unsupported')
  const shown = new Set<Notification>()
  onScopeDispose(() => shown.forEach(notification => notification.close()))

  return {
    permission,
    async ask(): Promise<void> {
      if (isSupported)
        permission.value = await Notification.requestPermission()
    },
    /** One a conversation: a newer one takes the place of the older. */
    show(conversationId: string, title: string, body: string): void {
      if (permission.value !== 'granted')
        return
      try {
        const notification = new Notification(title, { body, tag: `kefu-${conversationId}`, icon: '/favicon.svg' })
        shown.add(notification)
        notification.onclose = () => shown.delete(notification)
        notification.onclick = () => {
          window.focus()
          notification.close()
          onOpen(conversationId)
        }
      }
      catch {
        // Chrome on Android only shows them from a service worker.
        permission.value = 'unsupported'
      }
    },
  }
}
