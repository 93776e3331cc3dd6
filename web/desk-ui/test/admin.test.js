import { describe, expect, it } from 'vitest'
import { lasted, lines } from '../src/admin/lines.js'

describe('wordings, one a line', () => {
  it('leaves out empty lines and doubles', () => {
    expect(lines(' 豆豆呢 \n\n豆豆呢\n还剩几颗\n ')).toEqual(['豆豆呢', '还剩几颗'])
    expect(lines('  \n ')).toEqual([])
  })
})

describe('how long a training took', () => {
  it('tells minutes and seconds, also while it runs', () => {
    expect(lasted('2026-11-22T08:00:00Z', '2026-11-22T08:02:04Z')).toBe('2 分 4 秒')
    expect(lasted('2026-11-22T08:00:00Z', null, Date.parse('2026-11-22T08:00:09Z'))).toBe('9 秒')
    expect(lasted(null, null)).toBe('')
  })
})
