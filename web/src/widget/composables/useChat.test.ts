import type { Chat } from './useChat'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeShop } from '../testing/fakeShop'
import { useChat } from './useChat'

let shop: FakeShop
let chat: Chat

beforeEach(() => {
  vi.useFakeTimers()
  shop = new FakeShop()
  chat = useChat(shop.world())
})

afterEach(() => {
  chat.stop()
  vi.useRealTimers()
})

const settle = () => vi.advanceTimersByTimeAsync(1)
const texts = () => chat.timeline.value.entries.map(entry => entry.text)
const deliveries = () => chat.timeline.value.entries.map(entry => entry.delivery)

async function connected(): Promise<void> {
  chat.connect()
  await settle()
  expect(chat.link.value).toBe('open')
}

/** The same browser opens the page again. */
async function reloaded(): Promise<void> {
  chat.stop()
  chat = useChat(shop.world())
  await connected()
}

describe('the line', () => {
  it('opens with what was said before', async () => {
    shop.line('bot', '您好')
    await connected()
    expect(texts()).toEqual(['您好'])
    expect(chat.shop.value?.shop.name).toBe('星辰点卡')
  })

  it('comes back by itself and resumes after the last message, with nothing lost or doubled', async () => {
    await connected()
    shop.say('bot', '一')
    const last = shop.say('bot', '二')
    shop.socket.break()
    expect(chat.isCutOff.value).toBe(true)
    shop.line('agent', '三')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(shop.socket.lastSeq).toBe(last.seq)
    expect(texts()).toEqual(['一', '二', '三'])
    expect(chat.isCutOff.value).toBe(false)
  })

  it('tries again ever more slowly while the shop is away', async () => {
    await connected()
    shop.isDown = true
    shop.socket.break()
    await vi.advanceTimersByTimeAsync(60_000)
    const tries = shop.sockets.length + shop.visits
    expect(tries).toBeGreaterThan(4)
    expect(tries).toBeLessThan(12)
  })

  it('comes back at once when the network does', async () => {
    await connected()
    chat.sleep()
    expect(chat.link.value).toBe('offline')
    chat.wake()
    await settle()
    expect(chat.link.value).toBe('open')
  })

  it('notices a socket that is dead without being closed', async () => {
    await connected()
    const dead = shop.socket
    dead.onmessage = null
    await vi.advanceTimersByTimeAsync(40_000)
    expect(shop.socket).not.toBe(dead)
    expect(chat.link.value).toBe('open')
  })

  it('takes a new token when the old one is refused, and does not hammer a shop that refuses all', async () => {
    await connected()
    shop.socket.break(4401)
    await settle()
    expect(shop.visits).toBe(2)
    expect(chat.link.value).toBe('open')
    shop.isDown = true
    shop.socket.break(4401)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(shop.visits).toBeLessThan(8)
  })

  it('gives its token back at the next visit', async () => {
    await connected()
    await reloaded()
    expect(shop.keep().get('token')).toBe('token-2')
  })
})

describe('a customer\'s message', () => {
  it('is shown at once and ticked when stored', async () => {
    await connected()
    shop.losesAcks = true
    chat.sendText('  在吗  ')
    expect(texts()).toEqual(['在吗'])
    expect(deliveries()).toEqual(['sending'])
    shop.losesAcks = false
    await vi.advanceTimersByTimeAsync(15_000)
    expect(deliveries()).toEqual(['sent'])
  })

  it('written without a line is sent when there is one, in the order of writing', async () => {
    await connected()
    shop.isDown = true
    shop.socket.break()
    for (const text of ['一', '二', '三'])
      chat.sendText(text)
    shop.isDown = false
    chat.wake()
    await settle()
    expect(shop.stored).toEqual(['一', '二', '三'])
    expect(deliveries()).toEqual(['sent', 'sent', 'sent'])
  })

  it('survives a reload before it was stored', async () => {
    await connected()
    shop.isDown = true
    shop.socket.break()
    chat.sendText('付了款没收到卡密')
    shop.isDown = false
    await reloaded()
    expect(shop.stored).toEqual(['付了款没收到卡密'])
    expect(texts()).toEqual(['付了款没收到卡密'])
    await reloaded()
    expect(shop.stored).toHaveLength(1)
  })

  it('whose acknowledgement was lost is stored once and shown once', async () => {
    await connected()
    shop.losesAcks = true
    chat.sendText('在吗')
    shop.losesAcks = false
    shop.socket.break()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(shop.stored).toEqual(['在吗'])
    expect(texts()).toEqual(['在吗'])
    expect(deliveries()).toEqual(['sent'])
    expect(shop.keep().names('out:')).toEqual([])
  })

  it('that came too fast is sent again after the time that the shop names, and those after it wait', async () => {
    await connected()
    shop.refusals.push({ code: 'too_fast', retry_after_s: 3 })
    chat.sendText('一')
    chat.sendText('二')
    await vi.advanceTimersByTimeAsync(2_900)
    expect(shop.stored).toEqual([])
    await vi.advanceTimersByTimeAsync(200)
    expect(shop.stored).toEqual(['一', '二'])
  })

  it('that the shop cannot store is given up after a while, with a way to try again', async () => {
    await connected()
    for (let tries = 0; tries < 5; tries++)
      shop.refusals.push({ code: 'not_stored', retry_after_s: 1 })
    chat.sendText('在吗')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(deliveries()).toEqual(['failed'])
    chat.retry(chat.timeline.value.entries[0]!.clientId!)
    await settle()
    expect(deliveries()).toEqual(['sent'])
    expect(shop.stored).toEqual(['在吗'])
  })

  it('that is refused for good says why, holds nothing up, and can be deleted', async () => {
    await connected()
    shop.refusals.push({ code: 'too_long' })
    chat.sendText('很长')
    chat.sendText('短')
    await settle()
    expect(shop.stored).toEqual(['短'])
    const failed = chat.timeline.value.entries.find(entry => entry.delivery === 'failed')!
    expect(failed.problem).toBe('请稍后再试')
    chat.discard(failed.clientId!)
    expect(texts()).toEqual(['短'])
    await reloaded()
    expect(shop.stored).toEqual(['短'])
  })

  it('of nothing but spaces is not sent', async () => {
    await connected()
    chat.sendText(' \n ')
    await settle()
    expect(shop.stored).toEqual([])
  })
})

describe('history', () => {
  it('comes on scrolling up, before what is there', async () => {
    for (let index = 1; index <= 260; index++)
      shop.line('bot', `${index}`)
    await connected()
    expect(texts()).toHaveLength(200)
    expect(chat.timeline.value.hasMore).toBe(true)
    chat.loadEarlier()
    chat.loadEarlier() // a second time before the answer asks for nothing
    await settle()
    chat.loadEarlier()
    await settle()
    expect(texts()).toEqual(Array.from({ length: 260 }, (_, index) => `${index + 1}`))
    expect(chat.timeline.value.hasMore).toBe(false)
  })

  it('has no hole after a long absence', async () => {
    shop.line('bot', 'old')
    await connected()
    shop.isDown = true
    shop.socket.break()
    for (let index = 1; index <= 230; index++)
      shop.line('agent', `${index}`)
    shop.isDown = false
    chat.wake()
    await settle()
    expect(texts()[0]).toBe('31')
    chat.loadEarlier()
    await settle()
    expect(texts()).toEqual(['old', ...Array.from({ length: 230 }, (_, index) => `${index + 1}`)])
  })

  it('is read again from a shop whose data was restored', async () => {
    const kept = shop.line('bot', 'kept')
    await connected()
    shop.say('bot', 'lost')
    shop.forgetAfter(kept.seq)
    shop.socket.break()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(texts()).toEqual(['kept'])
    shop.say('bot', 'new')
    expect(texts()).toEqual(['kept', 'new'])
  })
})

describe('a button', () => {
  it('is pressed once, shown as the customer\'s words', async () => {
    await connected()
    const offer = shop.say('bot', '您是想问…？', { buttons: [{ id: 'refund', label: '退款多久到账' }] })
    chat.press(offer.id, offer.buttons![0]!)
    expect(texts()).toEqual(['您是想问…？', '退款多久到账'])
    expect(shop.socket.sent).toContainEqual(expect.objectContaining({ type: 'press', msg_id: offer.id, button: 'refund' }))
  })
})

describe('stars', () => {
  it('are sent once, also over a lost connection', async () => {
    await connected()
    const request = shop.say('system', '这次服务您满意吗？', { kind: 'csat' })
    shop.losesAcks = true
    chat.rate(request.id, 5, ' 很快 ')
    shop.losesAcks = false
    shop.socket.break()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(shop.lines.filter(line => line.kind === 'csat' && line.author === 'customer')).toHaveLength(1)
    expect(shop.keep().names('out:')).toEqual([])
  })

  it('that are refused can be given again', async () => {
    await connected()
    const request = shop.say('system', '这次服务您满意吗？', { kind: 'csat' })
    shop.refusals.push({ code: 'bad_press' })
    chat.rate(request.id, 5, '')
    await settle()
    expect(chat.notice.value).toBe('请稍后再试')
    expect(texts()).toEqual(['这次服务您满意吗？'])
  })
})

describe('who speaks', () => {
  it('is shown while somebody types, and no longer when the message is there', async () => {
    await connected()
    shop.socket.say({ type: 'typing', author: 'agent', on: true })
    expect(chat.typing.value).toBe('agent')
    shop.say('agent', '您好')
    expect(chat.typing.value).toBeNull()
  })

  it('does not type for ever', async () => {
    await connected()
    shop.socket.say({ type: 'typing', author: 'bot', on: true })
    await vi.advanceTimersByTimeAsync(15_000)
    expect(chat.typing.value).toBeNull()
  })

  it('follows the state that the shop tells', async () => {
    await connected()
    shop.socket.say({ type: 'state', state: 'waiting', position: 3 })
    expect(chat.timeline.value).toMatchObject({ state: 'waiting', position: 3 })
    shop.socket.say({ type: 'state', state: 'agent', agent: '小林' })
    expect(chat.timeline.value).toMatchObject({ state: 'agent', agent: '小林', position: null })
  })

  it('hears that the customer types only when it is a person, and not at every key', async () => {
    await connected()
    chat.tellTyping()
    shop.socket.say({ type: 'state', state: 'agent', agent: '小林' })
    chat.tellTyping()
    chat.tellTyping()
    expect(shop.socket.sent.filter(frame => frame.type === 'typing')).toHaveLength(1)
  })
})

it('tells of what others say, once, and never of the customer\'s own words', async () => {
  const heard: string[] = []
  chat.onArrival(message => heard.push(message.text))
  await connected()
  shop.say('bot', '您好')
  chat.sendText('在吗')
  shop.socket.break()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(heard).toEqual(['您好'])
})

it('works where the browser keeps nothing', async () => {
  const setItem = () => {
    throw new DOMException('full', 'QuotaExceededError')
  }
  const full = { ...shop.world(), store: { length: 0, key: () => null, getItem: () => null, removeItem: () => {}, setItem } }
  chat = useChat(full)
  await connected()
  chat.sendText('在吗')
  await settle()
  expect(shop.stored).toEqual(['在吗'])
})

describe('a shared computer', () => {
  const verify = { id: 'verify:DD1', label: '再次验证' }

  it('offers to verify again under a line whose codes are hidden, and shows it whole when it comes back', async () => {
    await connected()
    const line = shop.say('bot', '您的卡密：ST••••HT', { verify })
    expect(chat.timeline.value.entries[0]?.verify).toEqual(verify)
    chat.press(line.id, verify)
    await settle()
    expect(shop.stored).toEqual(['verify:DD1'])
    const whole = { ...line, text: '您的卡密：STAR-1' }
    delete whole.verify
    shop.socket.say(whole)
    expect(chat.timeline.value.entries[0]).toMatchObject({ text: '您的卡密：STAR-1', verify: null })
    expect(chat.timeline.value.entries).toHaveLength(2)
  })

  it('forgets everything when asked to, what waits to be sent included, and starts as a stranger', async () => {
    await connected()
    shop.say('bot', '您好')
    shop.isDown = true
    shop.socket.break()
    chat.sendText('密码 jxjj7033')
    expect(shop.store.length).toBeGreaterThan(1)
    expect(chat.isKnown.value).toBe(true)
    shop.isDown = false
    shop.visitorId = 'visitor-2'
    shop.forgetAfter(0)
    chat.forget()
    expect(texts()).toEqual([])
    expect(chat.isKnown.value).toBe(false)
    await settle()
    expect(chat.link.value).toBe('open')
    expect(shop.stored).toEqual([])
    expect(shop.keep().names('')).toEqual(['token'])
    expect(chat.timeline.value.visitorId).toBe('visitor-2')
  })
})
