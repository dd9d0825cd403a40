import type { Ref } from 'vue'
import { onScopeDispose, ref } from 'vue'

/** Whether somebody looks at this page: in front, and with the focus. */
export function useLooking(): Ref<boolean> {
  const isLooking = ref(document.visibilityState === 'visible' && document.hasFocus())
  const update = (): void => {
    isLooking.value = document.visibilityState === 'visible' && document.hasFocus()
  }
  const events = ['focus', 'blur', 'pageshow'] as const
  events.forEach(event => window.addEventListener(event, update))
  document.addEventListener('visibilitychange', update)
  onScopeDispose(() => {
    events.forEach(event => window.removeEventListener(event, update))
    document.removeEventListener('visibilitychange', update)
  })
  return isLooking
}
