// The talks that have been opened: their messages and everything around them.
import { reactive } from 'vue'
import { api } from '../api.js'
import { newId } from '../lib/id.js'
import { confirmLocal, localMessage, markLocal, mergeMessages, newestSeq } from '../lib/messages.js'
import { isNew } from '../lib/order.js'
import { tellTabs } from '../lib/tabs.js'
import { toast } from '../lib/toast.js'
import { lookAtChannel } from './channel.js'
import { dropLine, keepLines, keptLines } from './kept.js'
import { addUnread, changeMine, clearUnread, findIn, isMine, isMentioned, refreshList, touch } from './lists.js'
import { session } from './session.js'
import { ui } from './ui.js'

export const talks = reactive({})

const TYPING_LASTS_MS = 6000
const RETRY_MS = 3_000
const typingTimers = {}
// One line after the other per talk: two quick lines must not overtake each other.
const sending = {}
// The files of pictures that wait for the server, by client_message_id. They cannot be kept over a reload.
const files = new Map()

export function resetTalks() {
  for (const id of Object.keys(talks)) delete talks[id]
  files.clear()
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

export const conversationOf = (id) =>
  findIn('mine', id) || findIn('queued', id) || findIn('mentioned', id) || talks[id]?.conversation || null

function setMessages(id, messages) {
  talks[id].messages = messages
  keepLines(id, messages.filter((message) => message.seq == null && message.kind !== 'image'))
}

// What the platform allows is another thing after each line. The website has no such limits.
function looksAtChannel(id) {
  if (talks[id]?.conversation?.channel === 'wechat') lookAtChannel(id)
}

export function openTalk(id) {
  ui.activeId = id
  pickUp(id)
  const talk = entry(id)
  if (talk.loaded) return syncTalk(id)
  return loadTalk(id)
}

// A talk the system gave me is mine only once I have turned to it.
async function pickUp(id) {
  const item = findIn('mine', id)
  if (!item || !isNew(item)) return
  changeMine(id, { picked_up: true })
  try {
    changeMine(id, (await api.accept(id)).conversation)
    tellTabs()
    markRead(id)
  } catch (error) {
    toast.warn(error.message)
    changeMine(id, { picked_up: false })
    refreshList('mine')
  }
}

/** The server's newest picture of a talk, after something was done with it. */
export function applyConversation(conversation) {
  changeMine(conversation.id, conversation)
  if (talks[conversation.id]) talks[conversation.id].conversation = conversation
  tellTabs()
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
    looksAtChannel(id)
    markRead(id)
    // Having looked is what makes a mention seen.
    if (isMentioned(id)) refreshList('mentioned')
  } catch (error) {
    talk.error = error.message
  } finally {
    talk.loading = false
  }
}

/** Ask for what came since. */
export async function syncTalk(id) {
  const talk = talks[id]
  if (!talk?.loaded) return
  try {
    const { messages } = await api.messages(id, talk.syncedSeq)
    if (talks[id] !== talk) return
    setMessages(id, mergeMessages(talk.messages, messages))
    talk.syncedSeq = Math.max(talk.syncedSeq, newestSeq(messages))
    for (const message of messages) touch(id, message)
    looksAtChannel(id)
    markRead(id)
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
  looksAtChannel(id)
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
  const item = findIn('mine', id)
  // Reading is taken for picking up: that has to be a deed, not a talk that happens to stand open.
  if (item && isNew(item)) return
  clearUnread(id)
  const seq = newestSeq(talk.messages)
  if (!item || seq <= talk.readSent) return
  const before = talk.readSent
  talk.readSent = seq
  try {
    await api.read(id, seq)
    item.read_seq = Math.max(item.read_seq || 0, seq)
    tellTabs()
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

/** Show the line at once and send it. kind: 'text' or 'note'; mentions: sign-in names of who is asked in a note. */
export function say(id, text, kind = 'text', mentions = []) {
  const talk = talks[id]
  const agentName = session.agent.display_name
  const line = localMessage({ clientId: newId(), text, kind, mentions, agentName, now: Date.now() })
  setMessages(id, [...talk.messages, line])
  return deliver(id, line.client_message_id)
}

/** Pictures in their order: [{ file, url }], url for the page until the server has its own. */
export function sayPictures(id, pictures) {
  for (const { file, url } of pictures) {
    const line = localMessage({
      clientId: newId(), text: '[图片]', kind: 'image', agentName: session.agent.display_name, now: Date.now(),
    })
    files.set(line.client_message_id, file)
    setMessages(id, [...talks[id].messages, { ...line, payload: { url, alt: file.name }, progress: 0 }])
    deliver(id, line.client_message_id)
  }
}

export function resend(id, clientId) {
  setMessages(id, markLocal(talks[id].messages, clientId, 'sending'))
  return deliver(id, clientId)
}

export function discard(id, clientId) {
  setMessages(id, talks[id].messages.filter((line) => line.seq != null || line.client_message_id !== clientId))
  files.delete(clientId)
}

function deliver(id, clientId) {
  sending[id] = (sending[id] || Promise.resolve()).then(() => post(id, clientId))
  return sending[id]
}

const localLine = (id, clientId) =>
  talks[id]?.messages.find((line) => line.seq == null && line.client_message_id === clientId)

const SEND = {
  text: (id, line) => api.send(id, line.text, line.client_message_id),
  note: (id, line) => api.note(id, line.text, line.client_message_id, line.mentions),
  image: (id, { client_message_id: key }) =>
    api.picture(id, files.get(key), key, (part) => {
      const waiting = localLine(id, key)
      if (waiting) waiting.progress = part
    }),
}

async function post(id, clientId) {
  const line = localLine(id, clientId)
  if (!line) return
  try {
    const { seq } = await SEND[line.kind](id, line)
    if (!talks[id]) return dropLine(id, clientId)
    setMessages(id, confirmLocal(talks[id].messages, clientId, seq))
    files.delete(clientId)
    touch(id, { ...line, seq })
    looksAtChannel(id)
  } catch (error) {
    if (!talks[id]) return
    const unheard = error.status === 0
    setMessages(id, markLocal(talks[id].messages, clientId, 'failed', unheard ? '网络不通，恢复后会自动重发。' : error.message))
    // Under the same client_message_id, so that a line whose answer got lost is not there twice.
    if (unheard) setTimeout(() => localLine(id, clientId)?.local === 'failed' && resend(id, clientId), RETRY_MS)
  }
}

/** After something was done for the customer: the lines about it, and the picture of the customer as it is now. */
export async function afterDeed(id) {
  syncTalk(id)
  try {
    const { customer } = await api.customer(id)
    if (talks[id]) talks[id].customer = customer
  } catch {
    // The picture is a little old; opening the talk again brings a new one.
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
