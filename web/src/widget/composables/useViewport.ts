import { useEventListener } from '@vueuse/core'
import { ref } from 'vue'

/** What of the screen the keyboard leaves, as custom properties: iOS slides fixed boxes under the keyboard otherwise. */
export function useViewport() {
  const style = ref<Record<string, string>>({})
  const viewport = window.visualViewport

  function measure(): void {
    if (viewport !== null)
      style.value = { '--kf-view-height': `${Math.round(viewport.height)}px`, '--kf-view-top': `${Math.round(viewport.offsetTop)}px` }
  }

  measure()
  useEventListener(viewport, ['resize', 'scroll'], measure)
  return { style }
}
