// The talks that wait and those that are served now.
import { reactive } from 'vue'
import { supervisor } from './api.js'
import { polling } from './poll.js'

const EVERY_MS = 3000

export const talks = reactive({ queued: [], served: [], loaded: false, error: '' })

async function load() {
  try {
    const [queued, served] = await Promise.all([supervisor.talks('queued'), supervisor.talks('with_agent')])
    Object.assign(talks, { queued: queued.conversations, served: served.conversations, loaded: true, error: '' })
  } catch (error) {
    talks.error = error.message
  }
}

const turns = polling(load, EVERY_MS)
export const refreshTalks = turns.soon
export const startTalks = turns.start
export const stopTalks = turns.stop
