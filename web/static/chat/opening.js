// How a talk begins: the stored one is taken up, otherwise a new one is begun; and a new one takes the place of a talk
// that is gone. Tabs agree through the storage: whoever holds the lock begins, the others take up what it has kept.

import * as api from './api.js'
import * as sessions from './session.js'
import { withLock } from './storage.js'

const LONGEST_DELAY_MS = 20_000
const FRESH_MS = 5000

/**
 * chat: { identity, generation, talks }; generation grows with every change of identity, and what was under way for the
 * one before is dropped. adopt(talk, answer): this is the talk now.
 */
export function createOpening({ chat, adopt, mayBegin, reach, tokenRefused }) {
  let opening = null
  let timer = null
  let delay = 1000

  const current = () => chat.talks.at(-1) ?? null
  const locked = (work) => withLock(`zhike-talk:${chat.identity.key}`, work)
  const tokenBad = (error) => (error.status === 401 || error.status === 403) && chat.identity.token

  /** Keeps trying while the server cannot be reached. */
  async function open() {
    const mine = chat.generation
    if (opening === mine || current()) return
    opening = mine
    clearTimeout(timer)
    try {
      await locked(() => resumeOrBegin(null))
      if (mine === chat.generation) reach(true)
    } catch (error) {
      if (mine !== chat.generation) return
      if (error.isNetwork) reach(false)
      if (tokenBad(error)) return tokenRefused()
      timer = setTimeout(open, (error.retryAfter ?? 0) * 1000 || delay)
      delay = Math.min(delay * 2, LONGEST_DELAY_MS)
    } finally {
      if (opening === mine) opening = null
    }
  }

  /** `gone`: the talk that is of no use any more; another tab may have begun its successor already. */
  async function resumeOrBegin(gone) {
    const mine = chat.generation
    if (current() !== gone) return
    const { key, token } = chat.identity
    const kept = sessions.loadTalk(key)
    if (kept && kept.id !== gone?.id) {
      try {
        const answer = await api.messages(kept, 0)
        if (mine === chat.generation) adopt(kept, answer)
        return
      } catch (error) {
        if (error.status !== 401 && error.status !== 404) throw error
      }
    }
    if (!gone && !mayBegin()) return
    const begun = await api.begin(sessions.visitorId(), token)
    if (mine !== chat.generation) return
    sessions.keepTalk(key, begun)
    adopt(begun, begun)
  }

  /** The talk is gone (401, 404) or over (409): true when there is another one now. */
  async function renew(talk) {
    const mine = chat.generation
    if (current() !== talk) return current() !== null
    // A new talk that is refused at once as well would be refused for ever.
    if (talk.begunAt && Date.now() - talk.begunAt < FRESH_MS) return false
    try {
      await locked(() => resumeOrBegin(talk))
    } catch (error) {
      if (mine !== chat.generation) return false
      if (error.isNetwork) reach(false)
      if (tokenBad(error)) tokenRefused()
      return false
    }
    if (mine !== chat.generation || current() === talk) return false
    current().begunAt = Date.now()
    return true
  }

  return {
    open,
    renew,
    /** Another tab has begun a new talk. */
    follow: () => locked(() => resumeOrBegin(current())).catch(() => {}),
    reset() {
      clearTimeout(timer)
      delay = 1000
    },
  }
}
