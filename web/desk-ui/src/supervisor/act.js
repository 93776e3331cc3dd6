import { toast } from '../lib/toast.js'

/** Does something that changes the floor and says how it went; the answer, or null when it was refused. */
export async function act(work, told) {
  try {
    const answer = await work()
    toast.ok(told)
    return answer ?? {}
  } catch (error) {
    toast.error(error.message)
    return null
  }
}
