import type { Words } from '../locales'
import { IMAGE_TYPES } from '../net/upload'

/** Why an image cannot be sent, in the customer's words; `null` when it can (the server still looks at the content). */
export function refusal(file: Pick<File, 'type' | 'size'>, limitBytes: number, words: Words): string | null {
  if (!(IMAGE_TYPES as readonly string[]).includes(file.type))
    return words.imageKind
  if (file.size === 0)
    return words.imageEmpty
  if (file.size > limitBytes)
    return words.imageTooLarge(Math.floor(limitBytes / 1024 / 1024))
  return null
}

/** Files among what was pasted or dropped. */
export function filesIn(transfer: DataTransfer | null): File[] {
  return transfer === null ? [] : Array.from(transfer.files)
}

/** Characters as the server counts them: code points, so that an emoji is not two. */
export function lengthOf(text: string): number {
  return Array.from(text).length
}

/** Whether this key press sends: Enter alone, and not the Enter that picks a word in a Chinese input method. */
export function sends(event: Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'altKey' | 'isComposing' | 'keyCode'>): boolean {
  // Safari ends the composition before its key press; the old `keyCode` 229 still tells.
  const composing = event.isComposing || event.keyCode === 229
  return event.key === 'Enter' && !event.shiftKey && !event.altKey && !composing
}
