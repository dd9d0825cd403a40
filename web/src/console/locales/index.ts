import type { ApiError } from '../api/errors'
import { createI18n } from 'vue-i18n'
import en from './en'
import zh from './zh'

export type Locale = 'zh' | 'en'

export const LOCALES: readonly Locale[] = ['zh', 'en']

/** Chinese, unless the browser asks for another language and never for Chinese. */
export function preferredLocale(languages: readonly string[]): Locale {
  return languages.length === 0 || languages.some(language => language.toLowerCase().startsWith('zh')) ? 'zh' : 'en'
}

export function createWords(locale: Locale) {
  return createI18n({ legacy: false, locale, fallbackLocale: 'zh', messages: { zh, en }, missingWarn: false, fallbackWarn: false })
}

interface Translating {
  t: (key: string, named?: Record<string, unknown>) => string
  te: (key: string) => boolean
  locale: { value: string }
}

/** What to tell the agent about a failure: the server's words in Chinese, ours where it has none or speaks the wrong language. */
export function errorText({ t, te, locale }: Translating, error: ApiError): string {
  const key = `errors.${error.code}`
  const ours = te(key) ? t(key, { name: error.assignee?.name ?? '' }) : null
  if (error.message !== '' && (locale.value === 'zh' || ours === null))
    return error.message
  return ours ?? t('errors.unknown')
}
