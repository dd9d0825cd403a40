import type { Api } from '../api/api'
import type { Row } from '../api/types'
import type { FileKind, FileLimits } from '../model/files'
import { shallowRef } from 'vue'

/** Until the server has said it; then by the server. */
const LIMITS: FileLimits = { kinds: null, maxBytes: 20 * 1024 * 1024 }

/** What can be sent on each account; accounts change only when the server starts anew. */
export function useChannels(api: Pick<Api, 'channels'>) {
  const sends = shallowRef<ReadonlyMap<string, readonly FileKind[]>>(new Map())
  const maxBytes = shallowRef(LIMITS.maxBytes)
  const keyOf = (channel: string, account: string): string => JSON.stringify([channel, account])

  return {
    /** What may be attached to a reply in a conversation. */
    limits: (row: Row): FileLimits => ({ kinds: sends.value.get(keyOf(row.customer.channel, row.account)) ?? LIMITS.kinds, maxBytes: maxBytes.value }),
    /** What may be attached to a note, which goes nowhere. */
    noteLimits: (): FileLimits => ({ kinds: null, maxBytes: maxBytes.value }),
    load: async (): Promise<void> => {
      const found = await api.channels().catch(() => null)
      if (found === null)
        return
      sends.value = new Map(found.items.map(one => [keyOf(one.channel, one.account), one.sends]))
      maxBytes.value = found.max_file_bytes
    },
  }
}

export type Channels = ReturnType<typeof useChannels>
