// What was promised to customers who did not wait: calls and answers, each with its due time.
import { reactive } from 'vue'
import { api } from '../api.js'

export const tasks = reactive({ items: [], loaded: false, error: '' })

export async function refreshTasks() {
  try {
    tasks.items = (await api.tasks()).tasks
    tasks.loaded = true
    tasks.error = ''
  } catch (error) {
    tasks.error = error.message
  }
}

export async function finishTask(number, result) {
  await api.taskDone(number, result)
  tasks.items = tasks.items.filter((task) => task.number !== number)
}

export function resetTasks() {
  Object.assign(tasks, { items: [], loaded: false, error: '' })
}
