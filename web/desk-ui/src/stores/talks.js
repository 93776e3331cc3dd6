// The talks that have been opened: their messages and everything around them.
import { reactive } from 'vue'
import { api } from '../api.js'
import { newId } from '../lib/id.js'
import { confirmLocal, localMessage, markLocal, mergeMessages, newestSeq } from '../lib/messages.js'
import { dropLine, keepLines, keptLines } from './kept.js'
import { addUnread, clearUnread, findIn, isMine, touch } from './lists.js'
import { session } from './session.js'
import { ui } from './ui.js'

export const talks = reactive({})

const TYPING_LASTS_MS = 6000
const typingTimers = {}
// One line after the other per talk: two quick lines must not overtake each other.
const sending = {}

export function resetTalks() {
  for (const id of Object.keys(talks)) delete talks[id]
}

function entry(id) {
  talks[id] ||= {
    conversation: null, messages: keptLines(id), handover: null, customer: null, articles: [],
    // Up to here everything is known to be there: only answers to "after" raise it, pushes do not.
    syncedSeq: 0, customerReadSeq: 0, readSent: 0, typing: false, loaded: false, loading: false, error: '',
    handoverOpen: null,
  }
  return talks[id]
}

export const conversationOf = (id) => findIn('mine', id) || findIn('queued', id) || talks[id]?.conversation || null

function setMessages(id, messages) {
  talks[id].messages = messages
  keepLines(id, messages.filter((message) => message.seq == null))
}

export function openTalk(id) {
  ui.activeId = id
  const talk = entry(id)
  if (talk.loaded) return syncTalk(id)
  return loadTalk(id)
}

export async function loadTalk(id) {
  const talk = entry(id)
  if (talk.loading) return
  talk.loading = true
  talk.error = ''
  try {
    const answer = await api.talk(id)
    if (!talks[id]) return
    talk.conversation = answer.conversation
    talk.handover = answer.handover
    talk.customer = answer.customer
    talk.customerReadSeq = Math.max(talk.customerReadSeq, answer.conversation.customer_read_seq || 0)
    setMessages(id, mergeMessages(talk.messages, answer.messages))
    talk.syncedSeq = newestSeq(answer.messages)
    talk.loaded = true
    markRead(id)
  } catch (error) {
    talk.error = error.message
  } finally {
    talk.loading = false
  }
}

/** Ask for what came since. Throws when the server cannot be asked. */
async function fetchNew(id) {
  const talk = talks[id]
  const { messages } = await api.messages(id, talk.syncedSeq)
  if (!talks[id]) return
  setMessages(id, mergeMessages(talk.messages, messages))
  talk.syncedSeq = Math.max(talk.syncedSeq, newestSeq(messages))
  for (const message of messages) touch(id, message)
  markRead(id)
}

export async function syncTalk(id) {
  if (!talks[id]?.loaded) return
  try {
    await fetchNew(id)
  } catch {
    // The next connect asks again from the same place.
  }
}

const looking = (id) => ui.activeId === id && !document.hidden

/** A message by the socket. Returns true when it is a customer's line that the agent is not looking at. */
export function receive(id, message) {
  const talk = talks[id]
  // Also while the talk is still being fetched: the answer on its way may be older than this push.
  if (talk) setMessages(id, mergeMessages(talk.messages, [message]))
  touch(id, message)
  if (message.sender !== 'customer') return false
  setTyping(id, false)
  if (looking(id)) {
    markRead(id)
    return false
  }
  if (!isMine(id)) return false
  addUnread(id, [message.seq])
  return true
}

export async function markRead(id) {
  const talk = talks[id]
  if (!talk?.loaded || !looking(id)) return
  clearUnread(id)
  const seq = newestSeq(talk.messages)
  if (!isMine(id) || seq <= talk.readSent) return
  const before = talk.readSent
  talk.readSent = seq
  try {
    await api.read(id, seq)
    const item = findIn('mine', id)
    if (item) item.read_seq = Math.max(item.read_seq || 0, seq)
  } catch {
    talk.readSent = before
  }
}

export function setTyping(id, on) {
  clearTimeout(typingTimers[id])
  const talk = talks[id]
  if (!talk) return
  talk.typing = on
  // A lost "off" must not leave somebody typing for ever.
  if (on) typingTimers[id] = setTimeout(() => talks[id] && (talks[id].typing = false), TYPING_LASTS_MS)
}

export function customerHasRead(id, seq) {
  if (talks[id]) talks[id].customerReadSeq = Math.max(talks[id].customerReadSeq, seq)
}

/** Show the line at once and send it. kind: 'text' or 'note'. */
export function say(id, text, kind = 'text') {
  const talk = talks[id]
  const line = localMessage({ clientId: newId(), text, kind, agentName: session.agent.display_name, now: Date.now() })
  line.afterSeq = newestSeq(talk.messages)
  setMessages(id, [...talk.messages, line])
  return deliver(id, line.client_message_id)
}

export function resend(id, clientId) {
  setMessages(id, markLocal(talks[id].messages, clientId, 'sending'))
  return deliver(id, clientId, { again: true })
}

export function discard(id, clientId) {
  setMessages(id, talks[id].messages.filter((line) => line.seq != null || line.client_message_id !== clientId))
}

function deliver(id, clientId, options = {}) {
  sending[id] = (sending[id] || Promise.resolve()).then(() => post(id, clientId, options))
  return sending[id]
}

const localLine = (id, clientId) =>
  talks[id]?.messages.find((line) => line.seq == null && line.client_message_id === clientId)

async function post(id, clientId, { again = false }) {
  try {
    // A note has no id by which the server could know it again. Before sending it once more, look whether it got there.
    if (again && localLine(id, clientId)?.kind === 'note') await fetchNew(id)
    const line = localLine(id, clientId)
    if (!line) return
    const { seq } = await (line.kind === 'note' ? api.note(id, line.text) : api.send(id, line.text, clientId))
    if (!talks[id]) return dropLine(id, clientId)
    setMessages(id, confirmLocal(talks[id].messages, clientId, seq))
    touch(id, { ...line, seq })
  } catch (error) {
    if (talks[id]) setMessages(id, markLocal(talks[id].messages, clientId, 'failed', error.message))
  }
}

export async function loadSuggestions(id) {
  try {
    const { articles } = await api.suggestions(id)
    if (talks[id]) talks[id].articles = articles
  } catch {
    // Suggestions are a help, not a need.
  }
}
