// What the page shows: messages by state, and trainings, which are asked for again while one runs.
import { reactive } from 'vue'
import { admin } from './api.js'

const AGAIN_MS = 2000

export const STATES = [
  { name: 'open', label: '待处理' },
  { name: 'assigned', label: '已分配' },
  { name: 'refused', label: '未通过' },
  { name: 'exported', label: '已学会' },
  { name: 'dismissed', label: '已忽略' },
]

export const learning = reactive({
  state: 'open',
  groups: [],
  counts: {},
  intents: [],
  loading: true,
  error: '',
  /** Not for this role: the server's sentence. */
  forbidden: '',
})

export const history = reactive({ trainings: [], assigned: 0, backTo: null, mayRollBack: false, loading: true, error: '' })

let asked = 0
let again = null

export async function load(state = learning.state) {
  const mine = ++asked
  learning.state = state
  learning.loading = true
  learning.error = ''
  try {
    if (!learning.intents.length) learning.intents = (await admin.intents()).intents
    const answer = await admin.groups(state)
    if (mine !== asked) return // another tab was opened meanwhile
    learning.groups = answer.groups
    learning.counts = answer.counts
  } catch (error) {
    if (mine !== asked) return
    if (error.status === 403) learning.forbidden = error.message
    else learning.error = error.message
  } finally {
    if (mine === asked) learning.loading = false
  }
}

export const running = () => history.trainings.find((training) => training.running)

export async function loadHistory() {
  clearTimeout(again)
  history.error = ''
  const before = running()?.id
  try {
    const answer = await admin.trainings()
    history.trainings = answer.trainings
    history.assigned = answer.assigned
    history.backTo = answer.back_to
    history.mayRollBack = answer.may_roll_back
    if (before && running()?.id !== before) load() // it has a result: what is shown has changed its state
  } catch (error) {
    if (error.status !== 403) history.error = error.message
  } finally {
    history.loading = false
  }
  if (running()) again = setTimeout(loadHistory, AGAIN_MS)
}

export function forget() {
  clearTimeout(again)
  Object.assign(learning, { state: 'open', groups: [], counts: {}, loading: true, error: '', forbidden: '' })
  Object.assign(history, { trainings: [], assigned: 0, backTo: null, mayRollBack: false, loading: true, error: '' })
}
