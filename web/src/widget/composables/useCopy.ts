import { useTimeoutFn } from '@vueuse/core'
import { ref } from 'vue'

const SHOWN_MS = 1_800

/** Put text on the clipboard, and say for a moment how that went. */
export function useCopy() {
  const outcome = ref<'copied' | 'failed' | null>(null)
  const { start } = useTimeoutFn(() => outcome.value = null, SHOWN_MS, { immediate: false })

  async function copy(text: string): Promise<void> {
    outcome.value = await put(text) ? 'copied' : 'failed'
    start()
  }

  return { outcome, copy }
}

async function put(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  }
  catch {
    return putByCommand(text)
  }
}

/** The clipboard API exists on HTTPS pages only, and not in every app's built-in browser. */
function putByCommand(text: string): boolean {
  const field = document.createElement('textarea')
  field.value = text
  field.readOnly = true
  field.style.cssText = 'position:fixed;top:0;left:-100vw'
  document.body.append(field)
  field.select()
  try {
    return document.execCommand('copy')
  }
  catch {
    return false
  }
  finally {
    field.remove()
  }
}
