import { uuid } from '@shared/ids'
import { shallowRef } from 'vue'

export interface Toast {
  id: string
  tone: 'info' | 'success' | 'error'
  text: string
  action?: { label: string, run: () => void }
}

const SHOWN_MS = { info: 5_000, success: 3_000, error: 8_000 }
const MOST = 4

/** Short words at the edge that go by themselves; the same words are not stacked. */
export function createToasts() {
  const toasts = shallowRef<readonly Toast[]>([])
  const dismiss = (id: string): void => {
    toasts.value = toasts.value.filter(toast => toast.id !== id)
  }
  function tell(tone: Toast['tone'], text: string, action?: Toast['action']): void {
    const toast: Toast = { id: uuid(), tone, text, ...(action === undefined ? {} : { action }) }
    toasts.value = [...toasts.value.filter(other => other.text !== text), toast].slice(-MOST)
    setTimeout(dismiss, SHOWN_MS[tone], toast.id)
  }
  return { toasts, tell, dismiss }
}

export type Toasts = ReturnType<typeof createToasts>
