// What must not get lost when the page is reloaded or the session ends, by agent and talk, so that the next person at this
// machine does not find the drafts of another. Drafts are in localStorage: all tabs of the agent share them, and signing
// out clears them. Lines not yet confirmed by the server belong to the tab that sends them (sessionStorage).
import { reactive } from 'vue'
import { onSignOut, session } from './session.js'

const EMPTY = { text: '', note: false }

function read(storage, key, fallback) {
  try {
    return JSON.parse(storage.getItem(key)) ?? fallback
  } catch {
    return fallback
  }
}

function write(storage, key, value) {
  if (!session.agent) return
  try {
    if (value == null) storage.removeItem(key)
    else storage.setItem(key, JSON.stringify(value))
  } catch {
    // Storage is full or forbidden: what is on the page is still there.
  }
}

const prefix = (what) => `zhike.desk.${what}.${session.agent?.id}.`
const key = (what, id) => prefix(what) + id

const drafts = reactive(new Map())

export function draftOf(id) {
  const name = key('draft', id)
  if (!drafts.has(name)) drafts.set(name, read(localStorage, name, { ...EMPTY }))
  return drafts.get(name)
}

export function saveDraft(id, draft) {
  const name = key('draft', id)
  drafts.set(name, draft)
  write(localStorage, name, draft.text || draft.note ? draft : null)
}

/** Puts a piece at the end of what is being written to the customer. */
export function addToDraft(id, piece) {
  const { text } = draftOf(id)
  saveDraft(id, { text: text.trim() ? `${text.trimEnd()}\n${piece}` : piece, note: false })
}

/** The talk has left these hands: what was being written in it can no longer be sent. */
export const dropDraft = (id) => saveDraft(id, { ...EMPTY })

function clearDrafts() {
  const own = prefix('draft')
  drafts.clear()
  for (const name of Object.keys(localStorage)) if (name.startsWith(own)) localStorage.removeItem(name)
}
onSignOut(clearDrafts)

// Another tab has written: a draft it has sent must not stand here to be sent again.
window.addEventListener('storage', ({ key: name }) => {
  if (name && drafts.has(name)) drafts.set(name, read(localStorage, name, { ...EMPTY }))
})

/** Lines that wait for the server, oldest first. After a reload nobody is sending them any more: they come as failed. */
export function keptLines(id) {
  return read(sessionStorage, key('unsent', id), []).map((line) => ({
    ...line,
    local: 'failed',
    error: line.error || '页面重新打开过，这一条还没有发出',
  }))
}

export function keepLines(id, lines) {
  write(sessionStorage, key('unsent', id), lines.length ? lines : null)
}

export function dropLine(id, clientId) {
  keepLines(id, read(sessionStorage, key('unsent', id), []).filter((line) => line.client_message_id !== clientId))
}
