import { useEventListener } from '@vueuse/core'

export type Shortcuts = Readonly<Record<string, () => void>>

/** Elements whose own keys go first. */
const TYPING = 'input, textarea, select, [contenteditable="true"]'

/**
 * Single keys, where nobody types and no dialog is open.
 *
 * @param isOn whether single keys are wanted at all; Escape always works.
 */
export function useShortcuts(shortcuts: Shortcuts, isOn: () => boolean): void {
  function press(event: KeyboardEvent): void {
    const target = event.target instanceof Element ? event.target : null
    const isComposing = event.isComposing || event.keyCode === 229
    if (isComposing || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null)
      return
    const isTyping = target?.closest(TYPING) != null
    if (event.key !== 'Escape' && (isTyping || !isOn()))
      return
    const act = shortcuts[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    if (act === undefined)
      return
    event.preventDefault()
    act()
  }
  useEventListener(window, 'keydown', press)
}
