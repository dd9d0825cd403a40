import type { Link } from '../api/live-socket'
import type { LiveFrame } from '../api/types'
import { useEventListener } from '@vueuse/core'
import { onScopeDispose, ref } from 'vue'
import { createLiveSocket } from '../api/live-socket'

export type FrameHandler = (frame: LiveFrame) => void

/** The live feed, from now until the scope ends: its frames, in order, and whether the line stands. */
export function useLive({ address, open, random }: { address: string, open: (address: string) => WebSocket, random: () => number }) {
  const link = ref<Link>('idle')
  const handlers = new Set<FrameHandler>()
  const socket = createLiveSocket({
    address,
    open,
    random,
    onLink: (next) => { link.value = next },
    onFrame: frame => [...handlers].forEach(handle => handle(frame)),
  })

  const wake = (): void => socket.wake()
  useEventListener(window, ['online', 'offline', 'focus'], wake)
  useEventListener(document, 'visibilitychange', () => document.visibilityState === 'visible' && wake())
  onScopeDispose(() => socket.stop())

  return {
    link,
    start: () => socket.start(),
    wake,
    onFrame(handle: FrameHandler): void {
      handlers.add(handle)
      onScopeDispose(() => handlers.delete(handle))
    },
  }
}

export type Live = ReturnType<typeof useLive>
