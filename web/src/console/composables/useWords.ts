import { useI18n } from 'vue-i18n'
import { ApiError } from '../api/errors'
import { errorText } from '../locales'
import { agoOf, dayOf } from '../model/durations'

/** The locale's words, and times and failures as people say them. */
export function useWords() {
  const { t, te, locale } = useI18n()
  const format = (at: string, options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat(locale.value === 'zh' ? 'zh-CN' : 'en-GB', options).format(new Date(at))
  const clock: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hour12: false }

  function day(at: string, now: number): string {
    const today = dayOf(new Date(now).toISOString())
    if (dayOf(at) === today)
      return t('time.today')
    if (dayOf(at) === dayOf(new Date(now - 86_400_000).toISOString()))
      return t('time.yesterday')
    const isThisYear = dayOf(at).slice(0, 4) === today.slice(0, 4)
    return format(at, isThisYear ? { month: 'long', day: 'numeric', weekday: 'short' } : { year: 'numeric', month: 'long', day: 'numeric' })
  }

  return {
    t,
    te,
    locale,
    /** A word of a table of the locale; for what the table does not know, the word itself. */
    word: (table: string, key: string): string => te(`${table}.${key}`) ? t(`${table}.${key}`) : key,
    failure: (error: unknown): string => errorText({ t, te, locale }, error instanceof ApiError ? error : new ApiError(0, 'unknown', '')),
    clock: (at: string): string => format(at, clock),
    full: (at: string): string => format(at, { dateStyle: 'long', timeStyle: 'medium', hour12: false }),
    day,
    /** 今天 14:02, 昨天 09:30, 11月3日 21:00. */
    moment: (at: string, now: number): string => {
      const name = day(at, now)
      const isNear = name === t('time.today') || name === t('time.yesterday')
      return isNear ? `${name} ${format(at, clock)}` : format(at, { month: 'numeric', day: 'numeric', ...clock })
    },
    ago: (at: string, now: number): string => {
      const ago = agoOf(at, now)
      return ago.unit === 'now' ? t('time.now') : t(`time.${ago.unit}`, { count: ago.count })
    },
  }
}
