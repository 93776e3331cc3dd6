// What must not get lost when the page is reloaded or the session ends: drafts, and lines not yet confirmed by the server.
// Kept in sessionStorage by agent and talk, so that the next person at this tab does not find the drafts of another.
import { reactive } from 'vue'
import { session } from './session.js'

const EMPTY = { text: '', note: false }

function read(key, fallback) {
  try {
    return JSON.parse(sessionStorage.getItem(key)) ?? fallback
  } catch {
    return fallback
  }
}

function write(key, value) {
  if (!session.agent) return
  try {
    if (value == null) sessionStorage.removeItem(key)
    else sessionStorage.setItem(key, JSON.stringify(value))
  } catch {
    // Storage is full or forbidden: what is on the page is still there.
  }
}

const key = (what, id) => `zhike.desk.${what}.${session.agent?.id}.${id}`

const drafts = reactive(new Map())

export function draftOf(id) {
  const name = key('draft', id)
  if (!drafts.has(name)) drafts.set(name, read(name, { ...EMPTY }))
  return drafts.get(name)
}

export function saveDraft(id, draft) {
  const name = key('draft', id)
  drafts.set(name, draft)
  write(name, draft.text || draft.note ? draft : null)
}

/** Lines that wait for the server, oldest first. After a reload nobody is sending them any more: they come as failed. */
export function keptLines(id) {
  return read(key('unsent', id), []).map((line) => ({
    ...line,
    local: 'failed',
    error: line.error || '页面重新打开过，这一条还没有发出',
  }))
}

export function keepLines(id, lines) {
  write(key('unsent', id), lines.length ? lines : null)
}

export function dropLine(id, clientId) {
  keepLines(id, read(key('unsent', id), []).filter((line) => line.client_message_id !== clientId))
}
