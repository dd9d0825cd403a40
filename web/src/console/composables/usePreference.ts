import type { Ref } from 'vue'
import { customRef } from 'vue'

/** A choice kept in this browser; where storage is forbidden it lasts as long as the page. */
export function usePreference<T extends string>(name: string, choices: readonly T[], initial: T): Ref<T> {
  const key = `kefu.${name}`
  let value = initial
  try {
    const kept = localStorage.getItem(key)
    value = choices.find(choice => choice === kept) ?? initial
  }
  catch {}
  return customRef((track, trigger) => ({
    get() {
      track()
      return value
    },
    set(next) {
      value = next
      try {
        localStorage.setItem(key, next)
      }
      catch {}
      trigger()
    },
  }))
}
