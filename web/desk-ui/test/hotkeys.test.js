import { describe, expect, it } from 'vitest'
import { actionOf } from '../src/composables/useHotkeys.js'

const outside = { closest: () => null }
const inField = { closest: () => ({}) }
const press = (event) => actionOf({ target: outside, key: '', code: '', ...event })

describe('the keys of the desk', () => {
  it('goes to a talk by its place', () => {
    expect(press({ altKey: true, code: 'Digit1' })).toEqual(['jump', 0])
    expect(press({ altKey: true, code: 'Numpad8' })).toEqual(['jump', 7])
    expect(press({ altKey: true, code: 'Digit9' })).toBeNull()
  })
  it('works from within the composer, but leaves writing alone', () => {
    expect(press({ altKey: true, code: 'KeyE', target: inField })).toEqual(['close'])
    expect(press({ key: 'F1', target: inField })).toEqual(['help'])
    expect(press({ key: '?', target: inField })).toBeNull()
    expect(press({ key: '/', target: inField })).toBeNull()
    expect(press({ key: '/' })).toEqual(['canned'])
  })
  it('keeps out of the way of the input method and of the browser', () => {
    expect(press({ altKey: true, code: 'KeyN', isComposing: true })).toBeNull()
    expect(press({ altKey: true, ctrlKey: true, code: 'KeyN' })).toBeNull()
    expect(press({ altKey: true, shiftKey: true, code: 'ArrowUp' })).toBeNull()
  })
})
