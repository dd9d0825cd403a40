import type { Api } from '../api/api'
import type { Drafts, Mode } from './useDrafts'
import { onScopeDispose, shallowRef } from 'vue'
import { ApiError, isAbort } from '../api/errors'
import { uuid } from '../model/ids'
import { imageProblem, MAX_IMAGES } from '../model/images'

export interface Uploading { key: string, conversationId: string, mode: Mode, preview: string }

/** Images on their way into a draft; each lands in the draft that it was chosen for, whatever is open by then. */
export function useUploads(api: Pick<Api, 'upload'>, drafts: Drafts, refuse: (problem: string, file: File) => void) {
  const running = shallowRef<readonly Uploading[]>([])
  const aborts = new Map<string, AbortController>()

  function end(uploading: Uploading): void {
    aborts.get(uploading.key)?.abort()
    aborts.delete(uploading.key)
    URL.revokeObjectURL(uploading.preview)
    running.value = running.value.filter(other => other !== uploading)
  }

  const of = (conversationId: string, mode: Mode): readonly Uploading[] =>
    running.value.filter(one => one.conversationId === conversationId && one.mode === mode)

  async function add(file: File, conversationId: string, mode: Mode): Promise<void> {
    const isFull = drafts.get(conversationId, mode).attachments.length + of(conversationId, mode).length >= MAX_IMAGES
    const problem = isFull ? 'tooMany' : imageProblem(file)
    if (problem !== null)
      return refuse(problem, file)
    const uploading: Uploading = { key: uuid(), conversationId, mode, preview: URL.createObjectURL(file) }
    const abort = new AbortController()
    aborts.set(uploading.key, abort)
    running.value = [...running.value, uploading]
    try {
      const upload = await api.upload(file, abort.signal)
      drafts.attach(conversationId, mode, upload)
    }
    catch (error) {
      if (!isAbort(error))
        refuse(error instanceof ApiError && error.message !== '' ? error.message : 'failed', file)
    }
    finally {
      end(uploading)
    }
  }

  onScopeDispose(() => [...running.value].forEach(end))

  return { of, add, cancel: end }
}

export type Uploads = ReturnType<typeof useUploads>
