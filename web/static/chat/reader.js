// What has been seen: tells the agent, and counts what has not for the title and for the button on the shop's page.

import * as api from './api.js'
import { newestIncoming } from './store.js'

const SETTLE_MS = 600
const CHECK_EVERY_MS = 60_000

/** shown(): the customer can see the talk. tellUnread(count) is told every change. */
export function createReader({ chat, shown, tellUnread }) {
  const title = document.title
  let unread = 0
  let told = { talk: null, seq: 0 }
  let timer = null

  function count(next) {
    if (next === unread) return
    unread = next
    document.title = unread ? `（${unread} 条新消息）${title}` : title
    tellUnread(unread)
  }

  // 'Read' is of use to people only; the bot does not mind.
  function tell() {
    timer = null
    const talk = chat.current()
    if (!talk || !shown() || talk.data.state !== 'with_agent') return
    const seq = newestIncoming(talk.data)
    if (!seq || (told.talk === talk && told.seq >= seq)) return
    told = { talk, seq }
    // Not told is no harm: the next line tells it again.
    api.read(talk, seq).catch(() => {
      told = { talk: null, seq: 0 }
    })
  }

  // A safety net under the pushes: the last one of a talk has nothing after it that would show it was lost.
  setInterval(() => shown() && chat.current() && chat.catchUp(), CHECK_EVERY_MS)

  return {
    incoming(message) {
      if (!shown() && message.sender !== 'system') count(unread + 1)
    },
    look() {
      if (!shown()) return
      count(0)
      timer ??= setTimeout(tell, SETTLE_MS)
    },
    clear: () => count(0),
  }
}
