import type { Ref } from 'vue'
import { useDocumentVisibility, useWindowFocus } from '@vueuse/core'
import { computed } from 'vue'

/** Whether somebody looks at this page: in front, and with the focus. */
export function useLooking(): Readonly<Ref<boolean>> {
  const visibility = useDocumentVisibility()
  const hasFocus = useWindowFocus()
  return computed(() => visibility.value === 'visible' && hasFocus.value)
}
