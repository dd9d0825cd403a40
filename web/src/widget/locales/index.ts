import type { InjectionKey } from 'vue'
import type { Words } from './zh'
import { inject } from 'vue'
import { en } from './en'
import { zh } from './zh'

export type Locale = 'zh' | 'en'
export type { Words }

export interface Language { locale: Locale, words: Words }

export const LANGUAGE: InjectionKey<Language> = Symbol('language')

/** Chinese unless asked for, or the browser speaks, something else. */
export function languageOf(asked: string | null | undefined, browser: readonly string[]): Language {
  const wish = asked ?? browser[0] ?? 'zh'
  const locale = /^zh\b/i.test(wish) ? 'zh' : 'en'
  return { locale, words: locale === 'zh' ? zh : en }
}

export function useLanguage(): Language {
  const language = inject(LANGUAGE)
  if (language === undefined)
    throw new Error('no language was provided')
  return language
}
