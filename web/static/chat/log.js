// The list of lines on the page: keyed, so that a line keeps its element from 'sending' to 'read'; and the scrolling,
// which follows new lines only while the customer is at the bottom anyway.

import { h } from './dom.js'
import { separatorText } from './format.js'
import { contentOf, messageElement } from './render/message.js'

const NEAR_PX = 90

export function createLog({ scroller, list, pill, typing, ctx }) {
  const held = new Map()
  let stuck = true
  let lastTop = 0
  let settled = false
  let typingTimer = null

  const nearBottom = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_PX

  function toBottom(smooth = false) {
    stuck = true
    pill.hidden = true
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches
    scroller.scrollTo({ top: scroller.scrollHeight, behavior: smooth && !calm ? 'smooth' : 'instant' })
  }

  // Only going up lets go of the bottom: on our own way down, in a smooth scroll, we are far from it for a while as well.
  scroller.addEventListener(
    'scroll',
    () => {
      if (nearBottom()) stuck = true
      else if (scroller.scrollTop < lastTop) stuck = false
      lastTop = scroller.scrollTop
      if (stuck) pill.hidden = true
    },
    { passive: true },
  )
  pill.addEventListener('click', () => toBottom(true))
  // Pictures that load, cards that unfold, the keyboard that comes up: whoever was at the bottom stays there.
  const sizes = new ResizeObserver(() => stuck && toBottom())
  sizes.observe(list)
  sizes.observe(scroller)

  function make(row) {
    if (row.type === 'time') {
      const at = h('div', { class: 'separator' }, h('time', { datetime: row.at, text: separatorText(row.at) }))
      return { element: at, content: '', update: () => at.firstChild.replaceChildren(separatorText(row.at)) }
    }
    if (row.type === 'divider')
      return { element: h('div', { class: 'divider', text: row.text }), content: '', update() {} }
    const made = messageElement(row, ctx(row))
    if (settled) made.element.classList.add('enter')
    return { ...made, content: contentOf(row) }
  }

  /** rows as store.rows() makes them, with unique keys. */
  function render(rows) {
    const wasEmpty = held.size === 0
    let grown = false
    let ownGrown = false
    const wanted = new Set(rows.map((row) => row.key))
    for (const [key, entry] of held) {
      if (wanted.has(key)) continue
      entry.element.remove()
      held.delete(key)
    }
    let place = list.firstChild
    for (const row of rows) {
      let entry = held.get(row.key)
      if (entry && row.type === 'line' && entry.content !== contentOf(row)) {
        const made = make(row)
        made.element.classList.remove('enter')
        if (place === entry.element) place = made.element
        entry.element.replaceWith(made.element)
        entry = made
        held.set(row.key, entry)
      } else if (!entry) {
        entry = make(row)
        held.set(row.key, entry)
        grown ||= row.type === 'line'
        ownGrown ||= row.type === 'line' && row.line.local === 'pending'
      }
      // Moved only when out of place: an element that is put in anew is read aloud anew.
      if (entry.element === place) place = place.nextSibling
      else list.insertBefore(entry.element, place)
      entry.update(row)
    }
    if (wasEmpty || ownGrown) toBottom(!wasEmpty)
    else if (grown && stuck) toBottom(true)
    else if (grown) pill.hidden = false
    // Only what comes from now on is announced and animated, not the talk that was already there.
    if (rows.length && !settled) {
      requestAnimationFrame(() => {
        settled = true
        scroller.setAttribute('aria-live', 'polite')
      })
    }
  }

  function showTyping(on, who, name, mark) {
    // One who stops must not take away the dots of another.
    if (!on && who && who !== typing.dataset.who) return
    clearTimeout(typingTimer)
    typing.hidden = !on
    if (!on) return
    typing.dataset.who = who
    typing.querySelector('.typing-name').textContent = `${name}正在输入`
    typing.querySelector('.avatar').replaceChildren(mark)
    typing.querySelector('.avatar').className = `avatar ${who}`
    // The word that it has stopped may be lost on the way.
    typingTimer = setTimeout(() => {
      typing.hidden = true
    }, 8000)
    if (stuck) toBottom(true)
  }

  function clear() {
    held.clear()
    list.replaceChildren()
    settled = false
    scroller.setAttribute('aria-live', 'off')
    showTyping(false)
    pill.hidden = true
    stuck = true
  }

  return { render, clear, showTyping, toBottom, whoTypes: () => typing.dataset.who }
}
