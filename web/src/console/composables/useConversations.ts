import type { Api } from '../api/api'
import type { Counts, Row } from '../api/types'
import type { View } from '../model/rows'
import type { Live } from './useLive'
import { computed, reactive, ref, shallowReactive } from 'vue'
import { isNewer, rowsOf, VIEWS } from '../model/rows'

interface Page {
  status: 'idle' | 'loading' | 'ready' | 'failed'
  /** Where the next page begins; `null` when all are loaded. */
  next: string | null
  /** The last row of the loaded pages, while there are more. */
  last: Row | null
  isLoadingMore: boolean
}

/** What a console has to know at all times, whichever list is looked at: alarms and counts come of them. */
const ALWAYS: readonly View[] = ['queue', 'mine']

const emptyPage = (): Page => ({ status: 'idle', next: null, last: null, isLoadingMore: false })

/**
 * The lists, right without a reload: rows by id, each list computed from them.
 *
 * @param me this agent's id.
 */
export function useConversations(api: Api, live: Pick<Live, 'onFrame'>, me: () => string) {
  const rows = shallowReactive(new Map<string, Row>())
  const counts = ref<Counts>({ queue: 0, mine: 0, bot: 0 })
  const pages = reactive(Object.fromEntries(VIEWS.map(view => [view, emptyPage()])) as Record<View, Page>)
  const lists = Object.fromEntries(VIEWS.map(view => [
    view,
    computed(() => rowsOf(rows.values(), view, me(), pages[view].last)),
  ])) as Record<View, ReturnType<typeof computed<Row[]>>>
  const shown = ref<View>('queue')
  /** What was heard of by itself since the running reload began. */
  let touched = new Set<string>()
  let reload = 0
  let hasNewerCounts = false

  function put(row: Row): void {
    if (isNewer(row, rows.get(row.id)))
      rows.set(row.id, row)
  }

  function settle(view: View, items: readonly Row[], next: string | null): void {
    items.forEach(put)
    pages[view].next = next
    // The row as it was when its page was cut: it may have moved since.
    pages[view].last = next === null ? null : items[items.length - 1] ?? pages[view].last
    pages[view].status = 'ready'
  }

  async function load(view: View): Promise<void> {
    if (pages[view].status === 'loading' || pages[view].status === 'ready')
      return
    pages[view].status = 'loading'
    const round = reload
    try {
      const page = await api.conversations(view, null)
      if (round !== reload)
        return
      settle(view, page.items, page.next)
    }
    catch {
      if (round === reload)
        pages[view].status = 'failed'
    }
  }

  /** Load anew what is looked at and what is always needed; the old rows are shown until the new are there. */
  async function reloadAll(): Promise<void> {
    const round = ++reload
    touched = new Set()
    hasNewerCounts = false
    const views = [...new Set([...ALWAYS, shown.value])]
    views.forEach((view) => {
      pages[view].status = rows.size === 0 ? 'loading' : pages[view].status
    })
    try {
      const answers = await Promise.all(views.map(async view => ({ view, page: await api.conversations(view, null) })))
      if (round !== reload)
        return
      const fetched = new Set(answers.flatMap(({ page }) => page.items.map(row => row.id)))
      // What the server did not list and no update told of since may have changed unseen.
      ;[...rows.keys()].filter(id => !fetched.has(id) && !touched.has(id)).forEach(id => rows.delete(id))
      VIEWS.forEach((view) => {
        pages[view] = emptyPage()
      })
      answers.forEach(({ view, page }) => settle(view, page.items, page.next))
      if (!hasNewerCounts)
        counts.value = answers[0]?.page.counts ?? counts.value
      // Another list came to be looked at meanwhile.
      void load(shown.value)
    }
    catch {
      // Also what was being loaded when this began: its answer is not waited for any more.
      if (round === reload)
        VIEWS.filter(view => pages[view].status === 'loading' || (views.includes(view) && pages[view].status !== 'ready')).forEach((view) => { pages[view].status = 'failed' })
    }
  }

  /** Take in a row that came by itself: a reload that began earlier must not drop it for being in none of its lists. */
  function hear(row: Row): void {
    touched.add(row.id)
    put(row)
  }

  live.onFrame((frame) => {
    if (frame.type === 'update') {
      frame.conversations.forEach(hear)
      counts.value = frame.counts
      hasNewerCounts = true
    }
    else if (frame.type === 'reset') {
      void reloadAll()
    }
  })

  return {
    rows,
    counts,
    lists,
    pages: pages as Readonly<Record<View, Readonly<Page>>>,
    put: hear,
    reloadAll,
    row: (id: string): Row | undefined => rows.get(id),

    /** A list is looked at. */
    show(view: View): void {
      shown.value = view
      void load(view)
    },

    async loadMore(view: View): Promise<void> {
      const page = pages[view]
      if (page.next === null || page.isLoadingMore)
        return
      page.isLoadingMore = true
      const round = reload
      try {
        const answer = await api.conversations(view, page.next)
        if (round === reload)
          settle(view, answer.items, answer.next)
      }
      catch {
        // The rows that are there stay; scrolling asks again.
      }
      finally {
        pages[view].isLoadingMore = false
      }
    },
  }
}

export type Conversations = ReturnType<typeof useConversations>
