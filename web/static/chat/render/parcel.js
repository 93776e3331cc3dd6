// A parcel's way: newest on top, the first lines shown.

import { h, icon, toast } from '../dom.js'
import { dateTime } from '../format.js'
import { folded } from './order.js'

const SHOWN = 3

export function parcelCard(card) {
  const trace = (Array.isArray(card.trace) ? card.trace : []).map((stop, index) =>
    h(
      'li',
      { class: index === 0 ? 'stop newest' : 'stop' },
      h('div', { class: 'stop-text', text: stop.text }),
      h('time', { class: 'faint', datetime: stop.at, text: dateTime(stop.at) }),
    ),
  )
  return h(
    'div',
    { class: 'card', 'data-testid': 'parcel-card' },
    h(
      'div',
      { class: 'parcel-head' },
      h('span', { class: 'round' }, icon('truck')),
      h(
        'div',
        { class: 'what' },
        h('div', { class: 'parcel-status', text: card.status_label }),
        h(
          'div',
          { class: 'faint' },
          [card.carrier, card.tracking_number].filter(Boolean).join(' '),
          copy(card.tracking_number),
        ),
      ),
    ),
    trace.length
      ? h('ol', { class: 'trace' }, folded(trace, SHOWN, '展开全部'))
      : h('p', { class: 'faint', text: '暂时还没有物流信息，包裹揽收后会更新。' }),
    card.order_number &&
      h('div', { class: 'card-foot faint' }, '订单 ', h('span', { class: 'number', text: card.order_number })),
  )
}

function copy(number) {
  // The clipboard exists on https only.
  if (!number || !navigator.clipboard) return null
  const button = h('button', { type: 'button', class: 'copy', 'aria-label': `复制运单号 ${number}` }, '复制')
  button.addEventListener('click', () =>
    navigator.clipboard.writeText(number).then(
      () => toast('运单号已复制'),
      () => toast('没能复制，请长按选择'),
    ),
  )
  return button
}
