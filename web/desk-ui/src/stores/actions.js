// What an agent does with a talk: take, accept, transfer, finish. Errors are shown here as the server words them.
import { api } from '../api.js'
import { isNew } from '../lib/order.js'
import { tellTabs } from '../lib/tabs.js'
import { toast } from '../lib/toast.js'
import { dropDraft } from './kept.js'
import { addMine, findIn, isMine, lists, ordered, refreshList, removeMine } from './lists.js'
import { dropStaged } from './pictures.js'
import { applyConversation, openTalk, talks } from './talks.js'
import { ui } from './ui.js'

// Alt+A held down must not take three talks.
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
    tellTabs()
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

/** First whom the system has given me, then whoever waits. */
export function takeNext() {
  const given = ordered.value.open.find(isNew)
  if (!given) return take(() => api.next())
  ui.tab = 'mine'
  return openTalk(given.id)
}
export const accept = (id) => take(() => api.accept(id))

// The work goes on at the top of the list: new ones first, then who waits longest.
const nextAfter = (id) => ordered.value.open.find((item) => item.id !== id)

/** The talk has left my hands. Where to look next: where the work goes on. */
export function leave(id) {
  const neighbour = nextAfter(id)
  dropStaged(id)
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
  dropDraft(id)
  leave(id)
  tellTabs()
  toast.ok('已转接，备注也一并交给了对方。')
}

export async function close(id, reason, tags) {
  await api.close(id, reason, tags)
  dropDraft(id)
  leave(id)
  tellTabs()
  toast.ok('会话已结束。')
}

/** Put off for some minutes; the desk goes on with the next one. */
export async function snooze(id, minutes) {
  try {
    applyConversation((await api.snooze(id, minutes)).conversation)
  } catch (error) {
    return toast.warn(error.message)
  }
  const next = nextAfter(id)
  if (ui.activeId === id && next) openTalk(next.id)
}

export async function endSnooze(id) {
  try {
    applyConversation((await api.wake(id)).conversation)
  } catch (error) {
    toast.warn(error.message)
  }
}

/** Throws the server's refusal. */
export async function setTags(id, tags) {
  applyConversation((await api.setTags(id, tags)).conversation)
}

/** Alt+↑ / Alt+↓ */
export function step(direction) {
  const items = ordered.value.open
  if (!items.length) return
  const index = items.findIndex((item) => item.id === ui.activeId)
  const target = index < 0 ? (direction > 0 ? 0 : items.length - 1) : (index + direction + items.length) % items.length
  show(items[target])
}

/** Alt+1 … Alt+8: the talk at this place of the list, counted from 0. */
export function jump(place) {
  const item = ordered.value.open[place]
  if (item) show(item)
}

function show(item) {
  ui.tab = 'mine'
  openTalk(item.id)
}

export const activeIsMine = () => Boolean(ui.activeId && isMine(ui.activeId))
export const activeIsOpen = () => activeIsMine() && findIn('mine', ui.activeId).picked_up !== false
