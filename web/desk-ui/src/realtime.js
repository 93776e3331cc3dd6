// The socket: only a hurry-up. It says that something is new; after every (re)connect the stores ask the server by HTTP
// for what they missed, so nothing depends on a push having arrived.
import { io } from 'socket.io-client'

const RETRY_REFUSED_MS = 4000

let socket = null
let retry = null

/**
 * handlers: { message, state, typing, read, queue, presence, mention, session_ended } by event name, and
 * onConnect(), onDisconnect(), onRefused() for the connection itself.
 */
export function connect(token, handlers) {
  disconnect()
  const { onConnect, onDisconnect, onRefused, ...events } = handlers
  const current = io('/desk', {
    path: '/socket.io',
    transports: ['websocket'],
    auth: { token },
    reconnectionDelay: 800,
    reconnectionDelayMax: 8000,
    // A connection of its own: the manager must not outlive a sign-out.
    forceNew: true,
  })
  socket = current

  const tryAgainLater = () => {
    clearTimeout(retry)
    retry = setTimeout(() => socket === current && current.connect(), RETRY_REFUSED_MS)
  }
  current.on('connect', onConnect)
  current.on('disconnect', (reason) => {
    onDisconnect()
    // The library does not come back by itself when it was the server that hung up (a restart, say).
    if (reason === 'io server disconnect') tryAgainLater()
  })
  current.on('connect_error', () => {
    onDisconnect()
    // Not active = refused, not unreachable: perhaps the token is no longer good. HTTP will tell.
    if (!current.active) {
      onRefused()
      tryAgainLater()
    }
  })
  for (const [event, handler] of Object.entries(events)) current.on(event, handler)
}

export function disconnect() {
  clearTimeout(retry)
  if (!socket) return
  socket.removeAllListeners()
  socket.disconnect()
  socket = null
}

/**
 * Try at once instead of waiting for the next turn (the page is looked at again, the agent asked). anew: also when it
 * still looks connected (the computer woke up, the network is another one).
 */
export function hurry({ anew = false } = {}) {
  if (socket && (anew || !socket.connected)) socket.disconnect().connect()
}

export function sendTyping(conversationId, on) {
  // volatile: a typing mark that could not be sent now is worth nothing later.
  socket?.volatile.emit('typing', { conversation_id: conversationId, on })
}

/** Also be told what happens in a talk that is not one's own. Forgotten by the server when the connection ends. */
export function watchTalk(conversationId, on) {
  socket?.emit('watch', { conversation_id: conversationId, on })
}
