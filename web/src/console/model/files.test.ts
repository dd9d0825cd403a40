import { describe, expect, it } from 'vitest'
import { acceptOf, fileProblem } from './files'

const file = (type: string, size = 10): { type: string, size: number } => ({ type, size })

describe('what an agent may attach', () => {
  it('takes only what the channel sends', () => {
    const limits = { kinds: ['image'] as const, maxBytes: 100 }
    expect(fileProblem(file('image/png'), limits)).toBeNull()
    expect(fileProblem(file('image/svg+xml'), limits)).toBe('file')
    expect(fileProblem(file('audio/mpeg'), limits)).toBe('voice')
    expect(fileProblem(file('video/mp4'), limits)).toBe('video')
  })

  it('takes everything for a note, but nothing empty and nothing too large', () => {
    const limits = { kinds: null, maxBytes: 100 }
    expect(fileProblem(file('application/pdf', 100), limits)).toBeNull()
    expect(fileProblem(file('application/pdf', 101), limits)).toBe('tooLarge')
    expect(fileProblem(file('image/png', 0), limits)).toBe('empty')
  })

  it('offers in the picker what is taken', () => {
    expect(acceptOf(['image', 'video'])).toBe('image/jpeg,image/png,image/gif,image/webp,video/mp4')
    expect(acceptOf(['image', 'file'])).toBeUndefined()
    expect(acceptOf(null)).toBeUndefined()
  })
})
