// The lists on the left: who waits, my talks, what is over; and which lines in them are unread.
import { computed, reactive } from 'vue'
import { api } from '../api.js'

const empty = () => ({ items: [], loaded: false, error: '' })

export const lists = reactive({
  queued: empty(),
  mine: empty(),
  closed: empty(),
  /** How many wait in all; the server may count more than it lists. */
  waiting: 0,
  /** talk id → { seq: true } of the customer's lines that nobody has looked at (a set, so that nothing counts twice). */
  unread: {},
})

// A push or an own action that arrives while a list is being fetched makes that answer old; the fetch is then repeated.
const version = { queued: 0, mine: 0, closed: 0 }

export function resetLists() {
  for (const name of Object.keys(version)) {
    lists[name] = empty()
    version[name] += 1
  }
  lists.unread = {}
  lists.waiting = 0
}

export const findIn = (name, id) => lists[name].items.find((item) => item.id === id)
export const isMine = (id) => Boolean(findIn('mine', id))
export const isQueued = (id) => Boolean(findIn('queued', id))
export const unreadOf = (id) => Object.keys(lists.unread[id] || {}).length
export const totalUnread = computed(() => lists.mine.items.reduce((sum, item) => sum + unreadOf(item.id), 0))

// The agent's list keeps its order (a list that jumps under the pointer is answered wrongly); newcomers come on top.
function keepOrder(held, fresh) {
  const byId = new Map(fresh.map((item) => [item.id, item]))
  const stay = []
  for (const old of held) {
    const item = byId.get(old.id)
    if (!item) continue
    byId.delete(old.id)
    const stale = (old.last_seq || 0) > (item.last_seq || 0)
    const { last_message, last_seq, waiting_since } = old
    stay.push(stale ? { ...item, last_message, last_seq, waiting_since } : item)
  }
  return [...byId.values(), ...stay]
}

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
    lists[name].items = name === 'mine' ? keepOrder(lists.mine.items, fresh) : fresh
    lists[name].loaded = true
    lists[name].error = ''
    if (name === 'queued') lists.waiting = fresh.length
    return
  }
}

export function setQueue(conversations, waiting) {
  version.queued += 1
  lists.waiting = waiting ?? conversations.length
  lists.queued.items = conversations
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

export function removeMine(id) {
  version.mine += 1
  lists.mine.items = lists.mine.items.filter((item) => item.id !== id)
  delete lists.unread[id]
}

/** A message has come or has been sent: the line under the name, and whether the customer waits for an answer. */
export function touch(id, message) {
  const item = findIn('mine', id) || findIn('queued', id)
  if (!item || message.seq <= (item.last_seq || 0)) return
  item.last_seq = message.seq
  // Notes are ours alone; the customer's waiting goes on.
  if (message.kind === 'note') return
  if (message.sender !== 'system') {
    const { seq, sender, kind, text, created_at } = message
    item.last_message = { seq, sender, kind, text, created_at }
  }
  if (message.sender === 'customer') item.waiting_since ||= message.created_at
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
