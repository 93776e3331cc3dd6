import { onMounted, onUnmounted, ref } from 'vue'
import { hashOf, routeOf, viewOfKey } from './routes.js'

export const route = ref(routeOf(location.hash))
const look = () => (route.value = routeOf(location.hash))

export function go(view, id = '') {
  location.hash = hashOf(view, id)
}

const isTyping = (target) => target?.closest?.('input, textarea, select, [contenteditable="true"], [role="dialog"]')

/** Follows the address, and the keys: 1–6 for the views, W for the wall board, Esc back from it. */
export function useRoute() {
  const onKey = (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
    if (viewOfKey(event.key)) go(viewOfKey(event.key))
    else if (event.key.toLowerCase() === 'w') go('wall')
    else if (event.key === 'Escape' && route.value.view === 'wall') go('board')
  }
  onMounted(() => {
    look()
    window.addEventListener('hashchange', look)
    window.addEventListener('keydown', onKey)
  })
  onUnmounted(() => {
    window.removeEventListener('hashchange', look)
    window.removeEventListener('keydown', onKey)
  })
}
