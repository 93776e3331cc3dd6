// The strip of who waits for a person: the place, the wait, and what one can do instead of waiting.

import { $ } from './dom.js'
import { waitText } from './format.js'

/**
 * queue: as STATE tells it, or null. place is read aloud whenever it changes, rest is not: a wait that is estimated anew
 * every few seconds would never let a screen reader finish.
 */
export function waitingWords(queue) {
  if (!queue?.position) return { place: '正在为您联系客服同事', rest: '' }
  const place = `您排在第 ${queue.position} 位`
  if (queue.open === false) {
    const opens = queue.opens ? `，${queue.opens} 上班` : ''
    return { place: `现在是休息时间${opens}`, rest: `${place}，上班后按顺序回复您` }
  }
  const wait = waitText(queue.estimated_wait_seconds)
  if (!wait) return { place: '同事们暂时都不在线', rest: `${place}，有人上线会第一时间回复您` }
  return { place, rest: wait === '马上' ? '马上就有同事接入' : `预计${wait}` }
}

/** What the head of the page promises while one waits. */
export function waitingSubtitle(queue) {
  if (queue?.open === false) return '人工客服休息中，上班后回复您'
  if (queue && queue.estimated_wait_seconds === null) return '正在等客服同事上线'
  return '正在为您转接人工客服'
}

/** on: message(), callBack(), leave() – the three buttons. */
export function createWaiting(on) {
  const banner = $('queue-banner')
  const write = (id, text) => {
    if ($(id).textContent !== text) $(id).textContent = text
  }
  $('leave-message').addEventListener('click', on.message)
  $('call-back').addEventListener('click', on.callBack)
  $('leave-queue').addEventListener('click', on.leave)
  return {
    render({ state, queue }) {
      banner.hidden = state !== 'queued'
      if (banner.hidden) return
      const { place, rest } = waitingWords(queue)
      write('queue-place', place)
      write('queue-rest', rest)
      banner.classList.toggle('closed-now', queue?.open === false)
    },
  }
}
