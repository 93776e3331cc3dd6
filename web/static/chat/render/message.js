// One line of the talk as an element. The element lives as long as its content stays the same; what changes around it
// (sent, read, spent) is told through update(), so that nothing flickers and no half-written rating is lost.

import { h, icon, ownUrl } from '../dom.js'
import { initial } from '../format.js'
import { articleCard } from './article.js'
import { orderCard, ordersCard } from './order.js'
import { parcelCard } from './parcel.js'
import { productCards } from './product.js'
import { ratingCard } from './rating.js'

const CARDS = { order: orderCard, orders: ordersCard, parcel: parcelCard, product: productCards, article: articleCard }

/** What the element is made from; anything else about a row goes through update(). */
export const contentOf = ({ line, rated }) =>
  JSON.stringify([line.kind, line.sender, line.text, line.kind === 'text' ? null : line.payload, line.agent_name, rated])

export function messageElement(row, ctx) {
  const { line } = row
  const side =
    line.sender === 'customer' ? 'me' : line.sender === 'system' && line.kind !== 'rating' ? 'system' : 'them'
  const quick = []
  const body = content(line, ctx, quick)
  const meta = h('div', { class: 'meta' })
  const element = h('div', {
    class: `row ${side}`,
    'data-testid': 'message',
    'data-sender': line.sender,
    'data-kind': line.kind,
  })
  if (side === 'system') element.append(h('div', { class: 'system-text', text: line.text }))
  else {
    const stack = h('div', { class: 'stack' }, side === 'them' && name(line, ctx), body, meta)
    element.append(...(side === 'them' ? [avatar(line), stack] : [stack]))
  }
  return { element, update: (next) => update(element, meta, quick, next, ctx) }
}

function update(element, meta, quick, { line, first, live, read, progress }, ctx) {
  if (line.seq !== null) element.dataset.seq = line.seq
  element.classList.toggle('first', first)
  element.classList.toggle('pending', line.local === 'pending')
  element.classList.toggle('failed', line.local === 'failed')
  for (const button of quick) button.disabled = !live
  element.classList.toggle('spent', quick.length > 0 && !live)
  const state = `${line.local ?? ''}|${line.error ?? ''}|${read}|${progress ?? ''}`
  if (meta.dataset.state === state) return
  meta.dataset.state = state
  meta.replaceChildren(...metaParts(line, read, progress, ctx))
}

function metaParts(line, read, progress, ctx) {
  if (line.local === 'failed') {
    const edit =
      line.kind === 'text' &&
      h('button', { type: 'button', class: 'link', 'data-testid': 'edit', onclick: () => ctx.edit(line) }, '修改')
    const drop = h('button', { type: 'button', class: 'link', onclick: () => ctx.drop(line) }, '删除')
    return [h('span', { class: 'error' }, icon('alert'), line.error), edit || '', drop]
  }
  if (line.local === 'pending') {
    const part = line.kind === 'image' && progress > 0 ? ` ${Math.round(progress * 100)}%` : ''
    return [h('span', { class: 'sending' }, `发送中${part}`)]
  }
  return read ? [h('span', { class: read === '已读' ? 'read' : 'unread' }, read)] : []
}

// A rating asked for by an agent is the system's line, but it comes from that agent.
const fromAgent = (line) => line.sender === 'agent' || Boolean(line.agent_name)

function avatar(line) {
  if (fromAgent(line))
    return h('span', { class: 'avatar agent', 'aria-hidden': 'true' }, initial(line.agent_name))
  return h('span', { class: 'avatar bot', 'aria-hidden': 'true' }, icon('bot'))
}

function name(line, ctx) {
  if (!fromAgent(line)) return h('div', { class: 'name', text: ctx.botName })
  return h('div', { class: 'name' }, line.agent_name || '客服', h('span', { class: 'tag', text: '人工客服' }))
}

const bubble = (line) => h('div', { class: 'bubble', text: line.text })

function content(line, ctx, quick) {
  if (line.kind === 'buttons') return buttons(line, ctx, quick)
  if (line.kind === 'image') return image(line, ctx)
  if (line.kind === 'rating') return ratingCard(line, ctx)
  if (line.kind === 'card') {
    // A card we do not know, or that lacks what it needs, still says what it has to say.
    const data = typeof line.payload?.card === 'object' && line.payload.card ? line.payload.card : (line.payload ?? {})
    const card = Object.hasOwn(CARDS, data.card) && CARDS[data.card](data, ctx)
    if (!card) return bubble(line)
    return data.lead ? h('div', { class: 'with-lead' }, h('div', { class: 'bubble', text: data.lead }), card) : card
  }
  return bubble(line)
}

function buttons(line, ctx, quick) {
  for (const { title, value } of line.payload?.buttons ?? []) {
    quick.push(
      h(
        'button',
        { type: 'button', class: 'quick', 'data-testid': 'quick-reply', onclick: () => ctx.say(value ?? title) },
        title,
      ),
    )
  }
  return h(
    'div',
    { class: 'with-quick' },
    line.text && bubble(line),
    h('div', { class: 'quicks', role: 'group', 'aria-label': '快捷回复' }, quick),
  )
}

function image(line, ctx) {
  const url = ownUrl(line.payload?.url || '')
  const alt = line.payload?.alt || '图片'
  const picture = h('img', { alt, class: 'photo' })
  const button = h(
    'button',
    {
      type: 'button',
      class: 'photo-button',
      'aria-label': `查看大图：${alt}`,
      onclick: () => picture.src && ctx.openImage(picture.src, alt),
    },
    picture,
  )
  picture.addEventListener('error', () =>
    button.replaceChildren(h('span', { class: 'broken' }, icon('image'), '图片暂时无法显示')),
  )
  // Own pictures are shown from what was chosen here, at once and without loading them back.
  const local = line.client_message_id && ctx.preview(line.client_message_id)
  if (local || url) picture.src = local || url
  else if (line.client_message_id)
    ctx
      .loadPreview(line.client_message_id)
      .then((found) => (found ? (picture.src = found) : picture.dispatchEvent(new Event('error'))))
  return button
}
