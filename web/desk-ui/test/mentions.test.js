import { describe, expect, it } from 'vitest'
import { atQuery, filterColleagues, mentionsIn } from '../src/lib/mentions.js'

const colleagues = [
  { name: 'xiaolin', display_name: '小林', presence: 'offline' },
  { name: 'linzi', display_name: '小林子', presence: 'online' },
  { name: 'laochen', display_name: '老陈', presence: 'online' },
]

describe('asking colleagues', () => {
  it('opens on an @ before the caret, also in the middle of a sentence', () => {
    expect(atQuery('@', 1)).toBe('')
    expect(atQuery('请@老', 3)).toBe('老')
    expect(atQuery('请@老陈 看看', 7)).toBeNull()
  })
  it('finds by either name, who is there first', () => {
    expect(filterColleagues(colleagues, '林').map((agent) => agent.name)).toEqual(['linzi', 'xiaolin'])
    expect(filterColleagues(colleagues, 'LAO').map((agent) => agent.name)).toEqual(['laochen'])
  })
  it('asks exactly those who are named', () => {
    expect(mentionsIn('@小林子 @老陈 能退吗', colleagues).sort()).toEqual(['laochen', 'linzi'])
    expect(mentionsIn('问小林', colleagues)).toEqual([])
  })
})
