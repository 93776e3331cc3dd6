// Tells the customer that somebody is writing: at most every three seconds, and that it has stopped.
import { onBeforeUnmount } from 'vue'
import { sendTyping } from '../realtime.js'

const AGAIN_MS = 3000
const STOP_MS = 4000

export function useTyping(talkId) {
  let sentAt = 0
  let timer = null

  function stop() {
    clearTimeout(timer)
    if (sentAt) sendTyping(talkId, false)
    sentAt = 0
  }
  function typing() {
    clearTimeout(timer)
    timer = setTimeout(stop, STOP_MS)
    if (Date.now() - sentAt < AGAIN_MS) return
    sentAt = Date.now()
    sendTyping(talkId, true)
  }
  onBeforeUnmount(stop)
  return { typing, stop }
}
