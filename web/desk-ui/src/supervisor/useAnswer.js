import { onUnmounted, ref, watch } from 'vue'

/** What `ask(...sources)` answers, asked again when a source changes; a late answer to an earlier question is dropped. */
export function useAnswer(ask, sources = []) {
  const answer = ref(null)
  const error = ref('')
  const loading = ref(true)
  let asked = 0

  async function load() {
    const mine = ++asked
    loading.value = true
    error.value = ''
    try {
      const given = await ask(...sources.map((source) => source.value))
      if (mine === asked) answer.value = given
    } catch (problem) {
      if (mine === asked) error.value = problem.message
    } finally {
      if (mine === asked) loading.value = false
    }
  }
  watch(sources, load, { immediate: true })
  onUnmounted(() => (asked += 1))
  return { answer, error, loading, load }
}
