import type { Language } from '../locales'
import type { Attachment } from '../net/protocol'
import { reactive } from 'vue'
import { upload, UploadRefused } from '../net/upload'

export interface UploadsOptions {
  origin: string
  token: () => string
  limitBytes: () => number
  language: Language
  onUploaded: (clientId: string, text: string, attachment: Attachment) => void
  onFailed: (clientId: string, problem: string) => void
}

interface Upload { file: File, text: string, preview: string, abort: AbortController }

/** Images on their way to the server, one by one, each with its progress. */
export function useUploads(options: UploadsOptions) {
  /** Share sent, in [0, 1], by client id; gone when done. */
  const progress = reactive(new Map<string, number>())
  const uploads = new Map<string, Upload>()

  async function run(clientId: string, { file, text, abort }: Upload): Promise<void> {
    progress.set(clientId, 0)
    try {
      const attachment = await upload(options.origin, options.token(), file, share => progress.set(clientId, share), abort.signal)
      uploads.delete(clientId)
      options.onUploaded(clientId, text, attachment)
    }
    catch (error) {
      if (!abort.signal.aborted)
        options.onFailed(clientId, (error instanceof UploadRefused ? error.text : null) ?? options.language.words.imageFailed)
    }
    finally {
      progress.delete(clientId)
    }
  }

  return {
    progress: progress as ReadonlyMap<string, number>,

    /** Start; the attachment given back shows the file from the browser's own memory. */
    add(clientId: string, file: File, text: string): Attachment {
      const preview = URL.createObjectURL(file)
      const started = { file, text, preview, abort: new AbortController() }
      uploads.set(clientId, started)
      void run(clientId, started)
      return { id: clientId, kind: 'image', url: preview, name: file.name, mime: file.type, size: file.size }
    },

    /** `false` when the image is on the server already (or never was an upload). */
    retry(clientId: string): boolean {
      const failed = uploads.get(clientId)
      if (failed === undefined)
        return false
      void run(clientId, failed)
      return true
    },

    remove(clientId: string): void {
      const gone = uploads.get(clientId)
      gone?.abort.abort()
      uploads.delete(clientId)
      if (gone !== undefined)
        URL.revokeObjectURL(gone.preview)
    },
  }
}
