import type { Ref } from 'vue'
import { useResizeObserver } from '@vueuse/core'
import { nextTick, ref } from 'vue'

/** Nearer to the end than this counts as at the end. */
const END_PX = 60
/** Nearer to the beginning than this asks for what came before. */
const START_PX = 300

/** A box that stays at its end while it grows, unless somebody has scrolled up to read. */
export function useStickyScroll(box: Readonly<Ref<HTMLElement | null>>, inner: Readonly<Ref<HTMLElement | null>>, onNearStart: () => void) {
  const isAtEnd = ref(true)
  let heightBefore = 0

  function toEnd(): void {
    const element = box.value
    if (element === null)
      return
    isAtEnd.value = true
    element.scrollTop = element.scrollHeight
  }

  function scrolled(): void {
    const element = box.value
    if (element === null)
      return
    // A box that grew and was not scrolled yet is still "at its end": the observer follows.
    if (element.scrollHeight === heightBefore || element.scrollHeight - element.scrollTop - element.clientHeight < END_PX)
      isAtEnd.value = element.scrollHeight - element.scrollTop - element.clientHeight < END_PX
    if (element.scrollTop < START_PX)
      onNearStart()
  }

  useResizeObserver([box, inner], () => {
    const element = box.value
    if (element === null)
      return
    if (isAtEnd.value)
      element.scrollTop = element.scrollHeight
    heightBefore = element.scrollHeight
  })

  return {
    isAtEnd,
    scrolled,
    toEnd,
    /** Bring what is in the box to its top. Not `scrollIntoView`: that moves the page's other boxes as well. */
    toTop(target: HTMLElement): void {
      const element = box.value
      if (element === null)
        return
      isAtEnd.value = false
      element.scrollTop += target.getBoundingClientRect().top - element.getBoundingClientRect().top - 8
    },
    /** Let `change` put something above what is looked at, and keep it where it is on the screen. */
    async keepingPlace(change: () => Promise<void>): Promise<void> {
      const element = box.value
      if (element === null)
        return change()
      const fromEnd = element.scrollHeight - element.scrollTop
      await change()
      await nextTick()
      if (!isAtEnd.value)
        element.scrollTop = element.scrollHeight - fromEnd
    },
  }
}
