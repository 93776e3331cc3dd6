// Products side by side; on a phone they are pushed along with the finger.

import { h, productPicture } from '../dom.js'
import { money } from '../format.js'
import { actions } from './order.js'

export function productCards(card, ctx) {
  if (!card.products?.length) return null
  const each = card.products.map((product) =>
    h(
      'li',
      { class: 'product', 'data-testid': 'product-card' },
      productPicture(product.image, ''),
      h('div', { class: 'product-name', text: product.name }),
      h(
        'div',
        { class: 'product-line' },
        h('b', { class: 'price', text: money(product.price_cents) }),
        product.stock_label && h('span', { class: 'faint', text: product.stock_label }),
      ),
      product.points?.length
        ? h(
            'ul',
            { class: 'points' },
            product.points.map((point) => h('li', { text: point })),
          )
        : null,
      actions(product.actions, ctx.say),
    ),
  )
  // Reachable by keyboard, as it scrolls by itself.
  return h(
    'ul',
    {
      class: each.length > 1 ? 'products' : 'products single',
      tabindex: each.length > 1 ? 0 : null,
      'aria-label': '商品',
    },
    each,
  )
}
