// Fields of a form with what is wrong told beside them. Each is
// { name, element, value(), fill(text), lacks(): a sentence or '', tell(sentence), first(): it has the focus at first }.

import { h } from './dom.js'
import { lengthOf } from './format.js'
import { newId } from './storage.js'

const PARTS_OF_DAY = { asap: '尽快', morning: '上午', afternoon: '下午', evening: '晚上' }

function labelled(name, label, control, hint, lacks) {
  const id = `field-${newId()}`
  const error = h('p', { class: 'error', id: `${id}-error`, role: 'alert', 'data-testid': `${name}-error` })
  control.id = id
  control.setAttribute('aria-describedby', `${id}-error${hint ? ` ${id}-hint` : ''}`)
  return {
    name,
    element: h(
      'div',
      { class: 'field' },
      h('label', { for: id, text: label }),
      control,
      error,
      hint && h('p', { class: 'faint', id: `${id}-hint`, text: hint }),
    ),
    value: () => control.value.trim(),
    fill: (text) => (control.value = text),
    first: () => control.setAttribute('autofocus', ''),
    lacks,
    tell(sentence) {
      error.textContent = sentence
      control.setAttribute('aria-invalid', String(Boolean(sentence)))
      if (sentence) control.focus()
    },
  }
}

/** empty: what to say when nothing is written; '' when nothing need be. */
export function written(name, label, { rows, most, empty }) {
  const box = h('textarea', { rows, name, 'data-testid': `field-${name}` })
  return labelled(name, label, box, '', () => {
    const over = lengthOf(box.value.trim()) - most
    if (over > 0) return `最多 ${most} 个字，请删去 ${over} 个字。`
    return box.value.trim() ? '' : empty
  })
}

export function phone(label, hint, empty) {
  const keyboard = { type: 'tel', inputmode: 'tel', autocomplete: 'tel' }
  const box = h('input', { ...keyboard, name: 'phone', 'data-testid': 'field-phone' })
  return labelled('phone', label, box, hint, () => (box.value.trim() ? '' : empty))
}

export function partOfDay() {
  const name = `when-${newId()}`
  const boxes = Object.keys(PARTS_OF_DAY).map((value) =>
    h('input', { type: 'radio', name, value, checked: value === 'asap', 'data-testid': `when-${value}` }),
  )
  const choices = boxes.map((box) => h('label', { class: 'choice' }, box, h('span', { text: PARTS_OF_DAY[box.value] })))
  const error = h('p', { class: 'error', role: 'alert' })
  const legend = h('legend', { text: '什么时候方便接电话' })
  return {
    name: 'when',
    element: h('fieldset', { class: 'field' }, legend, h('div', { class: 'choices' }, choices), error),
    value: () => boxes.find((box) => box.checked).value,
    fill: (value) => boxes.forEach((box) => (box.checked = box.value === value)),
    lacks: () => '',
    tell: (sentence) => (error.textContent = sentence),
  }
}
