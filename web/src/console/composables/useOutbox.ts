import type { Api } from '../api/api'
import type { MessageOut, UploadOut } from '../api/types'
import type { Outgoing } from '../model/outgoing'
import { uuid } from '@shared/ids'
import { shallowRef } from 'vue'
import { ApiError } from '../api/errors'

export interface Intent {
  conversationId: string
  text: string
  attachments: readonly UploadOut[]
  note: boolean
  takeover: boolean
}

export interface OutboxOptions {
  api: Pick<Api, 'send'>
  /** This tab's storage: what was not confirmed is still there after a reload. */
  store: Storage
  agentId: string
  now: () => number
  wait: (ms: number) => Promise<void>
  onStored: (conversationId: string, message: MessageOut) => void
  /** A colleague has the conversation; by that agent's name. */
  onConflict: (outgoing: Outgoing, holder: string) => void
}

/** Waits before silent retries of what did not reach the server; after the last one the agent is asked. */
const RETRY_AFTER_MS = [1_000, 3_000]

/** What agents sent, until the server has confirmed it: one at a time per conversation, in order, each stored once. */
export function createOutbox(options: OutboxOptions) {
  const key = `kefu.outbox.${options.agentId}`
  const items = shallowRef<readonly Outgoing[]>(restored())
  const lines = new Map<string, Promise<void>>()

  function restored(): Outgoing[] {
    try {
      const kept: unknown = JSON.parse(options.store.getItem(key) ?? '[]')
      // Whether it arrived is not known; sending it again with the same id is safe.
      return (Array.isArray(kept) ? kept as Outgoing[] : []).map(one => ({ ...one, state: 'failed' as const, problem: null }))
    }
    catch {
      return []
    }
  }

  function set(next: readonly Outgoing[]): void {
    items.value = next
    try {
      options.store.setItem(key, JSON.stringify(next))
    }
    catch {
      // A full storage: it lives as long as the page.
    }
  }

  const change = (clientId: string, to: Partial<Outgoing>): void =>
    set(items.value.map(one => one.clientId === clientId ? { ...one, ...to } : one))
  const drop = (clientId: string): void => set(items.value.filter(one => one.clientId !== clientId))
  const find = (clientId: string): Outgoing | undefined => items.value.find(one => one.clientId === clientId)

  async function deliver(clientId: string): Promise<void> {
    for (let tries = 0; ; tries++) {
      const outgoing = find(clientId)
      if (outgoing === undefined)
        return
      try {
        const message = await options.api.send(outgoing.conversationId, {
          client_id: outgoing.clientId,
          text: outgoing.text,
          attachment_ids: outgoing.attachments.map(upload => upload.id),
          note: outgoing.note,
          takeover: outgoing.takeover,
        })
        options.onStored(outgoing.conversationId, message)
        drop(clientId)
        return
      }
      catch (error) {
        const pause = RETRY_AFTER_MS[tries]
        if (error instanceof ApiError && error.isPassing && pause !== undefined) {
          await options.wait(pause)
          continue
        }
        const problem = error instanceof ApiError ? error : new ApiError(0, 'network', '')
        change(clientId, { state: 'failed', problem: problem.message === '' ? problem.code : problem.message })
        if (problem.code === 'not_assignee')
          options.onConflict(find(clientId) ?? outgoing, problem.assignee?.name ?? '')
        return
      }
    }
  }

  function run(outgoing: Outgoing): Promise<void> {
    const before = lines.get(outgoing.conversationId) ?? Promise.resolve()
    const line = before.then(() => deliver(outgoing.clientId))
    lines.set(outgoing.conversationId, line)
    return line
  }

  return {
    items,
    of: (conversationId: string): readonly Outgoing[] => items.value.filter(one => one.conversationId === conversationId),

    /** Send; the id that makes it stored once is given here, once per wish to send. */
    send(intent: Intent): Promise<void> {
      const outgoing: Outgoing = { ...intent, clientId: uuid(), at: new Date(options.now()).toISOString(), state: 'sending', problem: null }
      set([...items.value, outgoing])
      return run(outgoing)
    },

    /** Try a failed one again; with `takeover`, also where a colleague has the conversation. */
    retry(clientId: string, { takeover = false } = {}): Promise<void> {
      const outgoing = find(clientId)
      if (outgoing === undefined || outgoing.state !== 'failed')
        return Promise.resolve()
      change(clientId, { state: 'sending', problem: null, takeover: outgoing.takeover || takeover })
      return run(outgoing)
    },

    discard: drop,
    /** The transcript holds it: an answer that was lost on its way. */
    confirmed: (clientIds: ReadonlySet<string>): void => {
      if (items.value.some(one => one.state === 'failed' && clientIds.has(one.clientId)))
        set(items.value.filter(one => one.state !== 'failed' || !clientIds.has(one.clientId)))
    },
  }
}

export type Outbox = ReturnType<typeof createOutbox>
