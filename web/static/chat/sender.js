// Empties the outbox: one line at a time and in the order written, so that seq follows the order of writing. A line is
// sent again with the same id until the server has said yes or a plain no.

import * as api from './api.js'
import { loadBlob } from './outbox.js'
import { withLock } from './storage.js'

const FIRST_DELAY_MS = 1000
const LONGEST_DELAY_MS = 30_000
const DEFAULT_RETRY_AFTER_S = 3

/**
 * current(): the talk to send to, or null while there is none. renew(talk): begin another one because this one is gone;
 * true when there is one now. onTaken(talk, item, seq), onFailed(item), onProgress(item, 0…1), onReachable(boolean).
 */
export function createSender({ outbox, current, renew, onTaken, onFailed, onProgress, onReachable }) {
  let running = false
  let again = false
  let stopped = false
  let timer = null
  let delay = FIRST_DELAY_MS
  let notBefore = 0

  async function flush() {
    if (running) {
      again = true
      return
    }
    running = true
    clearTimeout(timer)
    let wait
    try {
      do {
        again = false
        const held = notBefore - Date.now()
        wait = held > 0 ? held : await withLock(`zhike-send:${outbox.prefix}`, drain)
      } while (again && wait === null)
    } catch {
      wait = LONGEST_DELAY_MS
    } finally {
      running = false
    }
    if (wait !== null && !stopped) timer = setTimeout(flush, wait)
  }

  /** Sends until nothing is left (null) or until it has to wait (milliseconds). */
  async function drain() {
    for (;;) {
      const item = outbox.next()
      const talk = current()
      if (stopped || !item || !talk) return null
      try {
        const { seq } = await send(talk, item)
        delay = FIRST_DELAY_MS
        onReachable(true)
        // Shown as taken before it leaves the outbox: between the two it would be nowhere.
        onTaken(talk, item, seq)
        outbox.remove(item.client_message_id)
      } catch (error) {
        const wait = await settle(error, item, talk)
        if (wait !== null) return wait
      }
    }
  }

  async function send(talk, item) {
    if (item.kind !== 'image') return api.say(talk, item.client_message_id, item.text)
    const file = await loadBlob(item.client_message_id)
    if (!file) throw new api.ApiError(410, '这张图片没能保存下来，请重新选择')
    return api.sendImage(talk, item.client_message_id, file, (part) => onProgress(item, part))
  }

  /** null: go on with the next line (or this one, anew); otherwise how long to wait first. */
  async function settle(error, item, talk) {
    const status = error instanceof api.ApiError ? error.status : 0
    onReachable(status !== 0 && !error.isNetwork)
    if (status === 429) {
      const wait = Math.max(0.5, error.retryAfter ?? DEFAULT_RETRY_AFTER_S) * 1000
      notBefore = Date.now() + wait
      return wait
    }
    if (status === 401 || status === 404 || status === 409) {
      // Gone or ended: the line goes into a new talk. If that fails too it is not the talk's fault; wait.
      return (await renew(talk)) ? null : backoff()
    }
    if (status === 0 || status === 408 || status === 425 || status >= 500) return backoff()
    outbox.fail(item, error.detail)
    onFailed(item)
    return null
  }

  function backoff() {
    const wait = delay
    delay = Math.min(delay * 2, LONGEST_DELAY_MS)
    return wait
  }

  return {
    flush,
    /** The network is back: do not sit out a long pause. */
    hurry() {
      delay = FIRST_DELAY_MS
      flush()
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
