// Brings the socket and the stores together, from sign-in to sign-out.
import { ref, watch } from 'vue'
import { api } from '../api.js'
import { now } from '../composables/useClock.js'
import { customerName } from '../lib/format.js'
import { beep } from '../lib/sound.js'
import { joinTabs, leaveTabs } from '../lib/tabs.js'
import { toast } from '../lib/toast.js'
import { connect, disconnect, hurry, watchTalk } from '../realtime.js'
import { isTaking, leave } from './actions.js'
import { resetChannels } from './channel.js'
import { applyPresence, loadReasons, loadReplies } from './directory.js'
import { resetHistories } from './history.js'
import { countUnread, isMentioned, isMine, lists, newTalks, refreshList, resetLists, setQueue } from './lists.js'
import { resetPictures } from './pictures.js'
import { currentToken, endSession, refreshMe, session } from './session.js'
import { customerHasRead, loadTalk, markRead, receive, resetTalks, setTyping, syncTalk, talks } from './talks.js'
import { refreshTasks, resetTasks } from './tasks.js'
import { resetUi, ui } from './ui.js'

/** People who began to wait while the page was hidden; counted in the title. */
export const arrivedHidden = ref(0)

let refreshing = null
let stops = []

/** Fetch everything that may have been missed. Asked for again while it runs, it runs once more afterwards. */
export function refreshAll() {
  refreshing = (refreshing || Promise.resolve()).catch(() => {}).then(async () => {
    if (!session.agent) return
    refreshTasks()
    await Promise.all([refreshMe().catch(() => {}), refreshList('queued'), refreshList('mentioned'), refreshMine()])
    const id = ui.activeId
    if (id) await (talks[id]?.loaded ? syncTalk(id) : loadTalk(id))
    for (const other of Object.keys(talks)) if (other !== id && (isMine(other) || isMentioned(other))) syncTalk(other)
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
      await loadTalk(id)
      if (talks[id]?.conversation?.state === 'closed') toast.info('这个会话已经结束。')
    } else leave(id)
  }
}

// Talks that were given to me: by the routing, by a colleague, by a supervisor.
function announce(given) {
  if (!given.length) return
  if (ui.sound) beep('queue')
  countUnread(ui.activeId)
}

// A talk given to me rings until I turn to it, else it goes back after a minute and I am set away.
const RING_EVERY_MS = 15_000
const ring = () => newTalks.value.length && ui.sound && beep('queue')

// What was put off comes back by itself when its time is over; the agent hears of it. Talk → time.
const backAt = new Map()
const CLOSE_MS = 2_000
function tellBack() {
  for (const item of lists.mine.items) {
    const until = Date.parse(item.snoozed_until || '')
    if (until > now.value) backAt.set(item.id, until)
    else if (backAt.has(item.id)) {
      // Ended earlier, it was by the agent's hand or by the customer's line: both are known already.
      const byTime = backAt.get(item.id) < now.value + CLOSE_MS
      backAt.delete(item.id)
      if (!byTime) continue
      toast.info(`${customerName(item)} 的会话到时间了，请继续跟进。`)
      if (ui.sound) beep('message')
    }
  }
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
  if (isMine(id) || (itIsMe(agent) && state !== 'closed')) refreshMineSoon()
  if (isMentioned(id)) refreshList('mentioned')
}

async function onMention({ conversation_id: id, by, text }) {
  await refreshList('mentioned')
  if (ui.sound) beep('message')
  if (id !== ui.activeId) toast.info(`${by} 请您看看：${text}`)
}

// A talk I was asked about is not mine: the server pushes it only while I look at it. Asked anew after each connect.
function watchAsked([id, connection], [before] = []) {
  if (connection !== 'online') return
  if (before && before !== id) watchTalk(before, false)
  if (id) watchTalk(id, true)
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
      // Why I am away, by my own hand or not, is only told there.
      if (change.state === 'away') refreshMe().catch(() => {})
      else session.agent.away_because = ''
    }
  },
  mention: onMention,
  session_ended: () => endSession('您的账号已在别处登录或退出，请重新登录。您写到一半的内容都还在。'),
}

function onVisible() {
  if (document.hidden) return
  arrivedHidden.value = 0
  hurry()
  refreshMineSoon()
  if (ui.activeId) markRead(ui.activeId)
}

// A computer that slept takes its connection for alive until the next ping fails: a jump of the clock tells sooner.
// Browsers let a hidden page tick once a minute; that is not sleep.
const TICK_MS = 5_000
const SLEPT_MS = 90_000
const TASKS_EVERY_MS = 60_000
let polling = null
const poll = () => (polling ||= refreshAll().finally(() => (polling = null)))
let tickedAt = 0
let tasksAt = 0
function tick() {
  const at = Date.now()
  if (at - tickedAt > SLEPT_MS) retryNow()
  // Without pushes (a proxy in between, say) the work goes on, only slower.
  else if (ui.connection !== 'online') poll()
  tickedAt = at
  if (at - tasksAt > TASKS_EVERY_MS) {
    tasksAt = at
    refreshTasks()
  }
}

const every = (milliseconds, what) => {
  const timer = setInterval(what, milliseconds)
  return () => clearInterval(timer)
}

export function retryNow() {
  hurry({ anew: true })
  refreshAll()
}

export function startLive() {
  connect(currentToken(), handlers)
  joinTabs(session.agent.id, refreshMineSoon)
  tickedAt = tasksAt = Date.now()
  // The page fills by HTTP without waiting for the socket; the connect asks again, which closes the gap in between.
  refreshAll()
  loadReplies()
  loadReasons()
  document.addEventListener('visibilitychange', onVisible)
  window.addEventListener('online', retryNow)
  stops = [
    () => document.removeEventListener('visibilitychange', onVisible),
    () => window.removeEventListener('online', retryNow),
    watch(() => ui.activeId, (id) => id && markRead(id)),
    watch(() => [isMentioned(ui.activeId) ? ui.activeId : null, ui.connection], watchAsked),
    watch(now, tellBack),
    every(RING_EVERY_MS, ring),
    every(TICK_MS, tick),
    leaveTabs,
  ]
}

export function stopLive() {
  disconnect()
  clearTimeout(mineTimer)
  stops.forEach((stop) => stop())
  stops = []
  refreshing = null
  arrivedHidden.value = 0
  backAt.clear()
  resetTalks()
  resetChannels()
  resetHistories()
  resetPictures()
  resetLists()
  resetTasks()
  resetUi()
}
