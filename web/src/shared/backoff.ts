export interface Backoff { firstMs: number, longestMs: number }

/**
 * How long to wait before the next try, in milliseconds.
 *
 * Doubles from the first wait to the longest; the upper half is drawn by chance, so that a restarted server is not met
 * by every page at once.
 *
 * @param failures tries that have failed in a row, from 1
 * @param random a number in [0, 1)
 */
export function backoffMs({ firstMs, longestMs }: Backoff, failures: number, random: () => number): number {
  const ceiling = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 10))
  return Math.round(ceiling / 2 + random() * ceiling / 2)
}
