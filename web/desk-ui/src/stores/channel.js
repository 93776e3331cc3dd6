// How far the platform of the open talk lets us write to the customer. Asked for when the talk changes, not by the clock;
// only while something is on its way it is asked for again until that has settled.
import { reactive } from 'vue'
import { api, serverClockOffset } from '../api.js'
import { lookAgainIn } from '../lib/channel.js'
import { ui } from './ui.js'

/** Talk id → what the server told of its channel. */
export const channels = reactive({})

// A line and the push that tells of it come within moments of each other: one question answers both.
const SOON_MS = 250
let timer = null
let asked = 0

export function lookAtChannel(id) {
  if (ui.activeId !== id) return
  asked += 1 // an answer that is under way knows nothing of what is new, and must not put off this look
  plan(id, SOON_MS, 0)
}

function plan(id, ms, looks) {
  clearTimeout(timer)
  timer = setTimeout(() => ui.activeId === id && look(id, looks), ms)
}

async function look(id, looks) {
  const mine = (asked += 1)
  try {
    const told = await api.channel(id)
    if (mine !== asked) return // there is something new since
    channels[id] = told
    const wait = lookAgainIn(told, looks, Date.now() + serverClockOffset())
    if (wait != null) plan(id, wait, looks + 1)
  } catch (error) {
    const passes = !error.status || error.status === 429 || error.status >= 500 // the network, the server
    if (passes && mine === asked) plan(id, lookAgainIn({ under_way: true }, looks), looks + 1)
  }
}

export function resetChannels() {
  clearTimeout(timer)
  asked += 1 // nor does an answer under way belong to whoever signs in next
  for (const id of Object.keys(channels)) delete channels[id]
}
