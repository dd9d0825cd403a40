import type { Ref } from 'vue'
import { useResizeObserver } from '@vueuse/core'
import { nextTick, onMounted, ref } from 'vue'

/** Nearer to the end than this counts as being there. */
const NEAR_PX = 80
/** Nearer to the top than this asks for earlier messages. */
const TOP_PX = 120

/**
 * Keep a list at its end while it grows, unless the reader has scrolled up; keep the place when it grows on top.
 */
export function useStickyScroll(list: Readonly<Ref<HTMLElement | null>>, onTop: () => void) {
  const isAtEnd = ref(true)
  let lastTop = 0

  function toEnd(behavior: ScrollBehavior = 'auto'): void {
    const element = list.value
    if (element === null)
      return
    isAtEnd.value = true
    element.scrollTo({ top: element.scrollHeight, behavior: calm() ? 'auto' : behavior })
  }

  function onScroll(): void {
    const element = list.value
    if (element === null)
      return
    const isNear = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX
    // On our own way down, smoothly, we are not near yet: only moving up is the reader's doing.
    if (isNear || element.scrollTop < lastTop)
      isAtEnd.value = isNear
    lastTop = element.scrollTop
    if (element.scrollTop < TOP_PX && !isAtEnd.value)
      onTop()
  }

  /** Do something that adds to the top, and leave what the reader looks at where it is. */
  async function holdingPlace(): Promise<void> {
    const element = list.value
    if (element === null)
      return
    const below = element.scrollHeight - element.scrollTop
    await nextTick()
    element.scrollTop = element.scrollHeight - below
  }

  // Images that load and a keyboard that opens change heights without a message.
  useResizeObserver(() => [list.value, list.value?.firstElementChild as HTMLElement | null], () => isAtEnd.value && toEnd())
  onMounted(() => toEnd())

  return { isAtEnd, toEnd, onScroll, holdingPlace }
}

function calm(): boolean {
  return window.matchMedia('(prefers-reduced-motion: reduce)').matches
}
