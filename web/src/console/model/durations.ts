/** A waiting time, short: 0:07, 12:05, 1:02:03. Below zero (clocks differ) counts as zero. */
export function clockOf(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number): string => String(value).padStart(2, '0')
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

export type Ago = { unit: 'now' } | { unit: 'minutes' | 'hours' | 'days', count: number }

/** How long ago, in the largest unit that fits. */
export function agoOf(at: string, now: number): Ago {
  const minutes = Math.floor((now - Date.parse(at)) / 60_000)
  if (minutes < 1)
    return { unit: 'now' }
  if (minutes < 60)
    return { unit: 'minutes', count: minutes }
  return minutes < 1440 ? { unit: 'hours', count: Math.floor(minutes / 60) } : { unit: 'days', count: Math.floor(minutes / 1440) }
}

/** The calendar day of a time where the agent is, as `2026-11-23`. */
export function dayOf(at: string): string {
  const date = new Date(at)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** Fen as yuan: 1990 → ¥19.90. */
export function yuan(fen: number): string {
  const sign = fen < 0 ? '-' : ''
  const whole = Math.abs(fen)
  return `${sign}¥${Math.floor(whole / 100)}.${String(whole % 100).padStart(2, '0')}`
}
