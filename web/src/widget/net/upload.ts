import type { Attachment } from './protocol'

/** Image kinds that the server takes; it judges by content, we by what the browser says. */
export const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'] as const

export class UploadRefused extends Error {
  /** @param text what to tell the customer, or `null` when the line broke and trying again may help */
  constructor(readonly text: string | null) {
    super(text ?? 'upload failed')
  }
}

interface Uploaded { attachment_id: string, url: string, mime: string, size: number, width?: number, height?: number }

/**
 * Send one image; answers with the stored attachment.
 *
 * `fetch` reports no progress of what it sends, hence `XMLHttpRequest`.
 *
 * @param progress called with a share in [0, 1]
 * @throws UploadRefused
 */
export function upload(
  origin: string,
  token: string,
  file: File,
  progress: (share: number) => void,
  signal: AbortSignal,
): Promise<Attachment> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', `${origin}/widget/upload`)
    request.setRequestHeader('Authorization', `Bearer ${token}`)
    request.responseType = 'json'
    request.timeout = 120_000
    request.upload.onprogress = event => event.lengthComputable && progress(event.loaded / event.total)
    request.onload = () => {
      if (request.status !== 201) {
        const refusal = request.response as { error?: { text?: string } } | null
        reject(new UploadRefused(refusal?.error?.text ?? null))
        return
      }
      const { attachment_id, ...found } = request.response as Uploaded
      resolve({ id: attachment_id, kind: 'image', name: file.name, ...found })
    }
    request.onerror = () => reject(new UploadRefused(null))
    request.ontimeout = request.onerror
    request.onabort = request.onerror
    signal.addEventListener('abort', () => request.abort(), { once: true })
    const form = new FormData()
    form.append('file', file)
    request.send(form)
  })
}
