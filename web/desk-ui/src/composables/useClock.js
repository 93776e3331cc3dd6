// One clock for all waiting times on the page: it ticks once a second while somebody looks at it.
import { onUnmounted, ref } from 'vue'
import { serverClockOffset } from '../api.js'

/** The server's time, as far as we know it. Stands still while nobody uses the clock. */
export const now = ref(Date.now())
let users = 0
let timer = null

const tick = () => (now.value = Date.now() + serverClockOffset())

export function useClock() {
  if (users === 0) {
    tick()
    timer = setInterval(tick, 1000)
  }
  users += 1
  onUnmounted(() => {
    users -= 1
    if (users === 0) clearInterval(timer)
  })
  return now
}
