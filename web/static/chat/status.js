// The head of the page and the strip of the connection under it: who answers, and whether we can be reached.

import { $, h, icon } from './dom.js'
import { initial } from './format.js'
import { waitingSubtitle } from './waiting.js'

// A hole that closes by itself at once is not worth a fright.
const OFFLINE_AFTER_MS = 1500

export function createStatus({ botName, shopName }) {
  const title = $('title')
  const subtitle = $('subtitle')
  const mark = $('head-avatar')
  let shown = ''
  let offlineTimer = null

  function head(name, below, avatar, kind) {
    const now = `${name}|${below}|${kind}`
    if (now === shown) return
    shown = now
    title.replaceChildren(kind === 'agent' ? h('span', { 'data-testid': 'agent-name', text: name }) : name)
    subtitle.textContent = below
    mark.className = `avatar ${kind}`
    mark.replaceChildren(avatar)
  }

  function tellOffline(on) {
    $('connection').classList.toggle('shown', on)
    $('connection-text').textContent = on ? '网络断开，正在重连… 您写的话恢复后会自动发出' : ''
  }

  function connection(offline, mode) {
    $('connection').dataset.state = offline ? 'offline' : mode
    if (offline === (offlineTimer !== null)) return
    clearTimeout(offlineTimer)
    offlineTimer = offline ? setTimeout(tellOffline, OFFLINE_AFTER_MS, true) : null
    if (!offline) tellOffline(false)
  }

  return {
    render({ state, queue, agent }, { offline, mode, hasTalk }) {
      document.body.dataset.state = state
      if (state === 'with_agent') head(agent?.name || '客服同事', '人工客服为您服务', initial(agent?.name), 'agent')
      else
        head(
          `${botName} · 智能客服`,
          state === 'queued' ? waitingSubtitle(queue) : `${shopName} · 24 小时在线`,
          icon('bot'),
          'bot',
        )
      $('closed').hidden = state !== 'closed'
      connection(offline, hasTalk ? mode : 'connecting')
    },
  }
}
