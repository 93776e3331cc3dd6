// How much room there is: 'wide' three panes, 'medium' the customer as a drawer, 'narrow' one pane at a time.
import { computed, onUnmounted, ref } from 'vue'

export function useViewport() {
  const width = ref(window.innerWidth)
  const measure = () => (width.value = window.innerWidth)
  window.addEventListener('resize', measure)
  onUnmounted(() => window.removeEventListener('resize', measure))
  return computed(() => (width.value < 720 ? 'narrow' : width.value < 1160 ? 'medium' : 'wide'))
}
