// An answer of the knowledge base. Its HTML is the only one the page takes in, and it is taken in here only.

import { h, icon } from '../dom.js'

const ALLOWED = new Set('p ul ol li strong em br code h3 h4 table thead tbody tr td th'.split(' '))
// What stands inside these is not text for people; other unknown elements are replaced by what stands in them.
const DROPPED = new Set('script style template iframe object embed noscript svg math textarea select title'.split(' '))
const FOLD_ABOVE_PX = 300

/**
 * The server has sanitised the html already. This is the second belt: everything is built anew from the allow-list, no
 * attribute at all is carried over. The template's content is inert: nothing in it loads or runs.
 */
export function safeFragment(html) {
  const template = document.createElement('template')
  template.innerHTML = String(html ?? '')
  const copyInto = (target, source) => {
    for (const node of source.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) target.append(node.data)
      if (node.nodeType !== Node.ELEMENT_NODE) continue
      const tag = node.localName
      if (DROPPED.has(tag)) continue
      copyInto(ALLOWED.has(tag) ? target.appendChild(document.createElement(tag)) : target, node)
    }
    return target
  }
  return copyInto(document.createDocumentFragment(), template.content)
}

export function articleCard(card) {
  const body = h('div', { class: 'article-body' }, safeFragment(card.html))
  const element = h(
    'div',
    { class: 'card article', 'data-testid': 'article-card' },
    card.question && h('div', { class: 'card-title' }, icon('book'), h('span', { text: card.question })),
    body,
  )
  // How tall it is can be told only once it is on the page.
  requestAnimationFrame(() => {
    if (body.scrollHeight <= FOLD_ABOVE_PX + 60) return
    body.classList.add('clipped')
    const more = h('button', { type: 'button', class: 'more' }, '展开全文', icon('down'))
    more.addEventListener('click', () => {
      body.classList.remove('clipped')
      more.remove()
    })
    element.append(more)
  })
  return element
}
