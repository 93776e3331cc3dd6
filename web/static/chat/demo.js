// Demo mode only: look at the shop through the eyes of one of the invented customers.

import * as api from './api.js'
import { $, h, icon, toast } from './dom.js'
import { openSheet } from './dialogs.js'
import { initial } from './format.js'
import { demoIdentity, keepDemo } from './session.js'

const TONES = { 金卡: 'gold', 铂金: 'platinum', 银卡: 'silver' }
const tone = (level) => TONES[Object.keys(TONES).find((name) => (level || '').includes(name))] ?? 'plain'
const levelText = (label) => (/^(普通|银卡|金卡|铂金)$/.test(label ?? '') ? `${label}会员` : (label ?? ''))

/** changed(identity) is called after another identity has been chosen. */
export function createDemo({ changed }) {
  const button = $('signin-open')
  const wide = matchMedia('(min-width: 960px)')

  // One button, in the side on a desktop and in the head on a phone, so that it is never there twice.
  const settle = () => (wide.matches && $('demo-slot') ? $('demo-slot') : $('head-slot')).append(button)
  wide.addEventListener('change', settle)
  settle()
  button.hidden = false
  button.addEventListener('click', open)
  render()

  function render() {
    const { name, level } = demoIdentity()
    $('demo-current').textContent = name ? [name, levelText(level)].filter(Boolean).join(' · ') : '访客'
    button.setAttribute('aria-label', `选择示例身份，当前：${$('demo-current').textContent}`)
  }

  function open() {
    const current = demoIdentity()
    openSheet('选择一个示例身份', async (body, close) => {
      const list = h('ul', { class: 'people' })
      body.append(
        h('p', { class: 'hint', text: '都是虚构的顾客和订单，放心试用。' }),
        list,
        h('p', { class: 'faint', text: '正在读取…' }),
      )
      try {
        const { customers } = await api.demoCustomers()
        list.append(
          guest(current, close),
          ...customers.map((customer) => person(customer, current.id === customer.id, close)),
        )
        body.lastChild.remove()
      } catch (error) {
        body.lastChild.textContent = error.detail || '没能读取示例身份，请稍后再试'
      }
    })
  }

  function person(customer, chosen, close) {
    const pick = h(
      'button',
      {
        type: 'button',
        class: chosen ? 'person chosen' : 'person',
        'data-testid': 'signin-customer',
        'data-id': customer.id,
        'aria-pressed': String(chosen),
      },
      h('span', { class: `avatar ${tone(customer.level_label)}`, 'aria-hidden': 'true' }, initial(customer.name)),
      h(
        'span',
        { class: 'what' },
        h(
          'span',
          { class: 'person-name' },
          customer.name,
          h('span', { class: `level ${tone(customer.level_label)}`, text: levelText(customer.level_label) }),
        ),
        h('span', { class: 'faint', text: customer.hint }),
      ),
      chosen && icon('check'),
    )
    pick.addEventListener('click', () => signIn(customer, pick, close))
    return h('li', {}, pick)
  }

  function guest(current, close) {
    const pick = h(
      'button',
      {
        type: 'button',
        class: current.token ? 'person' : 'person chosen',
        'data-testid': 'signin-guest',
        'aria-pressed': String(!current.token),
      },
      h('span', { class: 'avatar plain', 'aria-hidden': 'true' }, '客'),
      h(
        'span',
        { class: 'what' },
        h('span', { class: 'person-name' }, '以访客身份'),
        h('span', { class: 'faint' }, '不登录，查订单时需要核对订单号和手机号'),
      ),
      !current.token && icon('check'),
    )
    pick.addEventListener('click', () => {
      close()
      apply(null, null)
    })
    return h('li', {}, pick)
  }

  async function signIn(customer, pick, close) {
    pick.disabled = true
    try {
      const { customer_token: token } = await api.demoSignIn(customer.id)
      close()
      apply(customer, token)
    } catch (error) {
      pick.disabled = false
      toast(error.detail)
    }
  }

  function apply(customer, token) {
    keepDemo(customer, token)
    render()
    changed(demoIdentity())
  }

  return { render }
}

/** A demo token that has run out is fetched anew once; then the visitor goes on as a guest. */
export async function renewDemo() {
  const { id, name, level } = demoIdentity()
  if (!id) return demoIdentity()
  try {
    const { customer_token: token } = await api.demoSignIn(id)
    keepDemo({ id, name, level_label: level }, token)
  } catch {
    keepDemo(null)
  }
  return demoIdentity()
}
