// What a supervisor changes about an agent, held as a draft until it is saved. Pure.

export const CAPACITY_MOST = 20
export const PROFICIENCY = [
  { value: 0, label: '–' },
  { value: 1, label: '1 入门' },
  { value: 2, label: '2 会' },
  { value: 3, label: '3 熟悉' },
  { value: 4, label: '4 熟练' },
  { value: 5, label: '5 专家' },
]

export const skillsOf = (agent) => Object.fromEntries(agent.skills.map((skill) => [skill.name, skill.proficiency]))
export const draftOf = (agent) => ({ capacity: agent.capacity, skills: skillsOf(agent) })

const without0 = (skills) => Object.fromEntries(Object.entries(skills).filter(([, level]) => level > 0))
const same = (a, b) => {
  const [one, other] = [without0(a), without0(b)]
  return Object.keys({ ...one, ...other }).every((name) => one[name] === other[name])
}

/** What has to be sent, or null when nothing was changed. */
export function changeOf(agent, draft) {
  const change = {}
  if (draft.capacity !== agent.capacity) change.capacity = draft.capacity
  if (!same(draft.skills, skillsOf(agent))) change.skills = without0(draft.skills)
  return Object.keys(change).length ? change : null
}

/** Why it cannot be saved like this, in words; '' when it can. */
export function whyNot(draft) {
  const fits = Number.isInteger(draft.capacity) && draft.capacity >= 1 && draft.capacity <= CAPACITY_MOST
  return fits ? '' : `上限请填 1 到 ${CAPACITY_MOST} 的整数`
}
