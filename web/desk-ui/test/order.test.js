import { describe, expect, it } from 'vitest'
import { holdOrder, orderTalks } from '../src/lib/order.js'

const at = (minute) => `2026-11-22T08:${String(minute).padStart(2, '0')}:00Z`
const now = Date.parse(at(30))
const ids = (items) => items.map((item) => item.id)

describe('the order of own talks', () => {
  const fresh = { id: 'new', picked_up: false, accepted_at: at(29), waiting_since: at(29) }
  const long = { id: 'long', picked_up: true, accepted_at: at(5), waiting_since: at(10) }
  const short = { id: 'short', picked_up: true, accepted_at: at(1), waiting_since: at(25) }
  const answered = { id: 'answered', picked_up: true, accepted_at: at(2), waiting_since: null }
  const older = { id: 'older', picked_up: true, accepted_at: at(0), waiting_since: null }
  const later = { id: 'later', picked_up: true, accepted_at: at(3), waiting_since: null, snoozed_until: at(50) }
  const soon = { id: 'soon', picked_up: true, accepted_at: at(3), waiting_since: null, snoozed_until: at(40) }
  const over = { id: 'over', picked_up: true, accepted_at: at(4), waiting_since: null, snoozed_until: at(20) }

  it('puts new ones first, then who waits longest, then the answered ones as they came', () => {
    expect(ids(orderTalks([answered, short, older, fresh, long], now).open)).toEqual(['new', 'long', 'short', 'older', 'answered'])
  })
  it('folds away what is put off, the soonest back first, and brings it back when its time is over', () => {
    const { open, snoozed } = orderTalks([later, over, soon, short], now)
    expect(ids(snoozed)).toEqual(['soon', 'later'])
    expect(ids(open)).toEqual(['short', 'over'])
  })
  it('stands still under the pointer, with newcomers on top', () => {
    expect(ids(holdOrder([fresh, long, short], ['short', 'long']))).toEqual(['new', 'short', 'long'])
    expect(ids(holdOrder([long, short], null))).toEqual(['long', 'short'])
  })
})
