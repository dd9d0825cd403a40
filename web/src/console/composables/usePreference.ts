import type { Ref } from 'vue'
import { useLocalStorage } from '@vueuse/core'

/** A choice kept in this browser; where storage is forbidden it lasts as long as the page. */
export function usePreference<T extends string>(name: string, choices: readonly T[], initial: T): Ref<T> {
  return useLocalStorage<T>(`kefu.${name}`, initial, {
    serializer: { read: kept => choices.find(choice => choice === kept) ?? initial, write: choice => choice },
    writeDefaults: false,
    flush: 'sync',
    onError: () => {},
  })
}
