import { describe, expect, it } from 'vitest'
import { languageOf } from '../locales'
import { lengthOf, refusal, sends } from './files'

const { words } = languageOf('zh', [])
const key = (more: object) => ({ key: 'Enter', shiftKey: false, ctrlKey: false, altKey: false, isComposing: false, keyCode: 13, ...more })

describe('the Enter key', () => {
  it('sends', () => {
    expect(sends(key({}))).toBe(true)
  })

  it.each([
    ['picks a word in an input method', { isComposing: true }],
    ['ends a composition in Safari', { keyCode: 229 }],
    ['makes a new line', { shiftKey: true }],
    ['is another key', { key: 'a' }],
  ])('does not send when it %s', (_what, more) => {
    expect(sends(key(more))).toBe(false)
  })
})

describe('a picture', () => {
  const limit = 5 * 1024 * 1024

  it('of up to 5 MB may go', () => {
    expect(refusal({ type: 'image/png', size: limit }, limit, words)).toBeNull()
  })

  it.each([
    ['too large', { type: 'image/png', size: limit + 1 }, words.imageTooLarge(5)],
    ['empty', { type: 'image/png', size: 0 }, words.imageEmpty],
    ['no picture', { type: 'application/pdf', size: 9 }, words.imageKind],
    ['a picture that can hold scripts', { type: 'image/svg+xml', size: 9 }, words.imageKind],
  ])('that is %s is refused with the reason', (_what, file, reason) => {
    expect(refusal(file, limit, words)).toBe(reason)
  })
})

it('counts an emoji once, as the server does', () => {
  expect(lengthOf('好😀')).toBe(2)
})
