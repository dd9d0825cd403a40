import type { Chat } from './useChat'
import { uuid } from '@shared/ids'
import { onScopeDispose, ref, shallowRef } from 'vue'
import { refusal } from '../chat/files'
import { useLanguage } from '../locales'

export interface DraftImage { id: string, file: File, preview: string }

/** What is being written and has not been sent: words and pictures. */
export function useDraft(chat: Chat, limitBytes: () => number) {
  const { words } = useLanguage()
  const text = ref('')
  const images = shallowRef<readonly DraftImage[]>([])

  function drop(image: DraftImage): void {
    URL.revokeObjectURL(image.preview)
  }

  onScopeDispose(() => images.value.forEach(drop))

  return {
    text,
    images,

    addFiles(files: readonly File[]): void {
      for (const file of files) {
        const reason = refusal(file, limitBytes(), words)
        if (reason === null)
          images.value = [...images.value, { id: uuid(), file, preview: URL.createObjectURL(file) }]
        else
          chat.tell(reason)
      }
    },

    removeImage(id: string): void {
      images.value.filter(image => image.id === id).forEach(drop)
      images.value = images.value.filter(image => image.id !== id)
    },

    clear(): void {
      images.value.forEach(drop)
      images.value = []
      text.value = ''
    },
  }
}
