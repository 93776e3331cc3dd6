// Questions and the big picture, as native <dialog>: focus is kept inside, Esc closes, focus returns by itself.

import { h, icon } from './dom.js'

function show(dialog) {
  document.body.append(dialog)
  // A tap beside the box closes it, like everywhere on a phone.
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close())
  return new Promise((resolve) => {
    dialog.addEventListener(
      'close',
      () => {
        dialog.remove()
        resolve(dialog.returnValue)
      },
      { once: true },
    )
    dialog.showModal()
  })
}

/** true when confirmed. */
export async function confirmed({ title, text, yes, no = '再想想', extra = null, danger = false }) {
  const dialog = h(
    'dialog',
    { class: 'dialog', 'aria-labelledby': 'dialog-title' },
    h(
      'form',
      { method: 'dialog' },
      h('h2', { id: 'dialog-title', text: title }),
      text && h('p', { text }),
      extra,
      h(
        'div',
        { class: 'dialog-buttons' },
        h('button', { value: '', class: 'secondary', 'data-testid': 'confirm-no' }, no),
        h(
          'button',
          { value: 'yes', class: danger ? 'primary danger' : 'primary', autofocus: true, 'data-testid': 'confirm-yes' },
          yes,
        ),
      ),
    ),
  )
  return (await show(dialog)) === 'yes'
}

export async function confirmImage(file) {
  const url = URL.createObjectURL(file)
  const picture = h('img', { class: 'preview', src: url, alt: '要发送的图片' })
  const yes = await confirmed({ title: '发送这张图片？', yes: '发送', no: '取消', extra: picture })
  URL.revokeObjectURL(url)
  return yes
}

export function openImage(src, alt) {
  const dialog = h(
    'dialog',
    { class: 'viewer', 'aria-label': alt || '图片' },
    h('form', { method: 'dialog' }, h('button', { class: 'viewer-close', 'aria-label': '关闭大图' }, icon('close'))),
    h('img', { src, alt: alt || '图片' }),
  )
  dialog.querySelector('img').addEventListener('click', () => dialog.close())
  return show(dialog)
}

/** A sheet from below on a phone, a box in the middle on a desktop. fill(body, close) puts in what it shows. */
export function openSheet(title, fill) {
  const body = h('div', { class: 'sheet-body' })
  const dialog = h(
    'dialog',
    { class: 'dialog sheet', 'aria-labelledby': 'sheet-title' },
    h(
      'form',
      { method: 'dialog', class: 'sheet-head' },
      h('h2', { id: 'sheet-title', text: title }),
      h('button', { class: 'icon-button', 'aria-label': '关闭' }, icon('close')),
    ),
    body,
  )
  fill(body, () => dialog.close())
  return show(dialog)
}

export const anyDialogOpen = () => document.querySelector('dialog[open]') !== null
