// Brings the socket and the stores together, from sign-in to sign-out.
import { ref, watch } from 'vue'
import { api } from '../api.js'
import { customerName } from '../lib/format.js'
import { beep } from '../lib/sound.js'
import { toast } from '../lib/toast.js'
import { connect, disconnect, hurry } from '../realtime.js'
import { isTaking, leave } from './actions.js'
import { applyPresence, loadReasons, loadReplies } from './directory.js'
import { countUnread, isMine, lists, refreshList, resetLists, setQueue } from './lists.js'
import { currentToken, endSession, refreshMe, session } from './session.js'
import { customerHasRead, loadTalk, markRead, receive, resetTalks, setTyping, syncTalk, talks } from './talks.js'
import { resetUi, ui } from './ui.js'

/** People who began to wait while the page was hidden; counted in the title. */
export const arrivedHidden = ref(0)

let refreshing = null
let stops = []

/** Fetch everything that may have been missed. Asked for again while it runs, it runs once more afterwards. */
export function refreshAll() {
  refreshing = (refreshing || Promise.resolve()).catch(() => {}).then(async () => {
    if (!session.agent) return
    await Promise.all([refreshMe().catch(() => {}), refreshList('queued'), refreshMine()])
    const id = ui.activeId
    if (id) await (talks[id]?.loaded ? syncTalk(id) : loadTalk(id))
    for (const other of Object.keys(talks)) if (other !== id && isMine(other)) syncTalk(other)
    await countUnread(id)
  })
  return refreshing
}

async function refreshMine() {
  const firstTime = !lists.mine.loaded
  const before = lists.mine.items.map((item) => item.id)
  await refreshList('mine')
  if (!firstTime && !isTaking()) announce(lists.mine.items.filter((item) => !before.includes(item.id)))
  // Gone without our doing: the customer left, a supervisor moved it, time ran out.
  for (const id of before) {
    if (isMine(id)) continue
    // Keep the one that is being looked at on the page, as a talk that can only be read.
    if (id === ui.activeId) {
      ui.dialog = null
      loadTalk(id)
    } else leave(id)
  }
}

// Talks that were given to me: by the routing, by a colleague, by a supervisor.
function announce(given) {
  if (!given.length) return
  for (const item of given) toast.info(`新会话：${customerName(item)} 已分配给您。`)
  if (ui.sound) beep('queue')
  countUnread(ui.activeId)
}

let mineTimer = null
function refreshMineSoon() {
  clearTimeout(mineTimer)
  mineTimer = setTimeout(refreshMine, 150)
}

const itIsMe = (agent) =>
  Boolean(agent) && (agent.id ? agent.id === session.agent.id : [session.agent.display_name, session.agent.name].includes(agent.name))

function onQueue({ conversations, waiting }) {
  const known = new Set(lists.queued.items.map((item) => item.id))
  const arrived = conversations.filter((item) => !known.has(item.id)).length
  const firstTime = !lists.queued.loaded
  setQueue(conversations, waiting)
  if (!arrived || firstTime) return
  if (document.hidden) arrivedHidden.value += arrived
  const working = ['online', 'busy'].includes(session.agent?.presence)
  if (ui.sound && working) beep('queue')
}

function onState({ conversation_id: id, state, agent }) {
  if (isMine(id) && (state === 'closed' || (agent && !itIsMe(agent)))) {
    if (id === ui.activeId && state === 'closed') toast.info('这个会话已经结束。')
    refreshMineSoon()
  } else if (!isMine(id) && itIsMe(agent) && state !== 'closed') refreshMineSoon()
  else if (isMine(id)) refreshMineSoon()
}

const handlers = {
  onConnect() {
    ui.connection = 'online'
    refreshAll()
  },
  onDisconnect() {
    ui.connection = 'reconnecting'
  },
  // A token that is no good any more gives a 401 here, and that leads back to the sign-in page.
  onRefused: () => api.me().catch(() => {}),
  message(message) {
    const unseen = receive(message.conversation_id, message)
    if (unseen && ui.sound) beep('message')
  },
  state: onState,
  typing: ({ conversation_id, who, on }) => who === 'customer' && setTyping(conversation_id, on),
  read: ({ conversation_id, seq }) => customerHasRead(conversation_id, seq),
  queue: onQueue,
  presence(change) {
    applyPresence(change)
    if (session.agent && change.agent_id === session.agent.id) {
      session.agent.presence = change.state
      session.agent.load = change.load
    }
  },
  session_ended: () => endSession('您的账号已在别处登录或退出，请重新登录。您写到一半的内容都还在。'),
}

function onVisible() {
  if (document.hidden) return
  arrivedHidden.value = 0
  hurry()
  if (ui.activeId) markRead(ui.activeId)
}

export function retryNow() {
  hurry()
  refreshAll()
}

export function startLive() {
  connect(currentToken(), handlers)
  // The page fills by HTTP without waiting for the socket; the connect asks again, which closes the gap in between.
  refreshAll()
  loadReplies()
  loadReasons()
  document.addEventListener('visibilitychange', onVisible)
  window.addEventListener('online', hurry)
  stops = [
    () => document.removeEventListener('visibilitychange', onVisible),
    () => window.removeEventListener('online', hurry),
    watch(() => ui.activeId, (id) => id && markRead(id)),
  ]
}

export function stopLive() {
  disconnect()
  clearTimeout(mineTimer)
  stops.forEach((stop) => stop())
  stops = []
  refreshing = null
  arrivedHidden.value = 0
  resetTalks()
  resetLists()
  resetUi()
}
