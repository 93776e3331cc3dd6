import { computed, onUnmounted, ref } from 'vue'
import { board } from './board.js'

/** How old the figures on the page are, in ms; ticks once a second. By our own clock only. */
export function useAge() {
  const now = ref(Date.now())
  const timer = setInterval(() => (now.value = Date.now()), 1000)
  onUnmounted(() => clearInterval(timer))
  return computed(() => Math.max(0, now.value - board.receivedAt))
}
