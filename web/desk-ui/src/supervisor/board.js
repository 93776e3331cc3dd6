// The figures of the floor, as they were told last. They stay when the connection is lost; the page says how old they are.
import { reactive } from 'vue'
import { supervisor } from './api.js'
import { polling } from './poll.js'

const EVERY_MS = 2000

export const board = reactive({ data: null, error: '', receivedAt: 0 })

async function load() {
  const askedAt = Date.now()
  try {
    board.data = await supervisor.board()
    board.receivedAt = askedAt // the answer may have taken long: the figures are from when it was asked
    board.error = ''
  } catch (error) {
    board.error = error.message
  }
}

const turns = polling(load, EVERY_MS)
export const refreshBoard = turns.soon
export const startBoard = turns.start

export function stopBoard() {
  turns.stop()
  Object.assign(board, { data: null, error: '', receivedAt: 0 })
}

/** An AGENT that a change has brought back, without waiting for the next turn. */
export function applyAgent(agent) {
  const shown = board.data?.agents.find((other) => other.name === agent.name)
  if (shown) Object.assign(shown, agent)
}
