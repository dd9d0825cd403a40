import type { Api } from '../api/api'
import type { FileLimits } from '../model/files'
import type { Drafts, Mode } from './useDrafts'
import { uuid } from '@shared/ids'
import { onScopeDispose, shallowRef } from 'vue'
import { ApiError, isAbort } from '../api/errors'
import { fileProblem, kindOf, MAX_FILES } from '../model/files'

export interface Uploading {
  key: string
  conversationId: string
  mode: Mode
  name: string
  /** Where a picture can be seen already; `null` for other files. */
  preview: string | null
}

/** Files on their way into a draft; each lands in the draft that it was chosen for, whatever is open by then. */
export function useUploads(api: Pick<Api, 'upload'>, drafts: Drafts, refuse: (problem: string, file: File, limits: FileLimits) => void) {
  const running = shallowRef<readonly Uploading[]>([])
  const aborts = new Map<string, AbortController>()

  function end(uploading: Uploading): void {
    aborts.get(uploading.key)?.abort()
    aborts.delete(uploading.key)
    if (uploading.preview !== null)
      URL.revokeObjectURL(uploading.preview)
    running.value = running.value.filter(other => other !== uploading)
  }

  const of = (conversationId: string, mode: Mode): readonly Uploading[] =>
    running.value.filter(one => one.conversationId === conversationId && one.mode === mode)

  async function add(file: File, conversationId: string, mode: Mode, limits: FileLimits): Promise<void> {
    const isFull = drafts.get(conversationId, mode).attachments.length + of(conversationId, mode).length >= MAX_FILES
    const problem = isFull ? 'tooMany' : fileProblem(file, limits)
    if (problem !== null)
      return refuse(problem, file, limits)
    const preview = kindOf(file.type) === 'image' ? URL.createObjectURL(file) : null
    const uploading: Uploading = { key: uuid(), conversationId, mode, name: file.name, preview }
    const abort = new AbortController()
    aborts.set(uploading.key, abort)
    running.value = [...running.value, uploading]
    try {
      const upload = await api.upload(file, abort.signal)
      drafts.attach(conversationId, mode, upload)
    }
    catch (error) {
      if (!isAbort(error))
        refuse(error instanceof ApiError && error.message !== '' ? error.message : 'failed', file, limits)
    }
    finally {
      end(uploading)
    }
  }

  onScopeDispose(() => [...running.value].forEach(end))

  return { of, add, cancel: end }
}

export type Uploads = ReturnType<typeof useUploads>
