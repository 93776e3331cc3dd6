// Pictures chosen for a talk and not sent yet: they stand by while the agent looks at another talk. They live as long as
// the page; a file cannot be kept any longer.
import { markRaw, reactive } from 'vue'
import { newId } from '../lib/id.js'
import { PICTURES_AT_ONCE, whyNoPicture } from '../lib/pictures.js'
import { toast } from '../lib/toast.js'

const staged = reactive(new Map())

/** [{ key, file, url }] */
export const stagedIn = (id) => staged.get(id) || []

export function stage(id, files) {
  for (const file of files) {
    const why = stagedIn(id).length >= PICTURES_AT_ONCE ? `一次最多发 ${PICTURES_AT_ONCE} 张图片。` : whyNoPicture(file)
    if (why) toast.warn(why)
    else staged.set(id, [...stagedIn(id), { key: newId(), file: markRaw(file), url: URL.createObjectURL(file) }])
  }
}

export function unstage(id, key) {
  const gone = stagedIn(id).find((picture) => picture.key === key)
  if (gone) URL.revokeObjectURL(gone.url)
  staged.set(id, stagedIn(id).filter((picture) => picture !== gone))
}

/** Takes them out, to be sent: the addresses stay good. */
export function takeStaged(id) {
  const pictures = stagedIn(id)
  staged.delete(id)
  return pictures
}

/** The talk has left these hands. */
export function dropStaged(id) {
  for (const { key } of stagedIn(id)) unstage(id, key)
  staged.delete(id)
}

export function resetPictures() {
  for (const id of [...staged.keys()]) dropStaged(id)
}
