// The lists on the left: who waits, my talks, where I am asked for advice, what is over; and which lines are unread.
import { computed, reactive } from 'vue'
import { api } from '../api.js'
import { now } from '../composables/useClock.js'
import { holdOrder, isNew, orderTalks } from '../lib/order.js'

const empty = () => ({ items: [], loaded: false, error: '' })

export const lists = reactive({
  queued: empty(),
  mine: empty(),
  mentioned: empty(),
  closed: empty(),
  /** Ids in their places while the pointer is over my talks, else null: a list that jumps is clicked wrongly. */
  held: null,
  /** How many wait in all; the server may count more than it lists. */
  waiting: 0,
  /** talk id → { seq: true } of the customer's lines that nobody has looked at (a set, so that nothing counts twice). */
  unread: {},
})

// A push or an own action that arrives while a list is being fetched makes that answer old; the fetch is then repeated.
const version = { queued: 0, mine: 0, mentioned: 0, closed: 0 }

export function resetLists() {
  for (const name of Object.keys(version)) {
    lists[name] = empty()
    version[name] += 1
  }
  lists.unread = {}
  lists.waiting = 0
  lists.held = null
}

export const findIn = (name, id) => lists[name].items.find((item) => item.id === id)
export const isMine = (id) => Boolean(findIn('mine', id))
export const isQueued = (id) => Boolean(findIn('queued', id))
export const unreadOf = (id) => Object.keys(lists.unread[id] || {}).length
export const isMentioned = (id) => Boolean(findIn('mentioned', id))
/** Unread lines of my talks; a new talk counts once. */
export const totalUnread = computed(() =>
  lists.mine.items.reduce((sum, item) => sum + (isNew(item) ? 1 : unreadOf(item.id)), 0),
)
export const newTalks = computed(() => lists.mine.items.filter(isNew))
export const unseenMentions = computed(() => lists.mentioned.items.filter((item) => item.mention && !item.mention.seen).length)

/** My talks as they are shown: { open, snoozed }. */
export const ordered = computed(() => {
  const { open, snoozed } = orderTalks(lists.mine.items, now.value)
  return { open: holdOrder(open, lists.held), snoozed }
})

export function holdTheOrder(on) {
  lists.held = on ? ordered.value.open.map((item) => item.id) : null
}

// What was pushed or done here while the list was being fetched is newer than the answer.
function keepNewer(held, fresh) {
  const byId = new Map(held.map((item) => [item.id, item]))
  return fresh.map((item) => {
    const old = byId.get(item.id)
    if (!old) return item
    const merged = { ...item }
    if (old.picked_up && old.accepted_at === item.accepted_at) merged.picked_up = true
    if ((old.last_seq || 0) > (item.last_seq || 0)) {
      const { last_message, last_seq, waiting_since } = old
      Object.assign(merged, { last_message, last_seq, waiting_since })
    }
    return merged
  })
}

// Those just assigned to me head the answer for the queue; the desk shows them among my own.
const onlyWaiting = (conversations) => conversations.filter((item) => item.state === 'queued')

export async function refreshList(name) {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const startedAt = version[name]
    let fresh
    try {
      fresh = (await api.list(name)).conversations
    } catch (error) {
      if (version[name] === startedAt) lists[name].error = error.message
      return
    }
    if (version[name] !== startedAt) continue
    if (name === 'queued') fresh = onlyWaiting(fresh)
    lists[name].items = name === 'mine' ? keepNewer(lists.mine.items, fresh) : fresh
    lists[name].loaded = true
    lists[name].error = ''
    if (name === 'queued') lists.waiting = fresh.length
    if (name === 'mine') fresh.forEach((item) => forgetRead(item.id, item.read_seq || 0))
    return
  }
}

export function setQueue(conversations, waiting) {
  version.queued += 1
  lists.queued.items = onlyWaiting(conversations)
  lists.waiting = waiting ?? lists.queued.items.length
  lists.queued.loaded = true
  lists.queued.error = ''
}

export function addMine(conversation) {
  version.mine += 1
  version.queued += 1
  if (isQueued(conversation.id)) {
    lists.queued.items = lists.queued.items.filter((item) => item.id !== conversation.id)
    lists.waiting = Math.max(0, lists.waiting - 1)
  }
  if (!isMine(conversation.id)) lists.mine.items = [conversation, ...lists.mine.items]
  lists.mine.loaded = true
}

/** Something about one of my talks is known to be otherwise now; an answer under way is older. */
export function changeMine(id, change) {
  const item = findIn('mine', id)
  if (!item) return
  version.mine += 1
  Object.assign(item, change)
}

export function removeMine(id) {
  version.mine += 1
  lists.mine.items = lists.mine.items.filter((item) => item.id !== id)
  delete lists.unread[id]
}

/** A message has come or has been sent: the line under the name, and whether the customer waits for an answer. */
export function touch(id, message) {
  const item = findIn('mine', id) || findIn('queued', id) || findIn('mentioned', id)
  if (!item || message.seq <= (item.last_seq || 0)) return
  item.last_seq = message.seq
  // Notes are ours alone; the customer's waiting goes on.
  if (message.kind === 'note') return
  if (message.sender !== 'system') {
    const { seq, sender, kind, text, created_at } = message
    item.last_message = { seq, sender, kind, text, created_at }
  }
  if (message.sender === 'customer') {
    item.waiting_since ||= message.created_at
    item.snoozed_until = null
  }
  if (message.sender === 'agent') item.waiting_since = null
}

export function addUnread(id, seqs) {
  if (!seqs.length) return
  const held = (lists.unread[id] ||= {})
  for (const seq of seqs) held[seq] = true
}

export function clearUnread(id) {
  delete lists.unread[id]
}

// Read at another tab or on another machine.
function forgetRead(id, upTo) {
  const held = lists.unread[id]
  if (!held) return
  for (const seq of Object.keys(held)) if (Number(seq) <= upTo) delete held[seq]
}

/** After a (re)connect: count exactly which of the customer's lines came since the agent last looked. */
export async function countUnread(skipId) {
  const behind = lists.mine.items.filter((item) => item.id !== skipId && (item.last_seq || 0) > (item.read_seq || 0))
  await Promise.all(behind.map(async (item) => {
    try {
      const { messages } = await api.messages(item.id, item.read_seq || 0)
      addUnread(item.id, messages.filter((message) => message.sender === 'customer').map((message) => message.seq))
    } catch {
      // The count comes with the next push; opening the talk shows everything anyway.
    }
  }))
}
