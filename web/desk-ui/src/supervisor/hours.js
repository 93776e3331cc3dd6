// The service hours as a form, and the form as a plan. Pure. A plan without days means always open.

export const KINDS = [
  { name: 'workday', label: '工作日', hint: '含调休上班' },
  { name: 'weekend', label: '周末', hint: '' },
  { name: 'holiday', label: '法定节假日', hint: '按国务院放假安排' },
]
const USUAL = { opens: '09:00', closes: '21:00' }
const MIDNIGHT = '24:00' // the server says 00:00 for the end of the day

const time = (text) => (text || '').slice(0, 5)
const closing = (text) => (time(text) === '00:00' ? MIDNIGHT : time(text))
const spanForm = (span) => ({
  open: Boolean(span?.opens),
  opens: time(span?.opens) || USUAL.opens,
  closes: closing(span?.closes) || USUAL.closes,
})

export function toForm(plan) {
  const always = !Object.keys(plan.days || {}).length
  return {
    always,
    days: Object.fromEntries(KINDS.map(({ name }) => [name, always ? { open: true, ...USUAL } : spanForm(plan.days[name])])),
    special: (plan.special || []).map((entry) => ({ day: entry.day, note: entry.note || '', ...spanForm(entry) })),
  }
}

const span = (form) => (form.open ? { opens: form.opens, closes: form.closes === MIDNIGHT ? '00:00' : form.closes } : null)

export function toPlan(form) {
  return {
    days: form.always ? {} : Object.fromEntries(KINDS.map(({ name }) => [name, span(form.days[name])])),
    special: [...form.special]
      .sort((a, b) => a.day.localeCompare(b.day))
      .map((entry) => ({ day: entry.day, note: entry.note.trim(), ...(span(entry) || { opens: null, closes: null }) })),
  }
}

export const newSpecial = () => ({ day: '', note: '', open: false, ...USUAL })

function spanProblem(form) {
  return form.open && form.closes <= form.opens ? '结束时间要晚于开始时间；通宵请选 00:00 到 24:00。' : ''
}

const pad = (n) => String(n).padStart(2, '0')
const HALF_HOURS = Array.from({ length: 49 }, (_, n) => `${pad(Math.floor(n / 2))}:${n % 2 ? '30' : '00'}`)
const withOwn = (times, own) => (times.includes(own) ? times : [...times, own].sort())
/** Times to choose from: half hours, and what is set already. */
export const openings = (own) => withOwn(HALF_HOURS.slice(0, -1), own)
export const closings = (own) => withOwn(HALF_HOURS.slice(1), own)

/** What keeps the form from being saved, in words, by place: a kind's name, or 'special-0', 'special-1' … */
export function problemsOf(form) {
  const found = {}
  const note = (place, text) => text && !found[place] && (found[place] = text)
  if (!form.always) for (const { name } of KINDS) note(name, spanProblem(form.days[name]))
  const seen = new Set()
  form.special.forEach((entry, index) => {
    const place = `special-${index}`
    note(place, entry.day ? '' : '请选日期。')
    note(place, seen.has(entry.day) ? '这一天已经填过了。' : '')
    note(place, spanProblem(entry))
    seen.add(entry.day)
  })
  return found
}

/** Whether people are there now: 营业中 09:00–21:00, or when they come again. */
export function hoursText({ open, opens, today }) {
  if (open) return today === '00:00–24:00' ? '全天营业' : `营业中 ${today}`
  return opens ? `休息中，${opens} 开始` : '休息中，近两个月没有安排营业'
}
