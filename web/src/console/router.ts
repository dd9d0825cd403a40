import type { RouteLocationNormalized, Router, RouterHistory } from 'vue-router'
import type { View } from './api/types'
import type { SessionStore } from './composables/useSession'
import { createRouter } from 'vue-router'
import { VIEWS } from './model/rows'
import InboxView from './views/InboxView.vue'
import LoginView from './views/LoginView.vue'

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

export function createConsoleRouter(history: RouterHistory, session: SessionStore): Router {
  const router = createRouter({
    history,
    routes: [
      { path: '/login', name: 'login', component: LoginView },
      { path: `/:view(${VIEWS.join('|')})/:id(\\w+)?/:panel(customer)?`, name: 'inbox', component: InboxView },
      { path: '/:rest(.*)*', redirect: '/queue' },
    ],
  })
  router.beforeEach((to) => {
    // Not yet asked: nothing is shown until it is, and then `App` sends everybody to the right place.
    if (session.state.value === 'unknown')
      return true
    const isIn = session.state.value === 'in'
    if (to.name === 'login')
      return isIn ? destination(to.query.to) : true
    return isIn ? true : { name: 'login', query: to.path === '/queue' ? {} : { to: to.fullPath } }
  })
  return router
}

/** Where to go after the login: only to a page of ours. */
export function destination(to: unknown): string {
  return typeof to === 'string' && /^\/(?!\/)[\w/]*$/.test(to) && to !== '/login' ? to : '/queue'
}
