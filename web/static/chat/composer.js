// Where the customer writes.

import { $, toast } from './dom.js'
import { confirmImage, confirmed } from './dialogs.js'
import { lengthOf } from './format.js'
import { prepared } from './images.js'

const MAX_CHARS = 2000
const COUNT_FROM = 1800
const TYPING_EVERY_MS = 3000

/** on: say(text), image(file), typing(), handoff(), close(), draft(text). */
export function createComposer(on) {
  const form = $('composer-form')
  const box = $('composer')
  const send = $('send')
  const counter = $('counter')
  const plus = $('plus')
  const panel = $('plus-panel')
  const file = $('file')
  const touch = matchMedia('(pointer: coarse)')
  let typedAt = 0
  let draftTimer = null

  function fit() {
    box.style.height = 'auto'
    box.style.height = `${Math.min(box.scrollHeight, 132)}px`
    box.style.overflowY = box.scrollHeight > 132 ? 'auto' : 'hidden'
    const length = lengthOf(box.value)
    counter.hidden = length < COUNT_FROM
    counter.textContent = length > MAX_CHARS ? `超出 ${length - MAX_CHARS} 字` : `${length}/${MAX_CHARS}`
    counter.classList.toggle('over', length > MAX_CHARS)
    send.disabled = !box.value.trim() || length > MAX_CHARS
  }

  function keepDraft() {
    clearTimeout(draftTimer)
    on.draft(box.value)
  }

  function submit() {
    const text = box.value.trim()
    if (!text || send.disabled) return
    box.value = ''
    keepDraft()
    fit()
    on.say(text)
  }

  function fill(text) {
    box.value = text
    fit()
  }

  function togglePanel(open = panel.hidden) {
    panel.hidden = !open
    plus.setAttribute('aria-expanded', String(open))
    plus.classList.toggle('open', open)
  }

  async function offer(chosen) {
    togglePanel(false)
    try {
      const picture = await prepared(chosen)
      if (await confirmImage(picture)) await on.image(picture)
    } catch (error) {
      toast(error.message)
    }
    if (!touch.matches) box.focus()
  }

  box.addEventListener('input', () => {
    fit()
    clearTimeout(draftTimer)
    draftTimer = setTimeout(keepDraft, 300)
    if (box.value && Date.now() - typedAt > TYPING_EVERY_MS) {
      typedAt = Date.now()
      on.typing()
    }
  })
  box.addEventListener('keydown', (event) => {
    // Enter that picks a candidate of the input method is not the Enter that sends. Safari ends the composition before
    // this event and tells it by 229 only.
    if (event.key !== 'Enter' || event.isComposing || event.keyCode === 229) return
    // On a touch keyboard Enter makes a new line; there is a button to send.
    if (event.shiftKey || event.ctrlKey || event.altKey || touch.matches) return
    event.preventDefault()
    submit()
  })
  box.addEventListener('paste', (event) => {
    const picture = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith('image/'))
    if (!picture) return
    event.preventDefault()
    offer(picture)
  })
  box.addEventListener('focus', () => togglePanel(false))
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    submit()
    // Keeps the phone's keyboard up, as one mostly goes on writing.
    box.focus()
  })
  // The button must not take the focus from the text before the tap counts (the keyboard would go down and up).
  send.addEventListener('pointerdown', (event) => event.preventDefault())
  window.addEventListener('pagehide', keepDraft)

  plus.addEventListener('click', () => togglePanel())
  form.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || panel.hidden) return
    event.stopPropagation()
    togglePanel(false)
    plus.focus()
  })
  $('pick-image').addEventListener('click', () => file.click())
  file.addEventListener('change', () => {
    const [chosen] = file.files
    file.value = ''
    if (chosen) offer(chosen)
  })
  $('handoff').addEventListener('click', () => {
    togglePanel(false)
    on.handoff()
  })
  $('end').addEventListener('click', async () => {
    togglePanel(false)
    if (await confirmed({ title: '结束本次会话？', text: '之后需要帮助，直接输入就能继续。', yes: '结束会话' }))
      on.close()
  })
  fit()

  return {
    fill,
    text: () => box.value,
    focus: () => !touch.matches && box.focus(),
    closePanel: () => (panel.hidden ? false : (togglePanel(false), true)),
    placeholder(text) {
      box.placeholder = text
    },
    /** What can be asked for in this state. */
    allow({ handoff, end }) {
      $('handoff').disabled = !handoff
      $('end').disabled = !end
    },
  }
}
