import type { SocketOptions } from '@shared/resumable-socket'
import type { ServerFrame } from './protocol'
import { ResumableSocket } from '@shared/resumable-socket'
import { readFrame } from './protocol'

export type { Link } from '@shared/resumable-socket'

const TIMING = {
  retry: { firstMs: 800, longestMs: 30_000 },
  helloWithinMs: 15_000,
  pingEveryMs: 25_000,
  pongWithinMs: 8_000,
  wakePongWithinMs: 3_000,
}

/** The chat's line to the shop; a visitor whose token is refused gets another. */
export function createConnection(options: Omit<SocketOptions<ServerFrame>, 'timing' | 'read' | 'onRefused'>): ResumableSocket<ServerFrame> {
  return new ResumableSocket({ ...options, timing: TIMING, read: readFrame })
}
