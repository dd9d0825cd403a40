import type { Api } from '../api/api'
import type { MessageOut } from '../api/types'
import type { Outbox, OutboxOptions } from './useOutbox'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError } from '../api/errors'
import { aMessage } from '../testing/factories'
import { Requests, settled } from '../testing/server'
import { createOutbox } from './useOutbox'

let sends: Requests<MessageOut>
let waits: { ms: number, end: () => void }[]
const onStored = vi.fn()
const onConflict = vi.fn()

beforeEach(() => {
  sends = new Requests()
  sessionStorage.clear()
  waits = []
  vi.resetAllMocks()
})

function anOutbox(more: Partial<OutboxOptions> = {}): Outbox {
  return createOutbox({
    api: { send: sends.ask as Api['send'] },
    store: sessionStorage,
    agentId: 'a1',
    now: () => Date.parse('2026-11-23T07:00:00.000Z'),
    wait: ms => new Promise<void>(end => waits.push({ ms, end })),
    onStored,
    onConflict,
    ...more,
  })
}

const words = (text: string, conversationId = 'c1') => ({ conversationId, text, attachments: [], note: false, takeover: false })
const asked = () => sends.asked.map(([conversationId, draft]) => ({ conversationId, ...draft as { text: string, client_id: string, takeover: boolean } }))
const offline = () => new ApiError(0, 'network', '')

/** Let the silent retry that waits come now. */
async function retried(): Promise<void> {
  waits.shift()!.end()
  await settled()
}

describe('sending', () => {
  it('keeps the order within a conversation, and lets no conversation wait for another', async () => {
    const outbox = anOutbox()
    void outbox.send(words('一'))
    void outbox.send(words('二'))
    void outbox.send(words('别处', 'c2'))
    await settled()
    expect(asked().map(one => one.text)).toEqual(['一', '别处'])
    await sends.answer(1, aMessage(1))
    await sends.answer(0, aMessage(1))
    expect(asked().map(one => one.text)).toEqual(['一', '别处', '二'])
    expect(onStored).toHaveBeenCalledWith('c1', expect.anything())
  })

  it('tries again by itself under the same id, so that it is stored once', async () => {
    const outbox = anOutbox()
    void outbox.send(words('一'))
    void outbox.send(words('二'))
    await settled()
    await sends.fail(0, offline())
    expect(outbox.of('c1').map(one => one.state)).toEqual(['sending', 'sending'])
    await retried()
    await sends.answer(1, aMessage(1))
    const [first, again, second] = asked()
    expect(again).toEqual(first)
    expect(second?.text).toBe('二')
  })

  it('asks the agent after three tries, and sends once however often they press', async () => {
    const outbox = anOutbox()
    void outbox.send(words('一'))
    await settled()
    await sends.fail(0, offline())
    await retried()
    await sends.fail(1, offline())
    await retried()
    await sends.fail(2, offline())
    expect(outbox.items.value[0]?.state).toBe('failed')
    const { clientId } = outbox.items.value[0]!
    void outbox.retry(clientId)
    void outbox.retry(clientId)
    await settled()
    expect(asked()).toHaveLength(4)
    expect(asked()[3]?.client_id).toBe(clientId)
    await sends.fail(3, new ApiError(422, 'invalid', ''))
    expect(asked()).toHaveLength(4)
  })

  it('does not try again what the agent has given up meanwhile', async () => {
    const outbox = anOutbox()
    void outbox.send(words('一'))
    await settled()
    await sends.fail(0, offline())
    outbox.discard(outbox.items.value[0]!.clientId)
    await retried()
    expect(asked()).toHaveLength(1)
  })

  it('takes a colleague\'s conversation over only when the agent says so', async () => {
    const outbox = anOutbox()
    void outbox.send(words('一'))
    await settled()
    await sends.fail(0, new ApiError(409, 'not_assignee', '', { assignee: { id: 'b', name: '阿刚' } }))
    expect(onConflict).toHaveBeenCalledWith(expect.objectContaining({ text: '一' }), '阿刚')
    expect(asked()).toHaveLength(1)
    void outbox.retry(outbox.items.value[0]!.clientId, { takeover: true })
    await settled()
    expect(asked().map(one => one.takeover)).toEqual([false, true])
  })
})

describe('after a reload', () => {
  it('asks about what was not confirmed, and sends it under the same id', async () => {
    void anOutbox().send(words('一'))
    await settled()
    const outbox = anOutbox()
    expect(outbox.items.value.map(one => one.state)).toEqual(['failed'])
    void outbox.retry(outbox.items.value[0]!.clientId)
    await settled()
    expect(asked()[1]).toEqual(asked()[0])
  })

  it('drops what the transcript holds, and nothing that is still on its way', async () => {
    void anOutbox().send(words('旧的'))
    await settled()
    const outbox = anOutbox()
    void outbox.send(words('新的'))
    outbox.confirmed(new Set(outbox.items.value.map(one => one.clientId)))
    expect(outbox.items.value.map(one => one.text)).toEqual(['新的'])
  })

  it('keeps each agent\'s apart, and begins empty where the storage holds nonsense', () => {
    void anOutbox().send(words('一'))
    expect(anOutbox({ agentId: 'a2' }).items.value).toEqual([])
    sessionStorage.setItem('kefu.outbox.a3', '{"not": "a list"}')
    expect(anOutbox({ agentId: 'a3' }).items.value).toEqual([])
    sessionStorage.setItem('kefu.outbox.a3', 'nonsense')
    expect(anOutbox({ agentId: 'a3' }).items.value).toEqual([])
  })
})
