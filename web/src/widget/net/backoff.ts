const FIRST_MS = 800
const LONGEST_MS = 30_000

/**
 * How long to wait before trying to connect again, in milliseconds.
 *
 * Doubles from 0.8 s to 30 s; the upper half is drawn by chance, so that a restarted server is not met by every page
 * at once.
 *
 * @param attempt tries that have failed in a row, from 1
 * @param random a number in [0, 1)
 */
export function backoffMs(attempt: number, random: () => number): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 10))
  return Math.round(ceiling / 2 + random() * ceiling / 2)
}
