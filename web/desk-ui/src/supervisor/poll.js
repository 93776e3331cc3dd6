// Asks again and again, one question at a time: pushes only hurry it up, so nothing depends on one having arrived.
const SOON_MS = 250
const HIDDEN_MS = 15_000 // nobody looks

export function polling(work, everyMs) {
  let timer = null
  let on = false
  let busy = false
  let again = false
  let planned = false // a hurried turn stands already: many pushes in a row are one question

  const plan = (ms) => {
    clearTimeout(timer)
    timer = setTimeout(turn, ms)
  }
  async function turn() {
    planned = false
    if (busy) {
      again = true
      return
    }
    busy = true
    try {
      await work()
    } finally {
      busy = false
    }
    if (!on) return
    plan(again ? SOON_MS : document.hidden ? HIDDEN_MS : everyMs)
    again = false
  }
  function soon() {
    if (!on || planned) return
    planned = true
    plan(SOON_MS)
  }
  function start() {
    if (on) return
    on = true
    document.addEventListener('visibilitychange', soon)
    turn()
  }
  function stop() {
    on = planned = false
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', soon)
  }
  return { start, stop, soon }
}
