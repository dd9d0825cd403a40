import { describe, expect, it } from 'vitest'
import { cardLine, segments } from './segments'

const codes = (line: string) => segments(line, { codes: true }).filter(part => part.type === 'code').map(part => part.text)
const links = (line: string) => segments(line, { codes: true }).filter(part => part.type === 'link')

describe('codes', () => {
  it.each([
    ['STAR-7KQ2-M8XD-41VN-9CHT', 'STAR-7KQ2-M8XD-41VN-9CHT'],
    ['订单 DD-7K2MQ-X8D4V-N9CHT-41QRS 已发货', 'DD-7K2MQ-X8D4V-N9CHT-41QRS'],
    ['卡号：6212345678901234', '6212345678901234'],
    ['密码 a1b2c3d4e5f6', 'a1b2c3d4e5f6'],
  ])('are found in “%s”', (line, code) => {
    expect(codes(line)).toEqual([code])
  })

  it.each(['2026-11-23 14:02', '¥100.00', '电话 13800138000', 'QQ 123456789', 'STEAM', 'iPhone15ProMax', 'STAR-****-9CHT', 'a1b2c3d4e5f6@example.com', 'COVID-19'])('are not seen in “%s”', (line) => {
    expect(codes(line)).toEqual([])
  })

  it('are not looked for in what a customer wrote', () => {
    expect(segments('STAR-7KQ2-M8XD', { codes: false })).toEqual([{ type: 'text', text: 'STAR-7KQ2-M8XD' }])
  })

  it('alone on a line, or after a short label, make a card', () => {
    expect(cardLine(segments('STAR-7KQ2-M8XD', { codes: true }))).toEqual({ label: '', code: 'STAR-7KQ2-M8XD' })
    expect(cardLine(segments('卡密 1：STAR-7KQ2-M8XD', { codes: true }))).toEqual({ label: '卡密 1', code: 'STAR-7KQ2-M8XD' })
    expect(cardLine(segments('请收好 STAR-7KQ2-M8XD，不要外传', { codes: true }))).toBeNull()
  })
})

describe('links', () => {
  it('end before Chinese punctuation and a full stop', () => {
    expect(links('见 https://a.example/x?y=1，或 http://b.example.').map(part => part.text)).toEqual(['https://a.example/x?y=1', 'http://b.example'])
  })

  it.each(['javascript:alert(1)', 'data:text/html,x', 'ftp://a.example', 'https://'])('are not made of “%s”', (line) => {
    expect(links(line)).toEqual([])
  })

  it('with a code inside stay whole', () => {
    expect(codes('https://a.example/STAR-7KQ2-M8XD')).toEqual([])
  })
})

it('gives back every character of the line', () => {
  const line = '  卡密：STAR-7KQ2-M8XD <b>见</b> https://a.example 。 🎉 '
  expect(segments(line, { codes: true }).map(part => part.text).join('')).toBe(line)
})
