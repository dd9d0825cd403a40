/** What a key press in the composer means. */
export type Press = 'send' | 'hold' | 'other'

type KeyPress = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey' | 'isComposing' | 'keyCode' | 'repeat'>

/**
 * Enter sends, Shift+Enter makes a line; the Enter that picks a word in a Chinese input method does neither, and a held
 * Enter sends once (`hold`: swallow it).
 */
export function pressOf(event: KeyPress): Press {
  // Safari ends the composition before its key press; the old `keyCode` 229 still tells.
  const isComposing = event.isComposing || event.keyCode === 229
  if (event.key !== 'Enter' || event.shiftKey || event.altKey || isComposing)
    return 'other'
  return event.repeat ? 'hold' : 'send'
}
