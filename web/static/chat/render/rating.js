// Five stars and, if one likes, a word with them. Real radio buttons: arrow keys and screen readers work by themselves.

import { h, icon } from '../dom.js'
import { newId } from '../storage.js'

const WORDS = ['', '很不满意', '不满意', '一般', '满意', '非常满意']
const COMMENT_MAX = 500

/** ctx.rated(line): stars given earlier, or null. ctx.rate(line, score, comment): a promise. */
export function ratingCard(line, ctx) {
  const element = h('div', { class: 'card rating', 'data-testid': 'rating' })
  const given = line.payload?.score ?? ctx.rated(line)
  if (given) element.append(...thanks(given))
  else element.append(form(line, ctx, element))
  return element
}

function thanks(score) {
  const stars = Array.from({ length: 5 }, (_, i) => h('span', { class: i < score ? 'star on' : 'star' }, icon('star')))
  return [
    h('div', { class: 'stars small', role: 'img', 'aria-label': `您的评价：${score} 星` }, stars),
    h('div', { class: 'thanks', 'data-testid': 'rating-thanks' }, '感谢您的评价，我们会继续努力'),
  ]
}

function form(line, ctx, element) {
  const name = `stars-${newId()}`
  const word = h('div', { class: 'word', 'aria-live': 'polite' }, '轻点星星评分')
  const comment = h('textarea', {
    rows: 2,
    maxlength: COMMENT_MAX,
    placeholder: '说说您的感受（选填）',
    'aria-label': '评价内容（选填）',
  })
  const submit = h(
    'button',
    { type: 'submit', class: 'primary', 'data-testid': 'rating-submit', disabled: true },
    '提交评价',
  )
  const error = h('div', { class: 'error', role: 'alert' })
  let score = 0
  const stars = [1, 2, 3, 4, 5].map((value) => {
    const input = h('input', {
      type: 'radio',
      name,
      value,
      'data-testid': `rating-${value}`,
      'aria-label': `${value} 星，${WORDS[value]}`,
    })
    input.addEventListener('change', () => pick(value))
    return h('span', { class: 'star' }, input, icon('star'))
  })
  function pick(value) {
    score = value
    stars.forEach((star, index) => star.classList.toggle('on', index < value))
    word.textContent = WORDS[value]
    submit.disabled = false
    extra.hidden = false
  }
  const extra = h('div', { class: 'extra', hidden: true }, comment, submit)
  const whole = h(
    'form',
    {},
    h('div', { class: 'rating-title', text: line.text || '请为本次服务评分' }),
    h('div', { class: 'stars', role: 'radiogroup', 'aria-label': '评分' }, stars),
    word,
    extra,
    error,
  )
  whole.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (!score) return
    submit.disabled = true
    error.textContent = ''
    try {
      await ctx.rate(line, score, comment.value.trim())
      element.replaceChildren(...thanks(score))
    } catch (problem) {
      error.textContent = problem.detail || '评价没有提交成功，请再试一次'
      submit.disabled = false
    }
  })
  return whole
}
