// The head of the page and the strips under it: who answers, the place in the queue, the connection.

import { $, h, icon } from './dom.js'
import { initial, waitText } from './format.js'

export function queueText(queue) {
  if (!queue?.position) return '正在为您联系客服同事'
  const wait = waitText(queue.estimated_wait_seconds)
  if (!wait) return `您排在第 ${queue.position} 位，正在为您联系客服同事`
  return `您排在第 ${queue.position} 位，预计等待${wait}`
}

export function createStatus({ botName, shopName }) {
  const title = $('title')
  const subtitle = $('subtitle')
  const mark = $('head-avatar')
  let shown = ''

  function head(name, below, avatar, kind) {
    const now = `${name}|${below}|${kind}`
    if (now === shown) return
    shown = now
    title.replaceChildren(kind === 'agent' ? h('span', { 'data-testid': 'agent-name', text: name }) : name)
    subtitle.textContent = below
    mark.className = `avatar ${kind}`
    mark.replaceChildren(avatar)
  }

  return {
    render({ state, queue, agent }, { offline, mode, hasTalk }) {
      document.body.dataset.state = state
      if (state === 'with_agent') head(agent?.name || '客服同事', '人工客服为您服务', initial(agent?.name), 'agent')
      else
        head(
          `${botName} · 智能客服`,
          state === 'queued' ? '正在为您转接人工客服' : `${shopName} · 24 小时在线`,
          icon('bot'),
          'bot',
        )

      $('queue-banner').hidden = state !== 'queued'
      if (state === 'queued' && $('queue-text').textContent !== queueText(queue))
        $('queue-text').textContent = queueText(queue)
      $('closed').hidden = state !== 'closed'

      const connection = $('connection')
      connection.dataset.state = offline ? 'offline' : hasTalk ? mode : 'connecting'
      connection.classList.toggle('shown', offline)
      const text = offline ? '网络断开了，您写的内容会在恢复后自动发出' : ''
      if ($('connection-text').textContent !== text) $('connection-text').textContent = text
    },
  }
}
