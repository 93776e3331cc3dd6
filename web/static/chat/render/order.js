// Order cards: one order with what can be done about it, or several to choose from.

import { h, icon, productPicture } from '../dom.js'
import { dateOnly, money } from '../format.js'

const TONES = {
  unpaid: 'amber',
  paid: 'teal',
  packed: 'teal',
  shipped: 'blue',
  delivered: 'green',
  cancelled: 'grey',
}
// Not everything has been paid.
const SUM = { unpaid: '应付', cancelled: '合计' }
const ITEMS_SHOWN = 3
const ORDERS_SHOWN = 3

export function chip(status, label) {
  return label ? h('span', { class: `chip ${TONES[status] || 'teal'}` }, label) : null
}

export function actions(list, say) {
  if (!list?.length) return null
  const buttons = list.map((action) =>
    h(
      'button',
      { type: 'button', class: 'action', 'data-testid': 'card-action', onclick: () => say(action.value) },
      action.title,
    ),
  )
  return h('div', { class: 'actions' }, buttons)
}

/** Hides what is beyond `shown` behind one button. */
export function folded(elements, shown, label) {
  const rest = elements.slice(shown)
  if (!rest.length) return elements
  for (const element of rest) element.hidden = true
  const more = h('button', { type: 'button', class: 'more', 'aria-expanded': 'false' }, label, icon('down'))
  more.addEventListener('click', () => {
    for (const element of rest) element.hidden = false
    more.remove()
  })
  return [...elements, more]
}

function item({ name, color, quantity, price_cents: price, image }) {
  const facts = [color && color !== '默认' ? color : '', `×${quantity ?? 1}`].filter(Boolean).join('  ')
  return h(
    'div',
    { class: 'item' },
    productPicture(image, ''),
    h(
      'div',
      { class: 'what' },
      h('div', { class: 'product-name', text: name }),
      h('div', { class: 'faint', text: facts }),
    ),
    h('div', { class: 'price', text: money(price) }),
  )
}

function order(data, say, { compact = false } = {}) {
  const items = data.items ?? []
  const count = items.reduce((sum, one) => sum + (one.quantity ?? 1), 0)
  return h(
    compact ? 'li' : 'div',
    { class: 'order', 'data-number': data.number },
    h(
      'div',
      { class: 'order-head' },
      h('span', { class: 'faint' }, '订单 ', h('span', { class: 'number', text: data.number })),
      chip(data.status, data.status_label),
    ),
    folded(items.map(item), compact ? 1 : ITEMS_SHOWN, `共 ${items.length} 种商品，展开全部`),
    h(
      'div',
      { class: 'order-sum' },
      h('span', { class: 'faint', text: dateOnly(data.created_at) }),
      h(
        'span',
        {},
        h('span', { class: 'faint', text: `共 ${count} 件　` }),
        `${SUM[data.status] ?? '实付'} `,
        h('b', { text: money(data.total_cents) }),
      ),
    ),
    actions(data.actions, say),
  )
}

export function orderCard(card, ctx) {
  if (!card.order) return null
  return h('div', { class: 'card', 'data-testid': 'order-card' }, order(card.order, ctx.say))
}

export function ordersCard(card, ctx) {
  if (!Array.isArray(card.orders)) return null
  const each = card.orders.map((one) => order(one, ctx.say, { compact: true }))
  return h(
    'div',
    { class: 'card', 'data-testid': 'order-card' },
    h('div', { class: 'card-title' }, icon('bag'), each.length > 1 ? '请选择要咨询的订单' : '您的订单'),
    h('ul', { class: 'orders' }, folded(each, ORDERS_SHOWN, `展开全部 ${each.length} 笔订单`)),
  )
}
