import { beforeEach, expect, it } from 'vitest'
import { anUpload } from '../testing/factories'
import { createDrafts } from './useDrafts'

const DAY_MS = 24 * 3600 * 1000

beforeEach(() => localStorage.clear())

it('keeps what is written apart, by agent, conversation, and whether it is a note', () => {
  const drafts = createDrafts(localStorage, 'a1')
  drafts.setText('c1', 'reply', '给顾客')
  drafts.setText('c1', 'note', '给同事')
  drafts.setText('c2', 'reply', '给别人')
  expect(drafts.get('c1', 'reply').text).toBe('给顾客')
  expect(drafts.get('c1', 'note').text).toBe('给同事')
  expect(createDrafts(localStorage, 'a2').has('c1')).toBe(false)
})

it('survives a reload, with its files', () => {
  const drafts = createDrafts(localStorage, 'a1')
  drafts.setText('c1', 'reply', '写了一半')
  drafts.attach('c1', 'reply', anUpload('up1'))
  const { text, attachments } = createDrafts(localStorage, 'a1').get('c1', 'reply')
  expect(text).toBe('写了一半')
  expect(attachments.map(upload => upload.id)).toEqual(['up1'])
})

it('is taken out once: a second Enter finds nothing, nor does a reload', () => {
  const drafts = createDrafts(localStorage, 'a1')
  drafts.setText('c1', 'reply', '好的')
  expect(drafts.take('c1', 'reply').text).toBe('好的')
  expect(drafts.take('c1', 'reply')).toEqual({ text: '', attachments: [] })
  expect(drafts.has('c1')).toBe(false)
  expect(createDrafts(localStorage, 'a1').has('c1')).toBe(false)
})

it('keeps a file that lands after the draft was sent for the next one, in its own conversation', () => {
  const drafts = createDrafts(localStorage, 'a1')
  drafts.setText('c1', 'reply', '好的')
  drafts.setText('c2', 'reply', '别处')
  const sent = drafts.take('c1', 'reply')
  drafts.attach('c1', 'reply', anUpload('late'))
  expect(sent.attachments).toEqual([])
  expect(drafts.get('c1', 'reply').attachments.map(upload => upload.id)).toEqual(['late'])
  drafts.detach('c1', 'reply', 'late')
  expect(drafts.has('c1')).toBe(false)
  expect(drafts.get('c2', 'reply')).toEqual({ text: '别处', attachments: [] })
})

it('forgets after a month, and removes what it cannot read', () => {
  const start = Date.parse('2026-11-23T07:00:00.000Z')
  createDrafts(localStorage, 'a1', () => start).setText('c1', 'reply', '旧的')
  localStorage.setItem('kefu.draft.a1.c2.reply', '{"text": 1}')
  localStorage.setItem('kefu.draft.a1.c3.reply', 'nonsense')
  localStorage.setItem('others', 'stays')
  expect(createDrafts(localStorage, 'a1', () => start + 29 * DAY_MS).has('c1')).toBe(true)
  expect(createDrafts(localStorage, 'a1', () => start + 31 * DAY_MS).has('c1')).toBe(false)
  expect(Object.keys(localStorage)).toEqual(['others'])
})

it('works as long as the page where the browser keeps nothing', () => {
  const forbidden = new Proxy({} as Storage, {
    get: () => () => {
      throw new DOMException('denied', 'SecurityError')
    },
  })
  const drafts = createDrafts(forbidden, 'a1')
  drafts.setText('c1', 'reply', '写了一半')
  expect(drafts.get('c1', 'reply').text).toBe('写了一半')
})
