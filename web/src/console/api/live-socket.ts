import type { SocketOptions } from '@shared/resumable-socket'
import type { LiveFrame } from './types'
import { ResumableSocket } from '@shared/resumable-socket'

export type { Link } from '@shared/resumable-socket'

export type LiveSocketOptions = Pick<SocketOptions<LiveFrame>, 'open' | 'random' | 'onFrame' | 'onLink'> & {
  /** The address without a cursor. */
  address: string
}

const TIMING = {
  retry: { firstMs: 500, longestMs: 20_000 },
  helloWithinMs: 10_000,
  pingEveryMs: 15_000,
  pongWithinMs: 6_000,
  wakePongWithinMs: 2_500,
}

/** The live feed's socket: asks for what it missed by the cursor of the last frame that was taken in. */
export function createLiveSocket({ address, onFrame, ...options }: LiveSocketOptions): ResumableSocket<LiveFrame> {
  let cursor: number | null = null
  return new ResumableSocket({
    ...options,
    timing: TIMING,
    address: () => cursor === null ? address : `${address}?cursor=${cursor}`,
    // Browsers that wrongly say "offline" (VPNs) must not keep an agent from trying.
    isOnline: () => true,
    read: readFrame,
    onFrame(frame) {
      onFrame(frame)
      // Afterwards: a frame that failed to be taken in is asked for again.
      if ('cursor' in frame)
        cursor = frame.cursor
    },
    onRefused: () => onFrame({ type: 'logged_out' }),
  })
}

/** A frame of the server; `null` for what is none. */
function readFrame(data: unknown): LiveFrame | null {
  if (typeof data !== 'string')
    return null
  try {
    const frame: unknown = JSON.parse(data)
    return typeof frame === 'object' && frame !== null && 'type' in frame && typeof frame.type === 'string' ? frame as LiveFrame : null
  }
  catch {
    return null
  }
}
