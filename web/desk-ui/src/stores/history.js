// The customer's other talks, fetched one by one as the agent reads back. Read only.
import { reactive } from 'vue'
import { api } from '../api.js'
import { nextEarlier } from '../lib/history.js'
import { talks } from './talks.js'

/** Talk id → { earlier: [{ conversation, messages }], done: [ids], busy, error }. */
const histories = reactive({})

export function historyOf(id) {
  histories[id] ||= { earlier: [], done: [], busy: false, error: '' }
  return histories[id]
}

export const nextOf = (id) => nextEarlier(talks[id]?.customer?.conversations, historyOf(id).done)

export async function loadEarlier(id) {
  const history = historyOf(id)
  if (history.busy) return
  history.busy = true
  history.error = ''
  try {
    // One that may not be read, or in which nothing was said, is passed over.
    for (let next = nextOf(id), found = false; next && !found; next = nextOf(id)) {
      const talk = await readOther(id, next.id)
      history.done.push(next.id)
      found = Boolean(talk?.messages.length)
      if (found) history.earlier.push(talk)
    }
  } catch (error) {
    history.error = error.message
  } finally {
    history.busy = false
  }
}

async function readOther(id, other) {
  try {
    return await api.earlier(id, other)
  } catch (error) {
    if (error.status === 404) return null
    throw error
  }
}

/** What the customer said elsewhere while this talk went on belongs between its lines: nobody would look for it above. */
export async function joinConcurrent(id) {
  const since = Date.parse(talks[id]?.conversation?.started_at)
  const history = historyOf(id)
  for (let next = nextOf(id); next && Date.parse(next.started_at) > since; next = nextOf(id)) {
    await loadEarlier(id)
    if (history.error || history.done.at(-1) !== next.id) return
  }
}

export function resetHistories() {
  for (const id of Object.keys(histories)) delete histories[id]
}
