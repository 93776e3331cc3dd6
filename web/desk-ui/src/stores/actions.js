// What an agent does with a talk: take, accept, transfer, finish. Errors are shown here as the server words them.
import { api } from '../api.js'
import { toast } from '../lib/toast.js'
import { addMine, isMine, lists, refreshList, removeMine } from './lists.js'
import { openTalk, talks } from './talks.js'
import { ui } from './ui.js'

// Alt+N held down must not take three talks.
let taking = false
export const isTaking = () => taking

async function take(request) {
  if (taking) return
  taking = true
  try {
    const answer = await request()
    if (!answer) {
      toast.info('现在没有客户在排队，喝口水歇一歇。')
      return refreshList('queued')
    }
    const { conversation } = answer
    addMine(conversation)
    ui.tab = 'mine'
    // Perhaps it was looked at while waiting: fetch it anew, the state and the reading mark are others now.
    if (talks[conversation.id]) talks[conversation.id].loaded = false
    await openTalk(conversation.id)
  } catch (error) {
    toast.warn(error.message)
    if (error.status === 409 || error.status === 404) refreshList('queued')
  } finally {
    taking = false
  }
}

export const takeNext = () => take(() => api.next())
export const accept = (id) => take(() => api.accept(id))

/** The talk has left my hands. Where to look next: its neighbour in the list, so that the work goes on. */
export function leave(id) {
  const items = lists.mine.items
  const index = items.findIndex((item) => item.id === id)
  const neighbour = index < 0 ? null : items[index + 1] || items[index - 1]
  removeMine(id)
  if (lists.closed.loaded) refreshList('closed')
  if (ui.activeId !== id) return delete talks[id]
  ui.dialog = null
  const onePane = window.matchMedia('(max-width: 719px)').matches
  if (neighbour && !onePane) openTalk(neighbour.id)
  else ui.activeId = null
  delete talks[id]
}

export async function transfer(id, target) {
  await api.transfer(id, target)
  leave(id)
  toast.ok('已转接，备注也一并交给了对方。')
}

export async function close(id, reason, tags) {
  await api.close(id, reason, tags)
  leave(id)
  toast.ok('会话已结束。')
}

/** Alt+↑ / Alt+↓ */
export function step(direction) {
  const items = lists.mine.items
  if (!items.length) return
  const index = items.findIndex((item) => item.id === ui.activeId)
  const target = index < 0 ? (direction > 0 ? 0 : items.length - 1) : (index + direction + items.length) % items.length
  openTalk(items[target].id)
}

export const activeIsMine = () => Boolean(ui.activeId && isMine(ui.activeId))
