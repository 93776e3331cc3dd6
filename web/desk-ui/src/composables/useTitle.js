// "(2) 知客坐席", blinking while the page is hidden and something is new.
import { onUnmounted, watchEffect, ref } from 'vue'

const NAME = '知客坐席'

export function useTitle(count) {
  const hidden = ref(document.hidden)
  const look = () => (hidden.value = document.hidden)
  document.addEventListener('visibilitychange', look)
  let timer = null
  const stop = watchEffect(() => {
    clearInterval(timer)
    const news = count()
    const marked = `(${news}) ${NAME}`
    document.title = news ? marked : NAME
    if (!news || !hidden.value) return
    let on = true
    timer = setInterval(() => {
      on = !on
      document.title = on ? marked : '【新消息】' + NAME
    }, 1000)
  })
  onUnmounted(() => {
    stop()
    clearInterval(timer)
    document.removeEventListener('visibilitychange', look)
    document.title = NAME
  })
}
