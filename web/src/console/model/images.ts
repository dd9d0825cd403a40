export const IMAGE_TYPES: readonly string[] = ['image/jpeg', 'image/png', 'image/gif', 'image/webp']
export const MAX_IMAGE_BYTES = 5 * 1024 * 1024
export const MAX_IMAGES = 10

/** Why an image cannot be sent, as a word of the locale; `null` when it can (the server looks at the content as well). */
export function imageProblem(file: Pick<File, 'type' | 'size'>): 'kind' | 'empty' | 'tooLarge' | null {
  if (!IMAGE_TYPES.includes(file.type))
    return 'kind'
  if (file.size === 0)
    return 'empty'
  return file.size > MAX_IMAGE_BYTES ? 'tooLarge' : null
}
