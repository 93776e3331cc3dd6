// The talk itself, without any page: who writes, the current conversation (and the ones before it that are still on the
// page), what is known of it, and everything the customer can do. main.js draws whenever on.change() tells it to.

import * as api from './api.js'
import { createOpening } from './opening.js'
import { createOutbox, keepBlob } from './outbox.js'
import { createRealtime } from './realtime.js'
import { createSender } from './sender.js'
import { keepRated, loadTalk, talkKey } from './session.js'
import * as store from './store.js'

const CHECK_AFTER_SAYING_MS = 9000
const OTHER_TAB_MS = 5000
const PROBE_MS = 5000

/** on: change(), typing({ who, on }), tokenRefused(), incoming(message). mayBegin(): false while nobody looks. */
export function createChat({ on, mayBegin }) {
  const chat = {
    identity: null,
    generation: 0,
    talks: [],
    loading: true,
    reachable: navigator.onLine,
    progress: new Map(),
  }
  let outbox = null
  let sender = null
  let realtime = null
  let mode = 'connecting'
  let stateVersion = 0
  let ghosts = []
  let catching = null
  let catchAgain = false
  let checkTimer = null
  let probe = null

  const current = () => chat.talks.at(-1) ?? null
  const { open, renew, follow, reset } = createOpening({ chat, adopt, mayBegin, reach, tokenRefused: on.tokenRefused })

  function start(identity) {
    chat.generation += 1
    sender?.stop()
    realtime?.stop()
    clearTimeout(checkTimer)
    reset()
    realtime = null
    ghosts = []
    Object.assign(chat, { identity, talks: [], loading: true })
    chat.progress.clear()
    outbox = createOutbox(identity.key)
    sender = createSender({
      outbox,
      current,
      renew,
      onTaken: taken,
      onFailed: () => on.change(),
      onProgress: (item, part) => (chat.progress.set(item.client_message_id, part), on.change()),
      onReachable: reach,
    })
    on.change()
    open()
  }

  /** From here on this is the talk; the ones before stay on the page as they are. */
  function adopt({ id, token }, answer) {
    realtime?.stop()
    const talk = { id, token, data: store.emptyTalk() }
    const change = (next) => {
      talk.data = next
      on.change()
    }
    chat.talks.push(talk)
    chat.loading = false
    apply(talk, answer, 0)
    realtime = createRealtime({
      talk,
      cursor: () => talk.data.cursor,
      on: {
        message: (message) => pushed(talk, message),
        state: (state) => {
          stateVersion += 1
          change(store.receiveState(talk.data, state))
        },
        typing: on.typing,
        read: ({ seq }) => change(store.receiveRead(talk.data, seq)),
        list: (listed, after) => apply(talk, listed, after),
        connected: () => (catchUp(), sender.hurry()),
        mode: (next) => ((mode = next), on.change()),
        refused: () => renew(talk),
        reachable: reach,
      },
    })
    sender.flush()
  }

  // --- what comes in ------------------------------------------------------------------------------------------------

  function apply(talk, answer, after, version = stateVersion) {
    const before = talk.data
    talk.data = store.receiveList(talk.data, answer.messages ?? [], after)
    // A state told by the socket while this answer was on its way is newer than the answer.
    if (answer.state && version === stateVersion) talk.data = store.receiveState(talk.data, answer)
    announce(before, talk.data)
    on.change()
  }

  function pushed(talk, message) {
    const before = talk.data
    const { talk: next, gap } = store.receivePush(talk.data, message)
    talk.data = next
    announce(before, next)
    on.change()
    if (gap) catchUp()
  }

  function announce(before, after) {
    if (!before.messages.length) return
    const known = new Set(before.messages.map((message) => message.seq))
    for (const message of after.messages) {
      if (known.has(message.seq) || message.sender === 'customer') continue
      clearTimeout(checkTimer)
      on.incoming(message)
    }
  }

  /** Ask for everything after what is known. One question at a time; asked meanwhile means once more afterwards. */
  async function catchUp() {
    const talk = current()
    if (!talk) return open()
    if (catching === talk) {
      catchAgain = true
      return
    }
    catching = talk
    try {
      do {
        catchAgain = false
        const after = talk.data.cursor
        const version = stateVersion
        const gone = ghosts
        const answer = await api.messages(talk, after)
        if (current() !== talk) return
        reach(true)
        ghosts = ghosts.filter((ghost) => !gone.includes(ghost))
        apply(talk, answer, after, version)
      } while (catchAgain)
    } catch (error) {
      if (current() !== talk) return
      if (error.isNetwork) reach(false)
      if (error.status === 401 || error.status === 404) renew(talk)
    } finally {
      if (catching === talk) catching = null
    }
  }

  function taken(talk, item, seq) {
    talk.data = store.acknowledge(talk.data, item, seq)
    chat.progress.delete(item.client_message_id)
    on.change()
    // Without the socket nobody says that the bot is writing; it always is.
    if (mode === 'polling' && talk.data.state === 'bot') on.typing({ who: 'bot', on: true })
    clearTimeout(checkTimer)
    checkTimer = setTimeout(catchUp, CHECK_AFTER_SAYING_MS)
  }

  function reach(up) {
    if (chat.reachable === up) return
    chat.reachable = up
    on.change()
    clearInterval(probe)
    // The socket may still look alive, or there may be nothing to send: somebody has to notice that it works again.
    if (!up) return void (probe = setInterval(catchUp, PROBE_MS))
    sender?.hurry()
    realtime?.hurry()
  }

  function pendingItems() {
    const items = outbox ? outbox.items() : []
    return [...items, ...ghosts.filter((ghost) => !items.some((i) => i.client_message_id === ghost.client_message_id))]
  }

  // --- what the customer does ---------------------------------------------------------------------------------------

  const afterSeq = () => current()?.data.messages.at(-1)?.seq ?? 0

  async function act(call, body) {
    const talk = current()
    if (!talk) throw new api.ApiError(0, '正在连接客服，请稍后再试')
    try {
      return await call(talk, body)
    } finally {
      // Refused or unanswered too: what the page shows may be out of date.
      catchUp()
    }
  }

  return Object.assign(chat, {
    start,
    open,
    current,
    catchUp,
    data: () => current()?.data ?? store.emptyTalk(),
    mode: () => mode,
    lines: (talk) => store.lines(talk.data, talk === current() ? pendingItems() : []),
    pending: pendingItems,
    say(text) {
      outbox.add('text', text, afterSeq())
      on.change()
      sender.flush()
    },
    async sendImage(file, id) {
      // The bytes first: a line without its picture could not be sent after a reload.
      await keepBlob(id, file)
      outbox.add('image', '[图片]', afterSeq(), id)
      on.change()
      sender.flush()
    },
    drop: (id) => (outbox.remove(id), on.change()),
    handoff: () => act(api.handoff),
    leaveQueue: () => act(api.leaveQueue),
    leaveMessage: (values) => act(api.leaveMessage, values),
    callBack: (values) => act(api.callBack, values),
    close: () => act(api.close),
    async rate(talk, seq, score, comment) {
      await api.rate(talk, { score, ...(comment ? { comment } : {}) })
      keepRated(talk.id, seq, score)
    },
    typing: () => realtime?.typing(),
    /** Awake again, back online, back on the page: ask at once. */
    wake(doubtful = false) {
      realtime?.hurry(doubtful)
      sender?.hurry()
      catchUp()
    },
    wentOffline: () => reach(false),
    /** Another tab has changed the storage. */
    storageChanged({ key, oldValue, newValue }) {
      if (!chat.identity || key === null) return
      if (key === talkKey(chat.identity.key) && current() && loadTalk(chat.identity.key)?.id !== current().id) follow()
      if (!key.startsWith(outbox.prefix)) return
      if (newValue === null) keepGhost(oldValue)
      // The tab that wrote the line sends it; should it be gone, this one does.
      else setTimeout(() => sender.flush(), OTHER_TAB_MS)
      on.change()
    },
  })

  // The other tab has sent the line. It would be gone from here until the server's copy has come, so it stays until then.
  function keepGhost(oldValue) {
    const item = JSON.parse(oldValue ?? 'null')
    if (!item || item.failed) return
    ghosts.push(item)
    catchUp()
  }
}
