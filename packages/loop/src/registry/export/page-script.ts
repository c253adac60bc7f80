/** What an exported page does: reads its form, asks the model, shows the answer. JavaScript as text. */
import type { InputSignature } from '../served-model.ts'

export function pageScript({ kind }: InputSignature): string {
  return `const byId = (id) => document.getElementById(id)
const program = Uint8Array.from(atob(byId('program').textContent), (letter) => letter.charCodeAt(0))
const model = await loadModel(JSON.parse(byId('settings').textContent), program)

${readers[kind]}

function show(answer) {
  const line = (...parts) => {
    const element = document.createElement('div')
    element.append(...parts)
    return element
  }
  const made = (name, text) => Object.assign(document.createElement(name), { textContent: text })
  if ('value' in answer) return byId('answer').replaceChildren(line(made('strong', String(Number(answer.value.toPrecision(6))))))
  const bars = Object.entries(answer.probabilities)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 20)
    .map(([label, p]) => {
      const bar = document.createElement('i')
      bar.style.width = 100 * p + '%'
      const row = line(made('span', label), line(bar), made('b', (100 * p).toFixed(2) + ' %'))
      row.className = 'bar'
      return row
    })
  const sure = 'Uncertainty, from 0 to 1: ' + answer.uncertainty.toFixed(3)
  byId('answer').replaceChildren(line(made('strong', answer.label)), ...bars, made('p', sure))
}

async function ask() {
  try {
    show(await model.predict(await inputOf()))
  } catch (error) {
    byId('answer').replaceChildren(Object.assign(document.createElement('p'), { className: 'wrong', textContent: error.message }))
  }
}

byId('form').addEventListener('submit', (event) => {
  event.preventDefault()
  ask()
})
byId('ask').disabled = false
globalThis.predict = (input) => model.predict(input)`
}

const readers: Readonly<Record<InputSignature['kind'], string>> = {
  row: `async function inputOf() {
  const input = {}
  for (const { name, value, dataset } of byId('form').elements) {
    if (!dataset.type || value === '') continue
    input[name] = dataset.type === 'number' ? Number(value) : dataset.type === 'boolean' ? value === 'true' : value
  }
  return input
}`,
  text: `async function inputOf() {
  return byId('text').value
}`,
  image: `let picture = null

async function take(file) {
  const bitmap = await createImageBitmap(file, { premultiplyAlpha: 'none' })
  const canvas = byId('picture')
  Object.assign(canvas, { width: bitmap.width, height: bitmap.height })
  const context = canvas.getContext('2d', { willReadFrequently: true })
  context.drawImage(bitmap, 0, 0)
  const { width, height, data } = context.getImageData(0, 0, bitmap.width, bitmap.height)
  picture = { width, height, channels: 4, pixels: data }
  await ask()
}

async function taken(file) {
  try {
    await take(file)
  } catch {
    byId('answer').replaceChildren('That file is no image that this browser reads.')
  }
}

byId('file').addEventListener('change', ({ target }) => target.files[0] && taken(target.files[0]))
byId('drop').addEventListener('dragover', (event) => event.preventDefault())
byId('drop').addEventListener('drop', (event) => {
  event.preventDefault()
  const [file] = event.dataTransfer.files
  if (file) taken(file)
})
addEventListener('paste', ({ clipboardData }) => {
  const [file] = clipboardData.files
  if (file) taken(file)
})

async function inputOf() {
  if (!picture) throw new Error('Choose an image first.')
  return picture
}`,
}
