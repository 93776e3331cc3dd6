// Small helpers to build elements. Text goes in through textContent only; nothing here parses HTML.

const SVG = 'http://www.w3.org/2000/svg'

/** h('button', { class: 'x', 'data-testid': 'send', onclick: fn, disabled: true }, 'text', child, null) */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else if (name === 'text') element.textContent = value
    else element.setAttribute(name, value === true ? '' : value)
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) element.append(child)
  }
  return element
}

/** An icon of the sprite in chat.html. Decoration: whoever uses it gives the button its name. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('class', 'icon')
  svg.setAttribute('aria-hidden', 'true')
  const use = document.createElementNS(SVG, 'use')
  use.setAttribute('href', `#i-${name}`)
  svg.append(use)
  return svg
}

export const $ = (id) => document.getElementById(id)

/** Only pictures of this site (and ones made here) are shown; anything else becomes the placeholder. */
export function ownUrl(url) {
  try {
    const full = new URL(url, location.href)
    return full.origin === location.origin || full.protocol === 'blob:' ? full.href : ''
  } catch {
    return ''
  }
}

const PLACEHOLDER = '/static/products/default.svg'

/** The picture of a product; when it is missing a neutral one, and when that is missing too an empty tile. */
export function productPicture(url, alt = '') {
  const img = h('img', { class: 'picture', alt, loading: 'lazy', decoding: 'async', width: 64, height: 64 })
  img.addEventListener('error', () => {
    if (img.dataset.fallback) return img.replaceWith(h('span', { class: 'picture', 'aria-hidden': 'true' }))
    img.dataset.fallback = '1'
    img.src = PLACEHOLDER
  })
  img.src = (url && ownUrl(url)) || PLACEHOLDER
  return img
}

let toastTimer

/** A short word that goes away by itself; the element is a live region. */
export function toast(text) {
  const box = $('toast')
  clearTimeout(toastTimer)
  box.textContent = text
  box.hidden = false
  toastTimer = setTimeout(() => {
    box.hidden = true
  }, 3600)
}
