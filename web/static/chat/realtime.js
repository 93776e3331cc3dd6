// How news arrive: the socket, and a long poll while the socket is not there. Both only hurry things up; what is shown
// comes from merging by seq (store.js), so it does no harm when both bring the same line.

import { io } from '../vendor/socket.io.esm.min.js'
import * as api from './api.js'

const POLL_WAIT_S = 25
const GRACE_MS = 2500
const REFUSED_MS = 5000

/**
 * talk {id, token}; cursor(): the seq to go on from. on: { message, state, typing, read } of the socket,
 * list(answer, after) of the poll, connected(), mode('live'|'polling'|'connecting'), refused(error), reachable(boolean).
 */
export function createRealtime({ talk, cursor, on }) {
  let stopped = false
  let polling = null
  let graceTimer = null
  let retryTimer = null

  const socket = io('/chat', {
    path: '/socket.io',
    transports: ['websocket'],
    auth: (give) => give({ token: talk.token, after: cursor() }),
    reconnectionDelay: 800,
    reconnectionDelayMax: 15_000,
    timeout: 8000,
    forceNew: true,
  })

  socket.on('connect', () => {
    clearTimeout(graceTimer)
    graceTimer = null
    stopPoll()
    on.mode('live')
    on.reachable(true)
    on.connected()
  })
  socket.on('disconnect', (reason) => {
    if (stopped) return
    fallBack()
    // The library stays away when it was the server that hung up (a restart, say).
    if (reason === 'io server disconnect') tryAgainLater()
  })
  socket.on('connect_error', () => {
    if (stopped) return
    fallBack()
    // Not active: refused rather than unreachable. HTTP will tell whether the token is still good.
    if (!socket.active) tryAgainLater()
  })
  for (const event of ['message', 'state', 'typing', 'read']) socket.on(event, on[event])

  function tryAgainLater() {
    clearTimeout(retryTimer)
    retryTimer = setTimeout(() => !stopped && socket.connect(), REFUSED_MS)
  }

  // A short hole is closed by the reconnect itself; only a longer one is worth a poll.
  function fallBack() {
    if (polling || graceTimer || stopped) return
    on.mode('connecting')
    graceTimer = setTimeout(() => {
      graceTimer = null
      if (!stopped && !socket.connected) poll()
    }, GRACE_MS)
  }

  async function poll() {
    const abort = new AbortController()
    polling = abort
    on.mode('polling')
    let delay = 1000
    while (!abort.signal.aborted) {
      const after = cursor()
      const began = Date.now()
      try {
        const answer = await api.messages(talk, after, { wait: POLL_WAIT_S, signal: abort.signal })
        if (abort.signal.aborted) return
        on.reachable(true)
        on.list(answer, after)
        delay = 1000
        // A server (or proxy) that answers at once instead of waiting must not be asked in a loop.
        if (!answer.messages?.length && Date.now() - began < 1000) await pause(1000, abort.signal)
      } catch (error) {
        if (abort.signal.aborted) return
        if (error.isNetwork) on.reachable(false)
        if (error.status === 401 || error.status === 404) return on.refused(error)
        await pause((error.retryAfter ?? 0) * 1000 || delay, abort.signal)
        delay = Math.min(delay * 2, 15_000)
      }
    }
  }

  function stopPoll() {
    polling?.abort()
    polling = null
  }

  fallBack()

  return {
    get live() {
      return socket.connected
    },
    typing() {
      // volatile: a typing mark that could not be sent now is worth nothing later.
      if (socket.connected) socket.volatile.emit('typing', { on: true })
    },
    /**
     * The device woke up or the network is back: do not sit out the pause. doubtful: away for so long that the other side
     * may have hung up without our noticing.
     */
    hurry(doubtful) {
      if (!stopped && (doubtful || !socket.connected)) socket.disconnect().connect()
    },
    stop() {
      stopped = true
      clearTimeout(graceTimer)
      clearTimeout(retryTimer)
      stopPoll()
      socket.removeAllListeners()
      socket.disconnect()
    },
  }
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
}
