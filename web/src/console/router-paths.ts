import type { RouteLocationNormalized } from 'vue-router'
import type { View } from './model/rows'
import { VIEWS } from './model/rows'

/** Where a page address leads: a list, maybe a conversation of it, maybe its customer. */
export interface Place { view: View, id: string | null, panel: boolean }

export function placeOf(route: Pick<RouteLocationNormalized, 'params'>): Place {
  const { view, id, panel } = route.params
  return {
    view: VIEWS.find(known => known === view) ?? 'queue',
    id: typeof id === 'string' && id !== '' ? id : null,
    panel: panel === 'customer',
  }
}

export function pathOf({ view, id, panel }: Place): string {
  return `/${view}${id === null ? '' : `/${id}${panel ? '/customer' : ''}`}`
}

/** Where to go after the login: only to a page of ours. */
export function destination(to: unknown): string {
  return typeof to === 'string' && /^\/(?!\/)[\w/]*$/.test(to) && to !== '/login' ? to : '/queue'
}
