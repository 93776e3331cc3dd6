// Something done for the customer: busy while it runs, the server's sentence when it was refused, a word when it is done.
import { ref } from 'vue'
import { toast } from '../lib/toast.js'

export function useAction() {
  const busy = ref(false)
  const error = ref('')

  /** Resolves to the answer, or to null when it failed or one is still running. told: the word when it is done. */
  async function run(request, told = '') {
    if (busy.value) return null
    busy.value = true
    error.value = ''
    try {
      const answer = (await request()) ?? {}
      if (told) toast.ok(typeof told === 'function' ? told(answer) : told)
      return answer
    } catch (problem) {
      error.value = problem.message
      return null
    } finally {
      busy.value = false
    }
  }
  return { busy, error, run }
}
