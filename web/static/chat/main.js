// Puts the page together: identity → talk → what is seen.

import { createChat } from './chat.js'
import { createComposer } from './composer.js'
import { createDemo, renewDemo } from './demo.js'
import { anyDialogOpen, confirmed, openImage } from './dialogs.js'
import { $, icon, toast } from './dom.js'
import { createEmbed } from './embed.js'
import { createFollowUp } from './followup.js'
import { initial } from './format.js'
import { createLog } from './log.js'
import { loadBlob } from './outbox.js'
import { createReader } from './reader.js'
import * as sessions from './session.js'
import { newId } from './storage.js'
import * as store from './store.js'
import { createStatus } from './status.js'
import { followViewport } from './viewport.js'
import { createWaiting } from './waiting.js'

const config = JSON.parse($('config').textContent)
// The server hangs up on who has been silent for that long; a phone in a pocket hears nothing of it.
const ASLEEP_MS = 40_000
const previews = new Map()
let demo = null
let embed = null
let triedRenewing = false

const chat = createChat({
  on: {
    change: scheduleDraw,
    typing: ({ who, on }) => {
      if (on && !store.mayType(chat.data(), who)) return
      const name = who === 'agent' ? chat.data().agent?.name || '客服' : config.bot_name
      log.showTyping(Boolean(on), who, name, who === 'agent' ? initial(name) : icon('bot'))
    },
    tokenRefused,
    incoming: (message) => {
      if (message.sender !== 'system') log.showTyping(false)
      reader.incoming(message)
    },
  },
  // On a shop's page the talk begins when the customer opens the window, not on every page looked at.
  mayBegin: () => !embed || embed.visible() || window.parent === window,
})

const log = createLog({
  scroller: $('log'),
  list: $('lines'),
  pill: $('pill'),
  typing: $('typing'),
  ctx: ({ talk, line }) => ({
    botName: config.bot_name,
    say,
    rated: () => sessions.rated(talk.id, line.seq),
    rate: (_, score, comment) => chat.rate(talk, line.seq, score, comment),
    edit: (failed) => {
      chat.drop(failed.client_message_id)
      composer.fill([failed.text, composer.text()].filter(Boolean).join('\n'))
      sessions.keepDraft(chat.identity.key, composer.text())
      $('composer').focus()
    },
    drop: (failed) => chat.drop(failed.client_message_id),
    openImage,
    preview: (id) => previews.get(id),
    loadPreview: async (id) => {
      const blob = await loadBlob(id)
      if (blob) previews.set(id, URL.createObjectURL(blob))
      return previews.get(id)
    },
  }),
})

const composer = createComposer({
  say,
  image: (file) => {
    const id = newId()
    previews.set(id, URL.createObjectURL(file))
    return chat.sendImage(file, id)
  },
  typing: () => chat.data().state !== 'closed' && chat.typing(),
  handoff: () => attempt(chat.handoff),
  close: () => attempt(chat.close),
  draft: (text) => chat.identity && sessions.keepDraft(chat.identity.key, text),
})

const status = createStatus({ botName: config.bot_name, shopName: config.shop_name })
const reader = createReader({ chat, shown, tellUnread: (count) => embed?.unread(count) })

const followUp = createFollowUp({
  send: (kind, values) => (kind === 'message' ? chat.leaveMessage(values) : chat.callBack(values)),
  draft: (kind) => sessions.followUpDraft(chat.identity.key, kind),
  keepDraft: (kind, values) => sessions.keepFollowUpDraft(chat.identity.key, kind, values),
  // The focus goes back to the button that opened it, which may be gone with the queue.
  closed: () => document.activeElement === document.body && composer.focus(),
})

const waiting = createWaiting({
  message: () => followUp.open('message'),
  callBack: () => followUp.open('callback'),
  leave: leaveQueue,
})

async function leaveQueue() {
  const sure = await confirmed({
    title: '不等了吗？',
    text: '之后由智能客服接着为您服务，您随时可以再转人工。',
    yes: '不等了',
    no: '继续等',
  })
  if (sure) attempt(chat.leaveQueue)
}

function say(text) {
  chat.say(text)
  composer.focus()
}

async function attempt(action) {
  try {
    await action()
  } catch (error) {
    toast(error.detail || '没有成功，请稍后再试')
  }
}

// --- drawing: at most once per frame, whatever has happened -----------------------------------------------------------

let scheduled = false

function scheduleDraw() {
  if (scheduled) return
  scheduled = true
  // A timer, not a frame: a hidden tab gets no frames, but its title and its unread count must go on.
  setTimeout(() => {
    scheduled = false
    draw()
  }, 0)
}

function draw() {
  const data = chat.data()
  const rows = []
  for (const [index, talk] of chat.talks.entries()) {
    const past = index < chat.talks.length - 1
    if (index > 0) rows.push({ type: 'divider', key: `${talk.id}/divider`, text: '以下是新的会话' })
    for (const row of store.rows(chat.lines(talk), past ? { ...talk.data, state: 'closed' } : talk.data)) {
      const progress = chat.progress.get(row.line?.client_message_id)
      const rated = row.line?.kind === 'rating' ? sessions.rated(talk.id, row.line.seq) : null
      rows.push({ ...row, key: `${talk.id}/${row.key}`, talk, progress, rated })
    }
  }
  if (!chat.talks.length) {
    // Not connected yet, but what is written must be seen: it is kept and will be sent.
    const unsent = store.lines(store.emptyTalk(), chat.pending())
    for (const row of store.rows(unsent, store.emptyTalk()))
      rows.push({ ...row, key: `new/${row.key}`, talk: { id: '' } })
  }
  $('skeleton').hidden = !chat.loading || rows.length > 0
  $('log').setAttribute('aria-busy', String(chat.loading))
  log.render(rows)
  status.render(data, { offline: !chat.reachable, mode: chat.mode(), hasTalk: chat.talks.length > 0 })
  waiting.render(data)
  followUp.render(data)
  composer.placeholder(
    data.state === 'closed' ? '直接输入即可继续' : data.state === 'with_agent' ? '输入消息…' : '请描述您的问题…',
  )
  composer.allow({
    handoff: data.state === 'bot' || data.state === 'closed',
    end: chat.talks.length > 0 && data.state !== 'closed',
  })
  if (!store.mayType(data, log.whoTypes())) log.showTyping(false)
  reader.look()
}

// --- who writes -------------------------------------------------------------------------------------------------------

function begin(identity) {
  if (chat.identity?.key === identity.key && chat.identity.token === identity.token) return
  if (chat.identity) sessions.keepDraft(chat.identity.key, composer.text())
  followUp.close()
  log.clear()
  chat.start(identity)
  composer.fill(sessions.draft(identity.key))
  reader.clear()
  if (embed?.visible()) composer.focus()
}

/** The customer's token is no longer good: fetch another, or go on as a guest. Better a talk without name than none. */
async function tokenRefused() {
  if (demo && !triedRenewing) {
    triedRenewing = true
    const identity = await renewDemo()
    demo.render()
    return begin(identity)
  }
  if (demo) sessions.keepDemo(null)
  demo?.render()
  begin(sessions.GUEST)
}

function shown() {
  return document.visibilityState === 'visible' && (!embed || embed.visible() || window.parent === window)
}

// --- the outside world ------------------------------------------------------------------------------------------------

let hiddenAt = 0

/** doubtful: the socket may be dead without knowing it. */
function wake(doubtful) {
  if (document.visibilityState !== 'visible' || !chat.identity) return
  chat.wake(doubtful)
  reader.look()
}

document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'hidden') hiddenAt = Date.now()
  else wake(Date.now() - hiddenAt > ASLEEP_MS)
})
window.addEventListener('pageshow', (event) => event.persisted && wake(true))
window.addEventListener('online', () => wake(true))
window.addEventListener('offline', () => chat.wentOffline())
window.addEventListener('storage', (event) => {
  if (event.key === sessions.DEMO && demo) {
    demo.render()
    begin(sessions.demoIdentity())
  } else if (event.key?.startsWith(sessions.RATED)) scheduleDraw()
  else chat.storageChanged(event)
})

for (const topic of document.querySelectorAll('[data-say]'))
  topic.addEventListener('click', () => say(topic.dataset.say))

followViewport()

if (config.embedded) {
  embed = createEmbed({
    onToken: (token) => begin(sessions.tokenIdentity(token)),
    onVisible: (visible) => {
      if (!chat.identity) return
      if (visible) {
        chat.wake()
        composer.focus()
      }
      reader.look()
    },
  })
  $('close-window').addEventListener('click', embed.close)
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !event.defaultPrevented && !anyDialogOpen() && !composer.closePanel()) embed.close()
  })
  embed.ready()
  // A page that holds us without widget.js gives no token; the customer is a guest then.
  if (window.parent === window) begin(sessions.GUEST)
  else setTimeout(() => chat.identity ?? begin(sessions.GUEST), 1500)
} else {
  if (config.demo) demo = createDemo({ changed: begin })
  begin(config.demo ? sessions.demoIdentity() : sessions.GUEST)
}
