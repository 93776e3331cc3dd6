// Instead of waiting: leave a message, or ask to be called. What is written stays in this tab until it has been taken.

import { openSheet } from './dialogs.js'
import { h, icon, toast } from './dom.js'
import { partOfDay, phone, written } from './fields.js'
import { dueText } from './format.js'
import { newId } from './storage.js'

// Without an answer nobody knows whether it was taken; sent again under the same key it is one ticket all the same.
const UNSURE = '网络断开了，没有收到回应。恢复后再点一次提交就好，不会重复登记，内容都给您留着。'
const FIELD_OF_CODE = { phone: 'phone', empty: 'text', long: 'text' }

const KINDS = {
  message: {
    title: '给我们留言',
    lead: '不用一直等着。同事处理后，回复会发在这个对话里。',
    send: '提交留言',
    fields: () => [
      written('text', '您想说的事', { rows: 4, most: 1000, empty: '写几句您遇到的事，我们才好回复您。' }),
      phone('电话（选填）', '急事时方便联系您', ''),
    ],
    done: '留言收到了',
    then: (due) => `同事会在${due} 前处理，回复发在这个对话里，您先去忙。`,
  },
  callback: {
    title: '我们给您回电',
    lead: '留个电话，就不用在这里等了。',
    send: '请给我回电',
    fields: () => [
      phone('电话号码', '手机，或带区号的座机', '请填一个能打通的电话号码。'),
      partOfDay(),
      written('about', '想问什么（选填）', { rows: 2, most: 200, empty: '' }),
    ],
    done: '记下了，到时打给您',
    then: (due) => `最晚${due} 前来电，请留意接听。`,
  },
}

/**
 * send(kind, values): a promise of { number, due_at }. draft(kind) and keepDraft(kind, values | null): what was written
 * and not yet taken. closed(): the sheet is gone.
 */
export function createFollowUp({ send, draft, keepDraft, closed }) {
  let sheet = null
  let busy = false
  let key = newId()

  function open(kind) {
    openSheet(KINDS[kind].title, (body, close) => {
      sheet = { close, news: h('p', { class: 'news', role: 'status' }) }
      body.append(sheet.news, form(kind, body, close))
    }).then(() => {
      sheet = null
      closed()
    })
  }

  function form(kind, body, close) {
    const fields = KINDS[kind].fields()
    fields[0].first()
    const kept = draft(kind) ?? {}
    for (const field of fields) if (kept[field.name]) field.fill(kept[field.name])
    const values = () => Object.fromEntries(fields.map((field) => [field.name, field.value()]))
    const { element, say, wait } = view(kind, fields)
    // Closed while it was being sent and opened again: it is still being sent.
    wait(busy)
    sheet.wait = wait

    function refused(error) {
      const field = fields.find(({ name }) => name === (error.fields?.[0] ?? FIELD_OF_CODE[error.code]))
      // Closed meanwhile: what was written is kept, and the customer must know that it has not arrived.
      if (!body.isConnected) toast(`没有提交成功：${error.detail}`)
      else if (field) field.tell(error.detail)
      else say(error.isNetwork ? UNSURE : error.detail || '没有提交成功，请稍后再试')
    }

    async function submit(event) {
      event.preventDefault()
      if (busy) return
      say('')
      for (const field of fields) field.tell('')
      const wrong = fields.find((field) => field.lacks())
      if (wrong) return wrong.tell(wrong.lacks())
      wait((busy = true))
      try {
        const { number, due_at: due } = await send(kind, { ...values(), client_message_id: key })
        key = newId()
        keepDraft(kind, null)
        if (!body.isConnected) return sheet?.close()
        body.replaceChildren(done(kind, number, dueText(due), close))
        body.querySelector('button').focus()
      } catch (error) {
        refused(error)
      } finally {
        busy = false
        sheet?.wait(false)
      }
    }

    element.addEventListener('input', () => keepDraft(kind, values()))
    element.addEventListener('submit', submit)
    return element
  }

  return {
    open,
    close: () => sheet?.close(),
    /** An agent may come while one is still writing. */
    render({ state, agent }) {
      if (!sheet) return
      const text =
        state === 'with_agent' ? `客服${agent?.name ?? ''}已经来了，关掉这里就能直接聊，写好的内容会留着。` : ''
      if (sheet.news.textContent !== text) sheet.news.textContent = text
    },
  }
}

function view(kind, fields) {
  const failed = h('p', { class: 'error', role: 'alert' })
  const button = h('button', { type: 'submit', class: 'primary', 'data-testid': 'follow-up-send' }, KINDS[kind].send)
  const element = h(
    'form',
    { class: 'follow-up', novalidate: true, 'data-testid': `${kind}-form` },
    h('p', { class: 'hint', text: KINDS[kind].lead }),
    fields.map((field) => field.element),
    failed,
    button,
  )
  return {
    element,
    say: (sentence) => (failed.textContent = sentence),
    wait(on) {
      // Not disabled: that would throw the focus out of the sheet while it is being sent.
      button.setAttribute('aria-disabled', String(on))
      button.textContent = on ? '正在提交…' : KINDS[kind].send
    },
  }
}

function done(kind, number, due, close) {
  return h(
    'div',
    { class: 'follow-up done', 'data-testid': 'follow-up-done' },
    h(
      'div',
      { id: 'follow-up-told' },
      h('p', { class: 'done-title' }, icon('check'), KINDS[kind].done),
      h('p', {}, '单号 ', h('b', { class: 'number', text: number })),
      h('p', { text: KINDS[kind].then(due) }),
    ),
    h('button', { type: 'button', class: 'primary', 'aria-describedby': 'follow-up-told', onclick: close }, '好的'),
  )
}
