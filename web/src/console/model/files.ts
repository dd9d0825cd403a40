import type { UploadOut } from '../api/types'

export type FileKind = UploadOut['kind']
export type FileProblem = FileKind | 'empty' | 'tooLarge'

export interface FileLimits {
  /** What may be attached; `null` for everything. */
  kinds: readonly FileKind[] | null
  maxBytes: number
}

const IMAGE_TYPES: readonly string[] = ['image/jpeg', 'image/png', 'image/gif', 'image/webp']
export const MAX_FILES = 10

/** What the file says it is; the server looks at the content. */
export function kindOf(type: string): FileKind {
  if (IMAGE_TYPES.includes(type))
    return 'image'
  if (type.startsWith('audio/'))
    return 'voice'
  return type === 'video/mp4' ? 'video' : 'file'
}

/** Why a file cannot be sent: its kind is not taken, or it is too large or empty; `null` when it can. */
export function fileProblem(file: Pick<File, 'type' | 'size'>, { kinds, maxBytes }: FileLimits): FileProblem | null {
  const kind = kindOf(file.type)
  if (kinds !== null && !kinds.includes(kind))
    return kind
  if (file.size === 0)
    return 'empty'
  return file.size > maxBytes ? 'tooLarge' : null
}

/** What the file picker offers; `undefined` for every file. */
export function acceptOf(kinds: FileLimits['kinds']): string | undefined {
  if (kinds === null || kinds.includes('file'))
    return undefined
  return kinds.flatMap(kind => kind === 'image' ? IMAGE_TYPES : kind === 'voice' ? ['audio/*'] : ['video/mp4']).join(',')
}
