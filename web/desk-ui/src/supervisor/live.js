// The socket of the page: hurries up what is asked for anyway, and brings the lines of the talk that is listened to.
import { reactive } from 'vue'
import { api } from '../api.js'
import { connect, disconnect, watchTalk } from '../realtime.js'
import { currentToken, endSession } from '../stores/session.js'
import { refreshBoard } from './board.js'
import { refreshTalks } from './talks.js'

export const live = reactive({ connected: false })

/** { id, message(Message), state(), connected() }: the talk that is open beside the list. */
let followed = null

function hurry() {
  refreshBoard()
  refreshTalks()
}

const handlers = {
  onConnect() {
    live.connected = true
    hurry()
    if (!followed) return
    watchTalk(followed.id, true)
    followed.connected()
  },
  onDisconnect() {
    live.connected = false
  },
  // A token that is no good any more gives a 401 here, and that leads back to the sign-in page.
  onRefused: () => api.me().catch(() => {}),
  message: (message) => followed?.id === message.conversation_id && followed.message(message),
  state(change) {
    hurry()
    if (followed?.id === change.conversation_id) followed.state()
  },
  queue: hurry,
  presence: hurry,
  session_ended: () => endSession('您的账号已在别处登录或退出，请重新登录。'),
}

export const startLive = () => connect(currentToken(), handlers)

export function stopLive() {
  disconnect()
  live.connected = false
}

/** Listen in on a talk; the answer ends it. */
export function follow(listener) {
  followed = listener
  watchTalk(listener.id, true)
  return () => {
    watchTalk(listener.id, false)
    if (followed === listener) followed = null
  }
}
