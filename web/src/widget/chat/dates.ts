import type { Language } from '../locales'

/** The calendar day of an instant where the reader is, as a key. */
export function dayOf(at: string): string {
  const date = new Date(at)
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`
}

/** "今天", "昨天", "11月23日 星期一", with the year when it is another. */
export function dayLabel(at: string, now: Date, { locale, words }: Language): string {
  const day = dayOf(at)
  if (day === dayOf(now.toISOString()))
    return words.today
  const yesterday = new Date(now)
  yesterday.setDate(now.getDate() - 1)
  if (day === dayOf(yesterday.toISOString()))
    return words.yesterday
  const date = new Date(at)
  const year = date.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' } as const
  return new Intl.DateTimeFormat(locale === 'zh' ? 'zh-CN' : 'en-GB', { month: 'long', day: 'numeric', weekday: 'long', ...year }).format(date)
}

/** "09:05" */
export function clockLabel(at: string): string {
  const date = new Date(at)
  return `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`
}
